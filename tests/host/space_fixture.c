/*
 * The machine, PM and file of space_fixture.h. Both classes are as plain as they can be.
 */
#include "space_fixture.h"

#include <k42/class.h>
#include <k42/lock.h>

#include <sched.h>

#include "../../core/platform.h"

#include "../../kernel/copy.h"
#include "../../kernel/mem/frame/frame.h"
#include "../../kernel/mem/hat/hat.h"
#include "../../kernel/mem/heap/heap.h"
#include "../../kernel/sched/wait.h"

#define MIB   (1024ul * 1024)
#define BYTES (256 * MIB)

/* The test machine's console takes what the runtime says. */
void k42_platform_set_log(void (*log)(const char *line)) {
    (void)log;
}

/* ---- waiting: nobody sleeps here, calls are made again ---- */

struct wait_bucket *wait_buckets;
unsigned wait_shift = 63;

k42_result wait_on(k42_id self, uintptr_t key, uint32_t events) {
    (void)self, (void)key, (void)events;
    return -K42_WAIT;
}

uint32_t wait_notify_slow(k42_id id, uintptr_t key, uint32_t events, uint32_t count) {
    (void)id, (void)key, (void)events, (void)count;
    return 0;
}

k42_result copy_out(struct copy *copy, const void *from, size_t length) {
    (void)copy, (void)from, (void)length;
    return -EFAULT;
}

k42_result copy_in(struct copy *copy, void *to, size_t length) {
    (void)copy, (void)to, (void)length;
    return -EFAULT;
}

/* ---- the PM ---- */

struct pm_test {
    struct k42_root root;
    struct pm rep;
};

static uint64_t frames_out, frames_left = ~0ul;
k42_ref fixture_pm;
pm_ref pm_machine;

static struct k42_pair test_take(struct pm *self, unsigned order, unsigned flags) {
    struct frame *frame;
    (void)self;
    uint64_t left = __atomic_load_n(&frames_left, __ATOMIC_RELAXED);
    if (left != ~0ul && left < 1ul << order)
        return (struct k42_pair){-ENOMEM, 0};
    if (frame_allocate(order, NULL, &frame) < 0)
        return (struct k42_pair){-ENOMEM, 0};
    if (left != ~0ul)
        __atomic_sub_fetch(&frames_left, 1ul << order, __ATOMIC_RELAXED);
    __atomic_add_fetch(&frames_out, 1ul << order, __ATOMIC_RELAXED);
    memset(frame_memory(frame), flags & PM_ZERO ? 0 : 0xa5, PAGE << order);
    return (struct k42_pair){0, frame_physical(frame)};
}

static bool is_zero(uint64_t physical) {
    const uint64_t *word = machine_memory(physical);
    for (size_t at = 0; at < PAGE / sizeof(*word); at++)
        if (word[at])
            return false;
    return true;
}

static k42_result test_give(struct pm *self, uint64_t physical, unsigned order, unsigned flags) {
    (void)self;
    if (flags & PM_ZERO && !is_zero(physical))
        k42_platform_panic("a frame is given back as zero that is not");
    memset(machine_memory(physical), 0x5a, PAGE << order);
    frame_free(frame_at(physical), order);
    __atomic_sub_fetch(&frames_out, 1ul << order, __ATOMIC_RELAXED);
    return 0;
}

static const struct pm_ops test_pm_ops = {.take = test_take, .give = test_give};

K42_CLASS(pm_test) = {
    .name = "pm.test",
    .interface = &pm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct pm_test),
    .rep_offset = offsetof(struct pm_test, rep),
    .ops = &test_pm_ops,
};

uint64_t fixture_frames(void) {
    return __atomic_load_n(&frames_out, __ATOMIC_RELAXED);
}

void fixture_limit_frames(uint64_t frames) {
    __atomic_store_n(&frames_left, frames, __ATOMIC_RELAXED);
}

/* ---- the file ---- */

#define BLOCK_PAGES 512u

struct file_page {
    uint64_t physical;
    uint32_t held;
    bool leaving;
};

