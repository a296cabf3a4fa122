/*
 * The class of segments of shared memory. See segment.h.
 *
 * `attached` counts the mappings. Its highest bit says that the segment is to end with the last of
 * them. Whoever makes the word that bit alone ends the segment: one who removes it while nothing is
 * attached, or the one who detaches last; and nobody attaches any more from that moment on, for to
 * hold it is to change the word from something else. So there is one who ends it, and no lock.
 *
 * The file has one holder besides, its number, for which nothing is counted here.
 *
 * Data: times and who was last, each by itself, as whoever asks sees them on Linux too. Format:
 * file.segment, by pointer. Fails: -EINVAL, -ENOSPC, -ENOMEM when it is made; -K42_STALE.
 */
#include "segment.h"

#include "../../fs/open_file.h"
#include "../../fs/ramfs/ramfs.h"
#include "../../fs/values.h"
#include "../../mem/fcm/fcm.h"
#include "../task.h"
#include "runtime.h"

#include <errno.h>

#define DOOMED (1u << 31)
#define PAGE   4096u

struct segment {
    struct opened opened;
    struct ipc_entry *entry;
    fcm_ref fcm; /* the node's */
    uint64_t pages;
    uint32_t attached; /* and DOOMED */
    int32_t key;       /* with which it was made */
    int32_t creator, last;
    int64_t attached_at, detached_at;
};

#define SEGMENT(self) k42_container(OPENED(self), struct segment, opened)

struct segment_limits segment_limits = {~0ul - (1ul << 24), ~0ul - (1ul << 24)};
uint64_t segment_pages;

static void end(struct file *self, struct segment *segment) {
    (void)ipc_remove(&ipc_segments, segment->entry);
    (void)!opened_release(self);
}

/* A fork that is given up is taken back by a thread of the runtime's, which is nobody's. */
static void note(struct segment *segment, int64_t *when) {
    const struct task *task = task_self();
    __atomic_store_n(when, ipc_now(), __ATOMIC_RELAXED);
    if (task)
        __atomic_store_n(&segment->last, task->pid, __ATOMIC_RELAXED);
}

