/*
 * FCM, device: a device's memory, to be mapped. There are no pages to keep, only addresses.
 *
 * Nothing leaves, so holds are not counted; attachments are kept, since whoever takes a device away
 * must know where it is mapped.
 *
 * Locking: device->lock, leaf, for the attachments. Formats: the canonical one.
 * Fails: reading and writing by call is -EIO: a device's registers are not bytes to be copied.
 */
#include "state.h"
#include "unmanaged.h"
#include "unsealed.h"

#include "../../sched/wait.h"
#include "../heap/heap.h"
#include "runtime.h"

#include <errno.h>
#include <k42/lock.h>

struct device {
    struct k42_root root;
    struct fcm rep;
    struct k42_lock lock;
    struct fcm_registers registers;
    struct attachments attachments;
    struct fcm_state *incoming;
};

#define DEVICE(self) k42_container(self, struct device, rep)

static k42_result device_init(struct k42_root *root, const void *args) {
    struct device *device = k42_container(root, struct device, root);
    const struct fcm_registers *registers = args;
    device->attachments.random = 1;
    if (!registers)
        return 0;
    if (registers->physical & (PAGE_BYTES - 1) || registers->pages > PAGE_NUMBERS)
        return -EINVAL;
    device->registers = *registers;
    return 0;
}

static void release(struct device *device) {
    for (struct attachment *one; (one = attachments_take_any(&device->attachments));)
        heap_free(one);
}

/* What was prepared for an import; what was measured too much is not kept until the end. */
static void incoming_free(struct device *device) {
    if (device->incoming)
        fcm_state_free(device->incoming);
    heap_free(device->incoming);
    device->incoming = NULL;
}

static void device_fini(struct k42_root *root) {
    struct device *device = k42_container(root, struct device, root);
    incoming_free(device);
    release(device);
}

/* ---- pages ---- */

static k42_result get_page(struct fcm *self, uint64_t index, unsigned flags,
                           struct fcm_page *page) {
    const struct fcm_registers *registers = &DEVICE(self)->registers;
    (void)flags;
    if (index >= registers->pages)
        return -ENXIO;
    *page = (struct fcm_page){
        .physical = registers->physical + index * PAGE_BYTES, .writable = 1, .index = index};
    return 0;
}

static k42_result put_page(struct fcm *self, uint64_t index) {
    return index < DEVICE(self)->registers.pages ? 0 : -EINVAL;
}

static k42_result get_present(struct fcm *self, uint64_t first, unsigned bytes,
                              uint64_t *physical) {
    const struct fcm_registers *registers = &DEVICE(self)->registers;
    k42_result mask = 0;
    unsigned count = bytes / sizeof *physical;
    for (unsigned i = 0; i < count && i < 32 && first + i < registers->pages; i++) {
        physical[i] = registers->physical + (first + i) * PAGE_BYTES;
        mask |= 1l << i;
    }
    return mask;
}

static k42_result mapped(struct fcm *self, uint64_t first, uint32_t mask) {
    (void)mask;
    return put_page(self, first);
}

static k42_result attach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct device *device = DEVICE(self);
    if (!attachment->pages)
        return -EINVAL;
    struct attachment *kept = heap_allocate(sizeof *kept);
    if (!kept)
        return -ENOMEM;
    *kept = (struct attachment){.what = *attachment};
    k42_lock(&device->lock);
    attachments_add(&device->attachments, kept);
    k42_unlock(&device->lock);
    return 0;
}

static k42_result detach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct device *device = DEVICE(self);
    k42_lock(&device->lock);
    struct attachment *kept = attachments_take(&device->attachments, attachment);
    uint64_t left = device->attachments.count;
    k42_unlock(&device->lock);
    heap_free(kept);
    return kept ? (k42_result)left : -EINVAL;
}

/* ---- what a device's memory is not ---- */

static k42_result read(struct fcm *self, uint64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EIO;
}

static k42_result write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at) {
    (void)self, (void)offset, (void)copy, (void)at;
    return -EIO;
}

static k42_result size(struct fcm *self) {
    return (k42_result)(DEVICE(self)->registers.pages * PAGE_BYTES);
}

static k42_result resize(struct fcm *self, uint64_t bytes) {
    (void)self, (void)bytes;
    return -EFBIG;
}

static k42_result renew(struct fcm *self, uint64_t bytes) {
    (void)self, (void)bytes;
    return -ENOTSUP;
}