struct attached {
    struct fcm_attachment attachment;
    struct attached *next;
};

struct fcm_test {
    struct k42_root root;
    struct fcm rep;
    struct k42_lock lock;
    bool zeros; /* shared memory: begins as zeros and is not evicted */
    uint64_t blocks[FILE_PAGES / BLOCK_PAGES]; /* where it is in blocks; 0: nowhere */
    struct file_page pages[FILE_PAGES];
    struct attached *first, **last;
    uint32_t walkers; /* over the list */
    uint64_t attachments;
};

static struct fcm_test *test_of(struct fcm *self) {
    return k42_container(self, struct fcm_test, rep);
}

static uint64_t page_make(struct fcm_test *file, uint64_t index) {
    struct k42_pair taken = k42_call((pm_ref)fixture_pm, take, 0, 0);
    uint64_t *words = machine_memory(taken.word);
    if (taken.result < 0)
        abort();
    for (unsigned n = 0; n < PAGE / 8; n++)
        words[n] = file->zeros ? 0 : file_word(index);
    return taken.word;
}

static struct file_page *first_of_block(struct fcm_test *file, uint64_t index) {
    return &file->pages[index - index % BLOCK_PAGES];
}

/* Under the lock: a page of a file in blocks, in its place. */
static void bring_page(struct fcm_test *file, uint64_t index) {
    struct file_page *page = &file->pages[index];
    if (page->physical)
        return;
    page->physical = file->blocks[index / BLOCK_PAGES] + index % BLOCK_PAGES * PAGE;
    for (unsigned n = 0; n < PAGE / 8; n++)
        ((uint64_t *)machine_memory(page->physical))[n] = file_word(index);
}

static bool bring_block(struct fcm_test *file, uint64_t first) {
    for (uint64_t index = first; index < first + BLOCK_PAGES; index++)
        if (file->pages[index].leaving)
            return false;
    for (uint64_t index = first; index < first + BLOCK_PAGES; index++)
        bring_page(file, index);
    return true;
}

static k42_result get_in_block(struct fcm_test *file, uint64_t index, unsigned flags,
                               struct fcm_page *page) {
    uint64_t first = index - index % BLOCK_PAGES;
    k42_lock(&file->lock);
    bool large = flags & FCM_LARGE && bring_block(file, first);
    uint64_t given = large ? first : index;
    k42_result result = file->pages[given].leaving ? -K42_WAIT : 0;
    if (result == 0) {
        bring_page(file, given);
        file->pages[given].held++;
        *page = (struct fcm_page){file->pages[given].physical, large ? 9 : 0, !large, given};
    }
    k42_unlock(&file->lock);
    return result;
}

static k42_result test_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                struct fcm_page *page) {
    struct fcm_test *file = test_of(self);
    if (index >= FILE_PAGES)
        return -ENXIO;
    if (file->blocks[0])
        return get_in_block(file, index, flags, page);
    struct file_page *found = &file->pages[index];
    uint64_t spare = page_make(file, index);
    k42_lock(&file->lock);
    k42_result result = found->leaving ? -K42_WAIT : 0;
    if (result == 0) {
        if (!found->physical) {
            found->physical = spare;
            spare = 0;
        }
        found->held++;
        *page = (struct fcm_page){found->physical, 0, 1, index};
    }
    k42_unlock(&file->lock);
    if (spare)
        result = k42_call((pm_ref)fixture_pm, give, spare, 0, 0) < 0 ? -EIO : result;
    return result;
}

static k42_result test_put_page(struct fcm *self, uint64_t index) {
    struct fcm_test *file = test_of(self);
    k42_lock(&file->lock);
    file->pages[index].held--;
    k42_unlock(&file->lock);
    return 0;
}

static k42_result test_get_present(struct fcm *self, uint64_t first, unsigned bytes,
                                   uint64_t *physical) {
    unsigned count = bytes / sizeof *physical;
    struct fcm_test *file = test_of(self);
    k42_result mask = 0;
    k42_lock(&file->lock);
    for (unsigned n = 0; n < count && first + n < FILE_PAGES; n++) {
        struct file_page *page = &file->pages[first + n];
        if (!page->physical || page->leaving)
            continue;
        page->held++;
        physical[n] = page->physical;
        mask |= 1l << n;
    }
    k42_unlock(&file->lock);
    return mask;
}

