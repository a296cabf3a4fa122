/*
 * The FCM of a file as a whole: made, ended, attached, counted.
 *
 * Owns: the frames of its pages, which come from the PM and go back there. A page in transit when
 * the FCM ends (its end was not prepared, see file_pages.h) keeps its frame for ever: the FR may
 * still write to it.
 */
#include "body.h"

#include "../../../core/runtime.h"

/* ---- making and ending ---- */

k42_result fcm_body_init(struct k42_root *root, const void *args) {
    struct body *body = k42_container(root, struct body, root);
    const struct fcm_file *file = args;
    if (!file)
        return 0; /* about to import */
    if (file->size > BODY_SIZE_MAX)
        return -EFBIG;
    body->its.pm = file->pm;
    body->its.fr = file->fr;
    body->its.size = file->size;
    body->its.attachments.random = 1;
    body->owns = true;
    return 0;
}

/* Whoever was charged for a frame is noted in its record, since the PM may be exchanged. One that
 * page tables have as well is theirs from now on. */
static void give_frame(uint64_t physical) {
    struct frame *frame = frame_at(physical);
    if (!frame_leave_cache(frame))
        return;
    if (k42_call((pm_ref)k42_id_ref((k42_id)frame->user[0]), give, physical, 0, 0) == -K42_STALE)
        frame_free(frame, 0);
}

void fcm_body_give_frame(struct body *body, uint64_t physical) {
    (void)body;
    give_frame(physical);
}

static void tell_left(const struct body_contents *its, uint64_t index) {
    k42_result told = its->enlisted ? k42_call(its->pm, left, k42_id_ref(its->enlisted), index) : 0;
    (void)told; /* the PM may have gone before */
}

static void free_frames(struct body_contents *its) {
    for (uint64_t *slot, at = 0; (slot = page_tree_next(&its->tree, &at)); at++) {
        uint64_t word = page_load(slot);
        if (word & (PAGE_FILLING | PAGE_WRITING)) {
            k42_log("fcm: ended while page %lu was in transit; its frame is lost", at);
            continue;
        }
        if (page_physical(word)) {
            tell_left(its, at);
            give_frame(page_physical(word));
        }
    }
}

void fcm_body_release(struct body_contents *its) {
    for (struct attachment *one; (one = attachments_take_any(&its->attachments));)
        heap_free(one);
    page_tree_discard(&its->tree);
}

void fcm_body_fini(struct k42_root *root) {
    struct body *body = k42_container(root, struct body, root);
    fcm_body_incoming_free(body->incoming);
    if (!body->owns)
        return;
    k42_enter();
    free_frames(&body->its);
    if (body->its.enlisted) {
        k42_result result = k42_call(body->its.pm, delist, k42_id_ref(body->its.enlisted));
        (void)result; /* the PM may have gone before */
    }
    k42_exit();
    fcm_body_release(&body->its);
}

/* ---- who may change the size ---- */

k42_result fcm_body_exclude(struct body *body) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&body->exclusive, &free, 1, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_RELAXED))
        return 0;
    return fcm_body_wait(body, FCM_KEY_EXCLUSIVE);
}

void fcm_body_admit(struct body *body) {
    __atomic_exchange_n(&body->exclusive, 0, __ATOMIC_SEQ_CST);
    wait_notify(fcm_body_id(body), FCM_KEY_EXCLUSIVE, (uint32_t)WAIT_ANY, 1);
}

/* ---- attachments ---- */

k42_result fcm_body_attach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct body *body = BODY(self);
    if (!attachment->pages || attachment->first + attachment->pages < attachment->first)
        return -EINVAL;
    struct attachment *kept = heap_allocate(sizeof *kept);
    if (!kept)
        return -ENOMEM;
    *kept = (struct attachment){.what = *attachment};
    k42_lock(&body->lock);
    attachments_add(&body->its.attachments, kept);
    k42_unlock(&body->lock);
    return 0;
}

k42_result fcm_body_detach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct body *body = BODY(self);
    k42_lock(&body->lock);
    struct attachment *kept = attachments_take(&body->its.attachments, attachment);
    uint64_t left = body->its.attachments.count;
    k42_unlock(&body->lock);
    heap_free(kept);
    return kept ? (k42_result)left : -EINVAL;
}

/* ---- looking ---- */

k42_result fcm_body_size(struct fcm *self) {
    return (k42_result)fcm_body_bytes(BODY(self));
}

/* What has an FR is data up to its end, since only the FR knows its holes. */
k42_result fcm_body_seek(struct fcm *self, uint64_t offset, enum fcm_seek what) {
    struct body *body = BODY(self);
    uint64_t size = fcm_body_bytes(body), index = offset >> PAGE_SHIFT;
    if (offset >= size)
        return -ENXIO;
    if (fcm_body_has_fr(body))
        return (k42_result)(what == FCM_SEEK_DATA ? offset : size);
    if (what == FCM_SEEK_HOLE)
        for (uint64_t next = index; page_tree_next(&body->its.tree, &next) && next == index;
             next = index)
            index++;
    else if (!page_tree_next(&body->its.tree, &index))
        return -ENXIO;
    uint64_t found = index << PAGE_SHIFT > offset ? index << PAGE_SHIFT : offset;
    if (found >= size)
        return what == FCM_SEEK_HOLE ? (k42_result)size : -ENXIO;
    return (k42_result)found;
}

static void count(struct fcm_usage *usage, uint64_t word) {
    usage->present += (word & PAGE_PRESENT) != 0;
    usage->dirty += (word & PAGE_DIRTY) != 0;
    usage->held += page_holds(word) != 0;
    usage->in_transit += (word & (PAGE_FILLING | PAGE_WRITING | PAGE_LEAVING)) != 0;
    usage->stuck += (word & PAGE_STUCK) != 0;
}

k42_result fcm_body_usage(struct fcm *self, struct fcm_usage *usage) {
    struct body *body = BODY(self);
    k42_lock(&body->lock);
    *usage =
        (struct fcm_usage){.attachments = body->its.attachments.count,
                           .frames = body->its.tree.pages +
                                     body->its.tree.nodes * sizeof(struct page_node) / PAGE_BYTES};
    k42_unlock(&body->lock);
    for (uint64_t *slot, at = 0; (slot = page_tree_next(&body->its.tree, &at)); at++)
        count(usage, page_load(slot));
    return 0;
}

k42_result fcm_body_counts(struct fcm *self, struct fcm_counts *counts) {
    const uint64_t *from = (const uint64_t *)&BODY(self)->its.counts;
    uint64_t *to = (uint64_t *)counts;
    for (size_t i = 0; i < sizeof *counts / sizeof *to; i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    return 0;
}

k42_result fcm_body_describe(struct k42_object *self, char *text, size_t size) {
    struct body *body = BODY((struct fcm *)(void *)self);
    return (k42_result)k42_format_text(
        text, size, "%lu bytes, %lu pages in memory, %lu attachments, CPUs met %lu times",
        fcm_body_bytes(body), __atomic_load_n(&body->its.tree.pages, __ATOMIC_RELAXED),
        body->its.attachments.count,
        __atomic_load_n(&body->its.counts.contended, __ATOMIC_RELAXED));
}
