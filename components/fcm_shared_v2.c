/*
 * The next version of the page cache: one that knows which parts of its file are wanted most.
 *
 *     ./k42 build components/fcm_shared_v2.c
 *     k42ctl upgrade fcm_shared_v2.k42          every file's pages, while they are used
 *     k42ctl show --file /usr/bin/python3       which parts were asked for how often
 *     k42ctl upgrade fcm.shared 1               and back
 *     k42ctl unload fcm_shared_v2
 *
 * State. It is larger than that of version 1: behind the body there is a counter for each of PARTS
 * stretches of the file. Between objects of version 2 a format of their own carries both; to and
 * from all others pages pass by pointer, or in the canonical format, and counting begins anew.
 *
 * Counters are added to without a lock or a locked instruction: of two that count at once one may
 * get lost, and a line that all CPUs write is not worth one.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("fcm_shared_v2");

enum {
    PARTS = 256,
    PART_PAGES_SHIFT = 4 /* of 64 KiB; those behind the last count again as first */
};

struct wanted {
    struct body body;
    uint64_t times[PARTS];
};

static struct wanted *wanted_of(struct fcm *self) {
    return k42_container(self, struct wanted, body.rep);
}

static void count(struct fcm *self, uint64_t page) {
    uint64_t *times = &wanted_of(self)->times[page >> PART_PAGES_SHIFT & (PARTS - 1)];
    __atomic_store_n(times, __atomic_load_n(times, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

static k42_result wanted_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                  struct fcm_page *page) {
    count(self, index);
    return fcm_body_get_page(self, index, flags, page);
}

static k42_result wanted_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    count(self, offset >> PAGE_SHIFT);
    return fcm_body_read(self, offset, copy);
}

static k42_result wanted_describe(struct k42_object *self, char *text, size_t size) {
    const uint64_t *times = wanted_of((struct fcm *)(void *)self)->times;
    uint64_t all = 0;
    unsigned most = 0;
    for (unsigned i = 0; i < PARTS; i++) {
        all += times[i];
        most = times[i] > times[most] ? i : most;
    }
    size_t used = (size_t)fcm_body_describe(self, text, size);
    return (k42_result)(used + k42_format_text(text + used, size - used,
                                               "; asked for %lu times, %lu of them at %u KiB", all,
                                               times[most], most << PART_PAGES_SHIFT << 2));
}

static const struct fcm_ops wanted_ops = {
    FCM_BODY_METHODS,    .object.describe = wanted_describe, .get_page = wanted_get_page,
    .read = wanted_read, .give_back = fcm_body_give_back,
};

/* ---- among themselves ---- */

static const struct k42_format wanted_format = {"fcm.wanted", 1, 1};

static k42_result export_wanted(struct k42_root *from, struct k42_state *state, unsigned part) {
    state->word[1] = (uintptr_t)k42_container(from, struct wanted, body.root)->times;
    return fcm_body_export_contents(from, state, part);
}

static k42_result import_wanted(struct k42_root *to, struct k42_state *state, unsigned part) {
    memcpy(k42_container(to, struct wanted, body.root)->times, (const void *)state->word[1],
           sizeof((struct wanted *)0)->times);
    return fcm_body_import_contents(to, state, part);
}

static const struct k42_transfer wanted_transfers[] = {
    {.format = &wanted_format,
     .export_state = export_wanted,
     .import_state = import_wanted,
     .handed_over = fcm_body_contents_given},
    FCM_BODY_TRANSFERS(fcm_body_export_contents, fcm_body_export_pages),
    {.format = NULL},
};

K42_CLASS(fcm_shared_2) = {
    .name = "fcm.shared",
    .interface = &fcm_interface,
    .version = 2,
    .traits = "behind=file sharing=low",
    .kind = &k42_single,
    .root_size = sizeof(struct wanted),
    .rep_offset = offsetof(struct wanted, body.rep),
    .ops = &wanted_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = wanted_transfers,
};