static k42_result test_mapped(struct fcm *self, uint64_t first, uint32_t mask) {
    struct fcm_test *file = test_of(self);
    k42_lock(&file->lock);
    for (; mask; mask &= mask - 1)
        file->pages[first + (unsigned)__builtin_ctz(mask)].held--;
    k42_unlock(&file->lock);
    return 0;
}

static k42_result test_attach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct fcm_test *file = test_of(self);
    struct attached *attached = calloc(1, sizeof(*attached));
    attached->attachment = *attachment;
    k42_lock(&file->lock);
    if (!file->last)
        file->last = &file->first;
    *file->last = attached;
    file->last = &attached->next;
    file->attachments++;
    k42_unlock(&file->lock);
    return 0;
}

/* Frees those that were detached, unless somebody is walking over the list. */
static void sweep(struct fcm_test *file) {
    struct attached **link = &file->first;
    while (file->walkers == 0 && *link) {
        struct attached *at = *link;
        if (at->attachment.pages) {
            link = &at->next;
            continue;
        }
        *link = at->next;
        free(at);
    }
    if (file->walkers == 0)
        file->last = link;
}

static k42_result test_detach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct fcm_test *file = test_of(self);
    k42_result result = -ENOENT;
    k42_lock(&file->lock);
    for (struct attached *at = file->first; at && result; at = at->next)
        if (!memcmp(&at->attachment, attachment, sizeof(*attachment))) {
            at->attachment.pages = 0;
            file->attachments--;
            result = 0;
        }
    sweep(file);
    k42_unlock(&file->lock);
    if (result)
        abort();
    return result;
}

static k42_result test_usage(struct fcm *self, struct fcm_usage *usage) {
    *usage = (struct fcm_usage){.attachments = test_of(self)->attachments};
    return 0;
}

/* What an FCM in blocks is made from. */
static const char blocks_wanted;

static const struct fcm_ops test_fcm_ops = {
    .get_page = test_get_page,
    .put_page = test_put_page,
    .get_present = test_get_present,
    .mapped = test_mapped,
    .attach = test_attach,
    .detach = test_detach,
    .usage = test_usage,
};

static k42_result test_fcm_init(struct k42_root *root, const void *args) {
    struct fcm_test *file = k42_container(root, struct fcm_test, root);
    bool in_blocks = args == &blocks_wanted;
    file->zeros = args && !in_blocks;
    for (unsigned n = 0; in_blocks && n < FILE_PAGES / BLOCK_PAGES; n++) {
        struct k42_pair taken = k42_call((pm_ref)fixture_pm, take, 9, 0);
        if (taken.result < 0)
            abort();
        file->blocks[n] = taken.word;
    }
    return 0;
}

static void give(uint64_t physical, unsigned order) {
    if (physical && k42_call((pm_ref)fixture_pm, give, physical, order, 0) < 0)
        abort();
}

static void test_fcm_fini(struct k42_root *root) {
    struct fcm_test *file = k42_container(root, struct fcm_test, root);
    for (unsigned n = 0; n < FILE_PAGES; n++) {
        if (file->pages[n].held)
            abort();
        k42_enter();
        if (!file->blocks[0])
            give(file->pages[n].physical, 0);
        k42_exit();
    }
    k42_enter();
    for (unsigned n = 0; n < FILE_PAGES / BLOCK_PAGES; n++)
        give(file->blocks[n], 9);
    k42_exit();
    while (file->first) {
        struct attached *attached = file->first;
        file->first = attached->next;
        free(attached);
    }
}

K42_CLASS(fcm_test) = {
    .name = "fcm.pinned", /* what shared memory is made of */
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct fcm_test),
    .rep_offset = offsetof(struct fcm_test, rep),
    .ops = &test_fcm_ops,
    .init = test_fcm_init,
    .fini = test_fcm_fini,
};

