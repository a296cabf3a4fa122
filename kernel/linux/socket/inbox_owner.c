/*
 * Inboxes: whose they are, how much they hold, what they say of themselves. See inbox_body.h.
 *
 * Credentials never change, so who asks for them has a hold of those that there were.
 */
#include "../process/lives.h"
#include "inbox_body.h"
#include "runtime.h"

k42_result inbox_limit(struct inbox *self, uint64_t bytes, uint32_t parcels) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    inbox->most_bytes = bytes;
    inbox->most_parcels = parcels;
    k42_unlock(&inbox->lock);
    (void)!wait_notify(inbox->self, INBOX_PARCELS, WAIT_WRITE, WAIT_ALL);
    return 0;
}

k42_result inbox_set_owner(struct inbox *self, const struct socket_owner *owner,
                           const struct socket_address *address) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    inbox->owner = *owner;
    inbox->address = *address;
    k42_unlock(&inbox->lock);
    return 0;
}

k42_result inbox_owner(struct inbox *self, struct socket_owner *owner,
                       struct socket_address *address) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    *owner = inbox->owner;
    *address = inbox->address;
    k42_unlock(&inbox->lock);
    return 0;
}

k42_result inbox_describe(struct k42_object *self, char *text, size_t size) {
    struct inbox_body *inbox = INBOX(self);
    return (k42_result)k42_format_text(text, size, "inbox with %u parcels, %lu bytes, %u holds%s",
                                       inbox->parcels, inbox->bytes, inbox->holds,
                                       inbox->dead   ? ", dead"
                                       : inbox->shut ? ", shut"
                                                     : "");
}

k42_result inbox_set_credentials(struct inbox *self, struct credentials *credentials) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    struct credentials *before = inbox->credentials;
    inbox->credentials = credentials;
    k42_unlock(&inbox->lock);
    credentials_release(before);
    return 0;
}

struct k42_pair inbox_credentials(struct inbox *self) {
    struct inbox_body *inbox = INBOX(self);
    k42_lock(&inbox->lock);
    struct credentials *held = inbox->credentials ? credentials_hold(inbox->credentials) : NULL;
    k42_unlock(&inbox->lock);
    return (struct k42_pair){0, (uintptr_t)held};
}
