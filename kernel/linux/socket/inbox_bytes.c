/*
 * Inboxes of bytes, for streams: parcels run into each other, but none is taken beyond one that has
 * files, nor, where that is told, together with another sender's.
 *
 * The urgent byte (MSG_OOB) is a parcel by itself, which reading stops before. Who reads on without
 * having asked for it loses it, or has it among the others. When it was asked for, its parcel stays
 * behind as a mark without bytes, which reading stops at, too. Format: inbox.bytes, by pointer.
 */
#include "inbox_body.h"

/* How many bytes were copied of what is left of this one, from `skip` on. */
static k42_result copy_some(struct inbox_body *inbox, struct parcel *parcel, uint64_t skip,
                            struct inbox_taking *taking) {
    size_t left = parcel->length - parcel->taken - skip;
    if (left > taking->copy->left)
        left = taking->copy->left;
    if (!left)
        return 0;
    struct copy before = *taking->copy;
    k42_result result = copy_out(taking->copy, parcel->bytes + parcel->taken + skip, left);
    if (result > 0 && (parcel->files || !taking->got)) {
        k42_result told = inbox_tell(inbox, parcel, taking);
        if (told < 0) { /* all of it is tried again */
            *taking->copy = before;
            result = told;
        }
    }
    return result;
}

static bool is_anothers(const struct inbox_taking *taking, const struct parcel *parcel) {
    return taking->by_owner && taking->got &&
           __builtin_memcmp(&taking->owner, &parcel->owner, sizeof parcel->owner);
}

/* Without taking any out. Nothing is peeked at beyond a mark, unless it is the first. */
static k42_result peek(struct inbox_body *inbox, struct parcel *parcel,
                       struct inbox_taking *taking) {
    k42_result done = 0, result = 0;
    uint64_t skip = taking->skip;
    for (; parcel && taking->copy->left && !taking->files && !is_anothers(taking, parcel);
         parcel = inbox_next(inbox, parcel)) {
        size_t left = parcel->length - parcel->taken;
        bool mark = inbox_is_mark(inbox, parcel);
        if (mark && done)
            break;
        if (mark && !taking->in_line)
            continue;
        if (skip >= left) {
            skip -= left;
            continue;
        }
        result = copy_some(inbox, parcel, skip, taking);
        if (result < 0)
            break;
        done += result;
        skip = 0;
    }
    bool none = !parcel && !done && !result && taking->copy->left;
    return done ? done : none ? inbox_nothing(inbox) : result;
}

/* At the mark, before anything was taken: the byte is one of the others, or nobody's any more. */
static void pass_mark(struct inbox_body *inbox, struct parcel *parcel,
                      const struct inbox_taking *taking) {
    uint64_t left = parcel->length - parcel->taken;
    inbox_pass_mark(inbox, parcel, false);
    if (!left || !taking->in_line)
        inbox_taken(inbox, left, true);
}

static k42_result take_all(struct inbox_body *inbox, struct inbox_taking *taking) {
    k42_result done = 0, result = 0;
    do {
        k42_result why = 0;
        struct parcel *parcel = inbox_first(inbox, done ? NULL : &why);
        if (!parcel)
            return done ? done : why;
        if (taking->peeks)
            return peek(inbox, parcel, taking);
        bool mark = inbox_is_mark(inbox, parcel);
        if (is_anothers(taking, parcel) || (mark && done))
            return done;
        if (mark) {
            pass_mark(inbox, parcel, taking);
            continue;
        }
        result = copy_some(inbox, parcel, 0, taking);
        if (result < 0)
            break;
        done += result;
        inbox_taken(inbox, (uint64_t)result, parcel->taken + (size_t)result == parcel->length);
    } while (taking->copy->left && !taking->files);
    return done ? done : result;
}

/* The mark stays when its byte is taken. */
static k42_result take_urgent(struct inbox_body *inbox, struct inbox_taking *taking) {
    struct parcel *urgent = taking->in_line ? NULL : inbox_urgent(inbox);
    if (!urgent)
        return -EINVAL;
    if (!taking->copy->left)
        return -EFAULT;
    k42_result result = copy_some(inbox, urgent, 0, taking);
    if (result > 0 && !taking->peeks)
        inbox_pass_mark(inbox, urgent, true);
    return result;
}

/* Not yet what was asked for at least, and more may come. */
static bool is_little(struct inbox *self, const struct inbox_taking *taking) {
    struct inbox_look look;
    uint64_t least = taking->least < taking->copy->left ? taking->least : taking->copy->left;
    return inbox_look(self, &look) >= 0 && look.bytes < least && !look.shut && look.room;
}

static k42_result bytes_take(struct inbox *self, struct inbox_taking *taking) {
    struct inbox_body *inbox = INBOX(self);
    k42_result result = inbox_begin(inbox);
    if (result < 0)
        return result;
    if (taking->urgent)
        result = take_urgent(inbox, taking);
    else if (taking->least > 1 && is_little(self, taking))
        result = wait_on(inbox->self, INBOX_PARCELS, WAIT_READ | WAIT_ERROR | WAIT_HANGUP);
    else
        result = take_all(inbox, taking);
    inbox_leave(inbox);
    inbox_left(inbox);
    return result;
}

static const struct inbox_ops bytes_ops = {INBOX_METHODS, .take = bytes_take};
static const struct k42_format bytes_format = {"inbox.bytes", 1, 1};
static const struct k42_transfer bytes_transfers[] = BODY_TRANSFERS(bytes_format);

K42_CLASS(inbox_bytes) = {
    .name = "inbox.bytes",
    .interface = &inbox_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &bytes_ops,
    .fini = inbox_fini,
    .transfers = bytes_transfers,
};

k42_result inbox_make_bytes(inbox_ref *made) {
    return inbox_make(&inbox_bytes, made);
}