static k42_result punch(struct fcm *self, uint64_t offset, uint64_t length) {
    (void)self, (void)offset, (void)length;
    return -ENOTSUP;
}

static k42_result seek(struct fcm *self, uint64_t offset, enum fcm_seek what) {
    uint64_t bytes = DEVICE(self)->registers.pages * PAGE_BYTES;
    if (offset >= bytes)
        return -ENXIO;
    return (k42_result)(what == FCM_SEEK_DATA ? offset : bytes);
}

static k42_result sync(struct fcm *self, uint64_t first, uint64_t pages, unsigned durable) {
    (void)self, (void)first, (void)pages, (void)durable;
    return 0;
}

static k42_result give_back(struct fcm *self, uint64_t wanted) {
    (void)self, (void)wanted;
    return 0;
}

static k42_result of_no_fr(struct fcm *self, uint64_t index, k42_result result) {
    (void)self, (void)index, (void)result;
    return -EINVAL;
}

static k42_result usage(struct fcm *self, struct fcm_usage *usage) {
    *usage = (struct fcm_usage){.attachments = DEVICE(self)->attachments.count};
    return 0;
}

static k42_result counts(struct fcm *self, struct fcm_counts *counts) {
    (void)self;
    *counts = (struct fcm_counts){.misses = 0};
    return 0;
}

static k42_result advise(struct fcm *self, uint64_t first, uint64_t pages, enum fcm_advice advice) {
    (void)self, (void)first, (void)pages;
    return advice == FCM_NEEDED ? -ENOTSUP : 0;
}

static k42_result describe(struct k42_object *self, char *text, size_t bytes) {
    const struct device *device = DEVICE((struct fcm *)(void *)self);
    return (k42_result)k42_format_text(text, bytes, "%lu pages at 0x%lx, %lu attachments",
                                       device->registers.pages, device->registers.physical,
                                       device->attachments.count);
}

/* ---- state ---- */

static struct device *device_of(struct k42_root *root) {
    return k42_container(root, struct device, root);
}

static size_t measure(struct k42_root *from) {
    return fcm_state_measure(
        0, __atomic_load_n(&device_of(from)->attachments.count, __ATOMIC_RELAXED));
}

static k42_result prepare(struct k42_root *to, struct k42_state *state) {
    struct device *device = device_of(to);
    if (!device->incoming)
        device->incoming = heap_allocate_zeroed(sizeof *device->incoming);
    if (!device->incoming)
        return -ENOMEM;
    return fcm_state_prepare(state, device->incoming);
}

static k42_result export_device(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    struct fcm_state *to = fcm_state_of(state);
    to->kind = FCM_OF_DEVICE;
    to->registers = device_of(from)->registers;
    return fcm_state_put_attachments(to, &device_of(from)->attachments);
}

static k42_result import_device(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    struct fcm_state *from = fcm_state_of(state);
    struct device *device = device_of(to);
    if (from->kind != FCM_OF_DEVICE)
        return -EINVAL;
    device->registers = from->registers;
    while (from->attached) {
        struct attachment *one = from->attached;
        from->attached = one->left;
        attachments_add(&device->attachments, one);
    }
    incoming_free(device);
    return 0;
}

/* As fcm.pages, but nothing that has pages of memory could take it over. */
static const struct k42_format device_format = {.name = "fcm.device", .version = 1, .cost = 1};
static const struct k42_transfer device_transfers[] = {
    {.format = &device_format,
     .measure = measure,
     .prepare = prepare,
     .export_state = export_device,
     .import_state = import_device},
    {.format = NULL},
};

static const struct fcm_ops device_ops = {
    .object.describe = describe,
    .get_page = get_page,
    .put_page = put_page,
    .get_present = get_present,
    .mapped = mapped,
    .attach = attach,
    .detach = detach,
    .read = read,
    .write = write,
    .size = size,
    .resize = resize,
    .punch = punch,
    .seek = seek,
    .sync = sync,
    .give_back = give_back,
    .filled = of_no_fr,
    .written = of_no_fr,
    .usage = usage,
    .renew = renew,
    FCM_UNMANAGED_METHODS,
    .counts = counts,
    .advise = advise,
    .seal = fcm_no_seal,
};

K42_CLASS(fcm_device) = {
    .name = "fcm.device",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=device",
    .kind = &k42_single,
    .root_size = sizeof(struct device),
    .rep_offset = offsetof(struct device, rep),
    .ops = &device_ops,
    .init = device_init,
    .fini = device_fini,
    .transfers = device_transfers,
};