static k42_result segment_hold(struct file *self) {
    struct segment *segment = SEGMENT(self);
    uint32_t attached = __atomic_load_n(&segment->attached, __ATOMIC_RELAXED);
    do
        if (attached == DOOMED)
            return -K42_STALE;
    while (!__atomic_compare_exchange_n(&segment->attached, &attached, attached + 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
    note(segment, &segment->attached_at);
    return 0;
}

static k42_result segment_release(struct file *self) {
    struct segment *segment = SEGMENT(self);
    note(segment, &segment->detached_at);
    if (__atomic_sub_fetch(&segment->attached, 1, __ATOMIC_ACQ_REL) == DOOMED)
        end(self, segment);
    return 0;
}

static k42_result doom(struct file *self, struct segment *segment) {
    if (!__atomic_fetch_or(&segment->attached, DOOMED, __ATOMIC_ACQ_REL))
        end(self, segment);
    return 0;
}

static k42_result look(const struct segment *segment, struct segment_told *told) {
    struct fcm_usage usage;
    k42_result result = k42_call(segment->fcm, usage, &usage);
    if (result < 0)
        return result;
    *told = (struct segment_told){
        .attached = __atomic_load_n(&segment->attached, __ATOMIC_RELAXED) & ~DOOMED,
        .present = usage.present,
        .key = segment->key,
        .creator = segment->creator,
        .last = __atomic_load_n(&segment->last, __ATOMIC_RELAXED),
        .attached_at = __atomic_load_n(&segment->attached_at, __ATOMIC_RELAXED),
        .detached_at = __atomic_load_n(&segment->detached_at, __ATOMIC_RELAXED)};
    return 0;
}

static k42_result segment_control(struct file *self, unsigned request, uintptr_t argument) {
    struct segment *segment = SEGMENT(self);
    switch (request) {
    case FILE_KIND:
        return FILE_OF_SEGMENT;
    case FILE_LOOK:
        return look(segment, (struct segment_told *)argument);
    case FILE_SET:
        return doom(self, segment);
    default:
        return -ENOTTY;
    }
}

static k42_result segment_map(struct file *self, struct file_map *map) {
    *map = (struct file_map){.fcm = (k42_ref)SEGMENT(self)->fcm,
                             .most = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE};
    return 0;
}

static k42_result segment_describe(struct k42_object *self, char *text, size_t size) {
    struct segment *segment = SEGMENT(self);
    return (k42_result)k42_format_text(text, size, "shared memory of %lu pages, attached %u times",
                                       segment->pages, segment->attached & ~DOOMED);
}

static const struct file_ops segment_ops = {
    .object.describe = segment_describe,
    .hold = segment_hold,
    .release = segment_release,
    .read = file_no_read,
    .write = file_no_write,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = file_ready,
    .control = segment_control,
    .node = opened_node,
    .set_place = opened_set_place,
    .place = opened_place,
    .flags = opened_flags,
    .set_flags = opened_set_flags,
    .map = segment_map,
    .sync = file_synced,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
    .settle = file_settled,
};

static const struct k42_format segment_format = {"file.segment", 1, 1};
static const struct k42_transfer segment_transfers[] = BODY_TRANSFERS(segment_format);

K42_CLASS(file_segment) = {
    .name = "file.segment",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &segment_ops,
    .fini = opened_fini,
    .transfers = segment_transfers,
};

/* ---- making one ---- */

static k42_result make_memory(const struct ipc_entry *entry, k42_ref *node, fcm_ref *fcm) {
    struct node_new what = {
        .mode = MODE_REGULAR | entry->mode, .uid = entry->uid, .gid = entry->gid};
    k42_result result = ramfs_make_unnamed(&what, node);
    if (result < 0)
        return result;
    struct k42_pair cache = k42_call((node_ref)*node, cache);
    *fcm = (fcm_ref)cache.word;
    result = cache.result < 0 ? cache.result : k42_call(*fcm, resize, entry->size);
    if (result < 0)
        (void)!k42_call((node_ref)*node, release);
    return result == -EFBIG ? -ENOMEM : result;
}

static uint64_t pages_of(uint64_t bytes) {
    return bytes / PAGE + (bytes % PAGE != 0);
}

static void ended(struct opened *opened) {
    const struct segment *segment = k42_container(opened, struct segment, opened);
    __atomic_sub_fetch(&segment_pages, segment->pages, __ATOMIC_RELAXED);
}

/* One too many counts until it is taken back, as on Linux. */
static k42_result charge(uint64_t pages) {
    uint64_t most = __atomic_load_n(&segment_limits.pages, __ATOMIC_RELAXED);
    uint64_t all = __atomic_add_fetch(&segment_pages, pages, __ATOMIC_RELAXED);
    if (all >= pages && all <= most)
        return 0;
    __atomic_sub_fetch(&segment_pages, pages, __ATOMIC_RELAXED);
    return -ENOSPC;
}

struct plan {
    struct ipc_entry *entry;
    fcm_ref fcm;
};

static k42_result set_up(struct opened *opened, void *context) {
    struct segment *segment = k42_container(opened, struct segment, opened);
    const struct plan *plan = context;
    segment->entry = plan->entry;
    segment->fcm = plan->fcm;
    segment->pages = pages_of(plan->entry->size);
    segment->key = plan->entry->key;
    segment->creator = task_self()->pid;
    opened->ended = ended;
    return 0;
}

k42_result segment_make(struct ipc_entry *entry, const struct ipc_request *request) {
    struct plan plan = {.entry = entry};
    k42_ref node;
    (void)request;
    if (!entry->size || entry->size > __atomic_load_n(&segment_limits.bytes, __ATOMIC_RELAXED))
        return -EINVAL;
    if (entry->size > INT64_MAX)
        return -EINVAL;
    k42_result result = charge(pages_of(entry->size));
    if (result < 0)
        return result;
    result = make_memory(entry, &node, &plan.fcm);
    if (result >= 0) {
        struct k42_pair file = opened_make(&file_segment, sizeof(struct segment), node,
                                           OPEN_READ_WRITE, set_up, &plan);
        (void)!k42_call((node_ref)node, release);
        entry->object = (k42_ref)file.word;
        result = file.result;
    }
    if (result < 0)
        __atomic_sub_fetch(&segment_pages, pages_of(entry->size), __ATOMIC_RELAXED);
    return result;
}

void segment_unmake(struct ipc_entry *entry) {
    segment_doom(entry);
}

void segment_doom(const struct ipc_entry *entry) {
    (void)!k42_call((file_ref)entry->object, control, FILE_SET, 0);
}

k42_result segment_tell(const struct ipc_entry *entry, struct segment_told *told) {
    return k42_call((file_ref)entry->object, control, FILE_LOOK, (uintptr_t)told);
}

bool segment_is_mapped(const struct space_mapping *mapping) {
    return mapping->file != K42_NULL_REF &&
           k42_call((file_ref)mapping->file, control, FILE_KIND, 0) == FILE_OF_SEGMENT;
}
