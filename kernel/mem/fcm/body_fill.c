/*
 * A claimed page gets its contents: from the FR, now or when it answers, or zeros where nothing is
 * behind the file. What lies behind the end of the file is zero, whatever the FR has there.
 *
 * Owns nothing: the page is whose who claimed it, and from the request on the FR's answer's.
 * Locking: none; words of pages change by compare-and-swap. Fails with what the PM or the FR says;
 * the page is absent then, or who waits for it is told.
 */
#include "body.h"

/* The end has not moved within the page since the FR was asked: see fcm_body_end_settled(). */
static void zero_behind(struct body *body, uint64_t index, uint64_t physical) {
    uint64_t bytes = fcm_body_bytes_in(body, index);
    if (bytes < PAGE_BYTES)
        __builtin_memset((char *)machine_memory(physical) + bytes, 0, PAGE_BYTES - bytes);
}

k42_result fcm_body_ask(struct body *body, uint64_t index, uint64_t physical) {
    struct fr_page page = {.fcm = k42_root_ref(&body->root),
                           .index = index,
                           .physical = physical,
                           .bytes = fcm_body_bytes_in(body, index)};
    fcm_body_count(&body->its.counts.requests, page.bytes != 0);
    k42_result result = page.bytes ? k42_call(body->its.fr, fill, &page) : FR_ZERO;
    if (!result)
        zero_behind(body, index, physical);
    if (result != FR_ZERO)
        return result == -K42_STALE ? -EIO : result;
    machine_zero_page(machine_memory(physical));
    return 0;
}

k42_result fcm_body_fill(struct body *body, uint64_t index) {
    uint64_t physical;
    bool zero = !fcm_body_has_fr(body);
    k42_result result = fcm_body_find_frame(body, index, zero ? PM_ZERO : 0, &physical);
    if (result || zero)
        return result;
    result = fcm_body_ask(body, index, physical);
    if (result < 0)
        fcm_body_remove(body, index);
    return result;
}

k42_result fcm_body_filled(struct fcm *self, uint64_t index, k42_result result) {
    struct body *body = BODY(self);
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = slot ? page_load(slot) : 0;
    if (!(word & PAGE_FILLING) || !page_physical(word))
        return -EINVAL;
    if (result < 0) {
        fcm_body_fail(body, index);
        return 0;
    }
    zero_behind(body, index, page_physical(word));
    (void)fcm_body_settle(body, index, 0);
    return 0;
}