k42_ref fixture_file(void) {
    k42_ref ref = K42_NULL_REF;
    assert_int_equal(k42_create(&fcm_test, NULL, &ref), 0);
    return ref;
}

k42_ref fixture_file_of_blocks(void) {
    k42_ref ref = K42_NULL_REF;
    k42_enter();
    k42_result made = k42_make(&fcm_test, &blocks_wanted, &ref);
    k42_exit();
    assert_int_equal(made, 0);
    return ref;
}

/* Only this file reaches into the object: the representative is the slot's. */
static struct fcm_test *file_of(k42_ref ref) {
    struct fcm_page page;
    k42_result held = k42_call((fcm_ref)ref, get_page, 0, 0, &page);
    if (held == 0)
        held = k42_call((fcm_ref)ref, put_page, 0);
    return test_of(k42_load((fcm_ref)ref));
}

static bool attachment_has(const struct fcm_attachment *attachment, uint64_t page) {
    return page - attachment->first < attachment->pages;
}

void (*fixture_after_unmap)(void);

void fixture_file_evict(k42_ref ref, uint64_t page) {
    k42_enter();
    struct fcm_test *file = file_of(ref);
    struct file_page *leaves = &file->pages[page];
    k42_lock(&file->lock);
    bool ours = leaves->physical && !leaves->leaving;
    leaves->leaving |= ours;
    while (ours && (leaves->held || (file->blocks[0] && first_of_block(file, page)->held))) {
        k42_unlock(&file->lock);
        sched_yield();
        k42_lock(&file->lock);
    }
    struct attached *at = file->first;
    file->walkers++;
    while (ours && at) {
        struct fcm_attachment attachment = at->attachment;
        k42_unlock(&file->lock);
        uintptr_t address = attachment.address + (page - attachment.first) * PAGE;
        if (attachment_has(&attachment, page) &&
            k42_call((hat_ref)attachment.hat, unmap, address, PAGE) == -ENOMEM)
            abort();
        if (fixture_after_unmap) {
            k42_exit();
            fixture_after_unmap();
            k42_enter();
        }
        k42_lock(&file->lock);
        at = at->next;
    }
    file->walkers--;
    sweep(file);
    uint64_t physical = leaves->physical;
    bool in_block = file->blocks[0];
    if (ours) {
        if (in_block)
            memset(machine_memory(physical), 0x5a, PAGE);
        leaves->physical = 0;
        leaves->leaving = false;
    }
    k42_unlock(&file->lock);
    if (ours && !in_block && k42_call((pm_ref)fixture_pm, give, physical, 0, 0) < 0)
        abort();
    k42_exit();
}

uint64_t fixture_attachments(k42_ref ref) {
    k42_enter();
    uint64_t count = file_of(ref)->attachments;
    k42_exit();
    return count;
}

/* ---- the group ---- */

/* What is deferred runs on a thread of the runtime's, which is a CPU, too. */
static void become_cpu(struct k42_defer *defer) {
    (void)defer;
    machine_this_cpu = MACHINE_CPUS - 1;
}

int fixture_open(void **state) {
    static struct wait_bucket buckets[2];
    static struct k42_defer defer;
    static const struct frame_range range = {MIB, BYTES, FRAME_RANGE_FREE};
    (void)state;
    wait_buckets = buckets;
    machine_add_bank(0, BYTES);
    if (frames_open(&range, 1) || heap_open() || k42_init(NULL) < 0 || k42_attach("test") < 0 ||
        k42_create(&pm_test, NULL, &fixture_pm) < 0)
        return -1;
    pm_machine = (pm_ref)fixture_pm;
    k42_defer(&defer, become_cpu);
    return k42_defer_flush() < 0 ? -1 : 0;
}

int fixture_close(void **state) {
    (void)state;
    return k42_destroy(fixture_pm) < 0 || k42_detach() < 0 || k42_shutdown() < 0 ? -1 : 0;
}

void fixture_settle(void) {
    for (int round = 0; round < 4; round++)
        assert_int_equal(k42_defer_flush(), 0);
}

