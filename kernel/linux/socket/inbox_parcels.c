/*
 * Inboxes of parcels, for datagrams and packets: each is taken by itself, and what does not fit is
 * lost. Format: inbox.parcels, by pointer.
 */
#include "inbox_body.h"

static k42_result take_one(struct inbox_body *inbox, struct inbox_taking *taking) {
    k42_result why = 0, done = 0;
    struct parcel *parcel = inbox_first(inbox, &why);
    uint64_t skip = taking->skip;
    for (; parcel && skip && skip >= parcel->length; parcel = inbox_next(inbox, parcel))
        skip -= parcel->length;
    if (!parcel)
        return taking->skip && !why ? inbox_nothing(inbox) : why;
    size_t wanted = parcel->length - skip;
    wanted = wanted < taking->copy->left ? wanted : taking->copy->left;
    struct copy at = *taking->copy;
    while (done < (k42_result)wanted) {
        k42_result result = copy_out(&at, parcel->bytes + skip + done, wanted - (size_t)done);
        if (result < 0)
            return result;
        done += result;
    }
    k42_result told = inbox_tell(inbox, parcel, taking);
    if (told < 0)
        return told;
    taking->length -= skip;
    *taking->copy = at;
    if (!taking->peeks)
        inbox_taken(inbox, parcel->length, true);
    return done;
}

static k42_result parcels_take(struct inbox *self, struct inbox_taking *taking) {
    struct inbox_body *inbox = INBOX(self);
    k42_result result = inbox_begin(inbox);
    if (result < 0)
        return result;
    result = take_one(inbox, taking);
    inbox_leave(inbox);
    if (taking->peeks || result < 0)
        inbox_left(inbox);
    return result;
}

static const struct inbox_ops parcels_ops = {INBOX_METHODS, .take = parcels_take};
static const struct k42_format parcels_format = {"inbox.parcels", 1, 1};
static const struct k42_transfer parcels_transfers[] = BODY_TRANSFERS(parcels_format);

K42_CLASS(inbox_parcels) = {
    .name = "inbox.parcels",
    .interface = &inbox_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &parcels_ops,
    .fini = inbox_fini,
    .transfers = parcels_transfers,
};

k42_result inbox_make_parcels(inbox_ref *made) {
    return inbox_make(&inbox_parcels, made);
}
