/*
 * The machine, PM and programs of space_fixture.h. The class is as plain as it can be; that of the
 * file is in space_file.c.
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
k42_result fixture_refusal = -ENOMEM;

static struct k42_pair test_take(struct pm *self, unsigned order, unsigned flags) {
    struct frame *frame;
    (void)self;
    uint64_t left = __atomic_load_n(&frames_left, __ATOMIC_RELAXED);
    if (left != ~0ul && left < 1ul << order)
        return (struct k42_pair){fixture_refusal, 0};
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
