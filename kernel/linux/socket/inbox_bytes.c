/*
 * Inboxes of bytes, for streams: parcels run into each other, but none is taken beyond one that has
 * files, nor, where that is told, together with another sender's. Format: inbox.bytes, by pointer.
 */
#include "inbox_body.h"

/* How many bytes were copied of what is left of this one. */
static k42_result copy_some(struct inbox_body *inbox, struct parcel *parcel,
                            struct inbox_taking *taking) {
    size_t left = parcel->length - parcel->taken;
    if (left > taking->copy->left)
        left = taking->copy->left;
    if (!left)
        return 0;
    struct copy before = *taking->copy;
    k42_result result = copy_out(taking->copy, parcel->bytes + parcel->taken, left);
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

/* Without taking any out. */
static k42_result peek(struct inbox_body *inbox, struct parcel *parcel,
                       struct inbox_taking *taking) {
    k42_result done = 0, result = 0;
    while (parcel && taking->copy->left && !taking->files && !is_anothers(taking, parcel)) {
        result = copy_some(inbox, parcel, taking);
        if (result < 0)
            break;
        done += result;
        parcel = inbox_next(inbox, parcel);
    }
    return done ? done : result;
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
        if (is_anothers(taking, parcel))
            return done;
        result = copy_some(inbox, parcel, taking);
        if (result < 0)
            break;
        done += result;
        inbox_taken(inbox, (uint64_t)result, parcel->taken + (size_t)result == parcel->length);
    } while (taking->copy->left && !taking->files);
    return done ? done : result;
}

static k42_result bytes_take(struct inbox *self, struct inbox_taking *taking) {
    struct inbox_body *inbox = INBOX(self);
    k42_result result = inbox_begin(inbox);
    if (result < 0)
        return result;
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