static uint64_t objects_before, frames_before;

static uint64_t objects(void) {
    struct k42_stats stats;
    k42_stats(&stats);
    return stats.objects;
}

int fixture_begin(void **state) {
    (void)state;
    fixture_settle();
    fixture_limit_frames(~0ul);
    frames_before = fixture_frames();
    objects_before = objects();
    return 0;
}

int fixture_end(void **state) {
    (void)state;
    fixture_settle();
    if (fixture_frames() != frames_before)
        print_error("%lu frames are left\n", fixture_frames() - frames_before);
    if (objects() != objects_before)
        print_error("%lu objects are left\n", objects() - objects_before);
    return fixture_frames() == frames_before && objects() == objects_before ? 0 : -1;
}

/* ---- programs ---- */

space_ref fixture_space(void) {
    space_ref space;
    k42_enter();
    assert_int_equal(space_create(fixture_pm, &space), 0);
    k42_exit();
    return space;
}

void fixture_end_space(space_ref space) {
    assert_int_equal(k42_destroy((k42_ref)space), 0);
}

static k42_result program_access(space_ref space, uintptr_t address, bool write, uint64_t *value) {
    for (;;) {
        struct user_table *table;
        k42_enter();
        k42_result result = k42_call(space, table, &table);
        int missing = result < 0 ? 0 : machine_user_access(table, address, write, value);
        if (missing) {
            unsigned access = write ? SPACE_ACCESS_WRITE : SPACE_ACCESS_READ;
            access |= missing == -EFAULT ? SPACE_ACCESS_ABSENT : 0;
            result = k42_call(space, fault, address, access);
        }
        k42_exit();
        if (!missing || (result < 0 && result != -K42_WAIT))
            return result;
        if (result == -K42_WAIT)
            sched_yield();
    }
}

k42_result program_read(space_ref space, uintptr_t address, uint64_t *value) {
    return program_access(space, address, false, value);
}

k42_result program_write(space_ref space, uintptr_t address, uint64_t value) {
    return program_access(space, address, true, &value);
}

#define AGAIN(result, call)                                                                        \
    do {                                                                                           \
        k42_enter();                                                                               \
        (result) = (call);                                                                         \
        k42_exit();                                                                                \
    } while ((result) == -K42_WAIT)

struct k42_pair program_map(space_ref space, const struct space_request *request) {
    struct k42_pair place;
    do {
        k42_enter();
        place = k42_call(space, map, request);
        k42_exit();
    } while (place.result == -K42_WAIT);
    return place;
}

uintptr_t program_map_memory(space_ref space, uintptr_t address, size_t length, unsigned flags) {
    struct space_request request = {.address = address,
                                    .length = length,
                                    .protection = SPACE_READ | SPACE_WRITE,
                                    .most = SPACE_ALL,
                                    .flags = flags | (address ? SPACE_FIXED : 0)};
    struct k42_pair place = program_map(space, &request);
    assert_int_equal(place.result, 0);
    return place.word;
}

k42_result program_unmap(space_ref space, uintptr_t address, size_t length) {
    k42_result result;
    AGAIN(result, k42_call(space, unmap, address, length));
    return result;
}

k42_result program_protect(space_ref space, uintptr_t address, size_t length, unsigned protection) {
    k42_result result;
    AGAIN(result, k42_call(space, protect, address, length, protection));
    return result;
}

struct k42_pair program_resize(space_ref space, const struct space_move *move) {
    struct k42_pair place;
    do {
        k42_enter();
        place = k42_call(space, resize, move);
        k42_exit();
    } while (place.result == -K42_WAIT);
    return place;
}

k42_result program_advise(space_ref space, uintptr_t address, size_t length, int advice) {
    k42_result result;
    AGAIN(result, k42_call(space, advise, address, length, advice));
    return result;
}

space_ref program_fork(space_ref space) {
    k42_ref child = K42_NULL_REF;
    k42_result result;
    AGAIN(result, k42_call(space, fork, fixture_pm, &child));
    assert_int_equal(result, 0);
    return (space_ref)child;
}
