/*
 * Virtqueues against a device written from the specification, in this process: it is honest, or
 * lies, or works in a thread of its own.
 *
 * "Physical" addresses are the process's own.
 */
#include "../../kernel/dev/dma.h"
#include "ring.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };

void dma_fence(void) {
    __asm__ volatile("mfence" ::: "memory");
}

struct descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};

/* The other side of a ring. */
struct device {
    struct ring ring;
    void *shared, *own;
    unsigned size;
    uint16_t seen, used;
    bool event_index;
};

static struct device *device_make(unsigned size, unsigned table_pieces, bool event_index) {
    struct device *device = calloc(1, sizeof *device);
    size_t bytes = (ring_shared_bytes(size, table_pieces) + 4095) & ~(size_t)4095;
    device->shared = aligned_alloc(4096, bytes);
    memset(device->shared, 0, bytes);
    device->own = calloc(1, ring_own_bytes(size));
    device->size = size;
    device->event_index = event_index;
    ring_open(&device->ring, size, table_pieces, event_index, device->shared,
              (uintptr_t)device->shared, device->own);
    return device;
}

static void device_end(struct device *device) {
    free(device->shared);
    free(device->own);
    free(device);
}

static uint16_t *available(struct device *device) {
    return (uint16_t *)(uintptr_t)ring_available_at(&device->ring);
}

static uint16_t *used(struct device *device) {
    return (uint16_t *)(uintptr_t)ring_used_at(&device->ring);
}

/* Looks at what is offered; false: nothing. */
static bool device_next(struct device *device, uint16_t *head) {
    uint16_t index = __atomic_load_n(&available(device)[1], __ATOMIC_ACQUIRE);
    if (index == device->seen)
        return false;
    *head = available(device)[2 + device->seen++ % device->size];
    return true;
}

static void device_return(struct device *device, uint32_t head, uint32_t written) {
    uint32_t *entry = (uint32_t *)(void *)(used(device) + 2) + 2 * (device->used++ % device->size);
    __atomic_store_n(&entry[0], head, __ATOMIC_RELAXED);
    __atomic_store_n(&entry[1], written, __ATOMIC_RELAXED);
    __atomic_store_n(&used(device)[1], device->used, __ATOMIC_RELEASE);
}

/* Walks a chain; the bytes that are to be read, and in *writable those to be written. */
static uint64_t walk(struct device *device, uint16_t head, uint64_t *writable, unsigned *count) {
    struct descriptor *table = (void *)(uintptr_t)ring_descriptors_at(&device->ring);
    unsigned at = head, limit = device->size;
    uint64_t readable = 0;
    *writable = *count = 0;
    if (table[at].flags & INDIRECT) {
        limit = table[at].bytes / sizeof *table;
        table = (void *)(uintptr_t)table[at].address;
        at = 0;
    }
    for (;; at = table[at].next) {
        assert_true(at < limit);
        *(table[at].flags & WRITE ? writable : &readable) += table[at].bytes;
        ++*count;
        if (!(table[at].flags & NEXT))
            return readable;
    }
}

static const struct ring_piece pieces[4] = {{0x1000, 10}, {0x2000, 20}, {0x3000, 40}, {0x4000, 80}};

static void a_buffer_is_seen_as_it_was_put_in(unsigned table_pieces) {
    struct device *device = device_make(8, table_pieces, false);
    uint64_t writable;
    unsigned count;
    uint16_t head;
    void *token;
    uint32_t written;
    assert_int_equal(ring_add(&device->ring, pieces, 2, 2, device), 0);
    assert_false(device_next(device, &head));
    assert_true(ring_publish(&device->ring));
    assert_true(device_next(device, &head));
    assert_int_equal(walk(device, head, &writable, &count), 30);
    assert_int_equal(writable, 120);
    assert_int_equal(count, 4);
    assert_int_equal(ring_take(&device->ring, &token, &written), 0);
    device_return(device, head, 7);
    assert_int_equal(ring_take(&device->ring, &token, &written), 1);
    assert_ptr_equal(token, device);
    assert_int_equal(written, 7);
    device_end(device);
}

static void a_chain_is_seen_as_it_was_put_in(void **state) {
    (void)state;
    a_buffer_is_seen_as_it_was_put_in(0);
}

static void a_table_is_seen_as_it_was_put_in(void **state) {
    (void)state;
    a_buffer_is_seen_as_it_was_put_in(4);
}

static void a_full_ring_says_so_and_has_room_again(void **state) {
    (void)state;
    struct device *device = device_make(8, 0, false);
    uint16_t head;
    void *token;
    uint32_t written;
    for (unsigned round = 0; round < 100000; round++) {
        unsigned put = 0;
        while (ring_add(&device->ring, pieces, 1, 2, &put) == 0)
            put++;
        assert_int_equal(put, 2);
        assert_int_equal(ring_add(&device->ring, pieces, 1, 2, &put), -EAGAIN);
        (void)ring_publish(&device->ring);
        while (device_next(device, &head))
            device_return(device, head, 0);
        while (ring_take(&device->ring, &token, &written) == 1)
            put--;
        assert_int_equal(put, 0);
    }
    assert_int_equal(ring_add(&device->ring, pieces, 0, 0, NULL), -EMSGSIZE);
    struct ring_piece many[9] = {{0}};
    assert_int_equal(ring_add(&device->ring, many, 9, 0, NULL), -EMSGSIZE);
    device_end(device);
}

/* ---- devices that lie ---- */

static void expect_broken(uint32_t head_of_lie, uint32_t written, uint16_t more) {
    struct device *device = device_make(8, 4, false);
    uint16_t head;
    void *token;
    uint32_t got;
    assert_int_equal(ring_add(&device->ring, pieces, 2, 2, device), 0);
    (void)ring_publish(&device->ring);
    assert_true(device_next(device, &head));
    device->used = (uint16_t)(device->used + more);
    device_return(device, head_of_lie == ~0u ? head : head_of_lie, written);
    assert_int_equal(ring_take(&device->ring, &token, &got), -EIO);
    assert_int_equal(ring_take(&device->ring, &token, &got), -EIO);
    assert_int_equal(ring_add(&device->ring, pieces, 1, 0, NULL), -EIO);
    assert_ptr_equal(ring_reclaim(&device->ring), device);
    assert_null(ring_reclaim(&device->ring));
    device_end(device);
}

static void a_buffer_that_was_not_given_breaks_the_ring(void **state) {
    (void)state;
    expect_broken(3, 0, 0);
}

static void a_number_outside_the_ring_breaks_it(void **state) {
    (void)state;
    expect_broken(70000, 0, 0);
}

static void more_written_than_there_was_breaks_the_ring(void **state) {
    (void)state;
    expect_broken(~0u, 121, 0);
}

static void more_used_than_was_given_breaks_the_ring(void **state) {
    (void)state;
    expect_broken(~0u, 0, 5);
}

static void a_buffer_returned_twice_breaks_the_ring(void **state) {
    (void)state;
    struct device *device = device_make(8, 0, false);
    uint16_t head;
    void *token;
    uint32_t got;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(ring_add(&device->ring, pieces, 1, 0, device), 0);
    (void)ring_publish(&device->ring);
    assert_true(device_next(device, &head));
    device_return(device, head, 0);
    device_return(device, head, 0);
    assert_int_equal(ring_take(&device->ring, &token, &got), 1);
    assert_int_equal(ring_take(&device->ring, &token, &got), -EIO);
    device_end(device);
}

/* Scribbles over all that it can reach; whatever comes back was given, and once. */
static void a_device_that_scribbles_never_gives_what_it_has_not(void **state) {
    (void)state;
    uint64_t random = 42;
    for (unsigned run = 0; run < 2000; run++) {
        struct device *device = device_make(8, 4, run & 1);
        size_t bytes = ring_shared_bytes(8, 4);
        char given[64] = {0};
        for (unsigned step = 0; step < 64; step++) {
            void *token;
            uint32_t written;
            if (ring_add(&device->ring, pieces, 1 + step % 2, step % 3, &given[step]) == 0)
                given[step] = 1;
            (void)ring_publish(&device->ring);
            for (unsigned i = 0; i < 8; i++) {
                random = random * 6364136223846793005 + 1442695040888963407;
                ((uint8_t *)device->shared)[(random >> 33) % bytes] = (uint8_t)(random >> 24);
            }
            uint16_t head;
            if (random >> 60 && device_next(device, &head))
                device_return(device, head % 8, 0);
            while (ring_take(&device->ring, &token, &written) == 1) {
                char *one = token;
                assert_true(one >= given && one < given + 64 && *one == 1);
                *one = 2;
                assert_true(written <= 120);
            }
            (void)ring_listen(&device->ring);
        }
        for (char *one; (one = ring_reclaim(&device->ring));) {
            assert_int_equal(*one, 1);
            *one = 2;
        }
        for (unsigned step = 0; step < 64; step++)
            assert_true(given[step] != 1);
        device_end(device);
    }
}

/* ---- at the same time ---- */

/* Each side sleeps when it is told that the other will wake it: if either forgot, both would. */
struct pair {
    struct device *device;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned notices, interrupts;
    bool over;
};

static uint16_t *wanted_notice(struct device *device) {
    return used(device) + 2 + 4 * device->size;
}

static void signal_side(struct pair *pair, unsigned *count) {
    pthread_mutex_lock(&pair->lock);
    ++*count;
    pthread_cond_broadcast(&pair->changed);
    pthread_mutex_unlock(&pair->lock);
}

/* Sleeps until the count is above zero, and takes it back to that; false: it is over. */
static bool sleep_side(struct pair *pair, unsigned *count) {
    pthread_mutex_lock(&pair->lock);
    while (!*count && !pair->over)
        pthread_cond_wait(&pair->changed, &pair->lock);
    bool goes_on = *count;
    *count = 0;
    pthread_mutex_unlock(&pair->lock);
    return goes_on;
}

static bool interrupt_is_wanted(struct device *device, uint16_t before) {
    __asm__ volatile("mfence" ::: "memory");
    if (!device->event_index)
        return !(__atomic_load_n(&available(device)[0], __ATOMIC_RELAXED) & 1);
    uint16_t wanted = __atomic_load_n(&available(device)[2 + device->size], __ATOMIC_RELAXED);
    return (uint16_t)(device->used - wanted - 1) < (uint16_t)(device->used - before);
}

static void *serve(void *argument) {
    struct pair *pair = argument;
    struct device *device = pair->device;
    do {
        bool more;
        do {
            uint16_t head, before = device->used;
            while (device_next(device, &head))
                device_return(device, head, 0);
            if (device->used != before && interrupt_is_wanted(device, before))
                signal_side(pair, &pair->interrupts);
            __atomic_store_n(wanted_notice(device), device->seen, __ATOMIC_RELAXED);
            __asm__ volatile("lock orl $0, -4(%%rsp)" ::: "memory", "cc");
            more = __atomic_load_n(&available(device)[1], __ATOMIC_ACQUIRE) != device->seen;
        } while (more);
    } while (sleep_side(pair, &pair->notices));
    return NULL;
}

static void nothing_is_overlooked(bool event_index) {
    enum { BUFFERS = 100000 };
    struct pair pair = {.device = device_make(16, 4, event_index)};
    pthread_mutex_init(&pair.lock, NULL);
    pthread_cond_init(&pair.changed, NULL);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, serve, &pair), 0);
    unsigned put = 0, taken = 0;
    void *token;
    uint32_t written;
    struct ring *ring = &pair.device->ring;
    while (taken < BUFFERS) {
        while (put < BUFFERS && ring_add(ring, pieces, 1, put % 4, &pair) == 0)
            put++;
        if (ring_publish(ring))
            signal_side(&pair, &pair.notices);
        ring_quiet(ring);
        do
            while (ring_take(ring, &token, &written) == 1)
                taken++;
        while (ring_listen(ring));
        assert_false(ring->broken);
        if (taken < put && ring->outstanding == 16)
            assert_true(sleep_side(&pair, &pair.interrupts));
    }
    pthread_mutex_lock(&pair.lock);
    pair.over = true;
    pthread_cond_broadcast(&pair.changed);
    pthread_mutex_unlock(&pair.lock);
    pthread_join(thread, NULL);
    assert_int_equal(taken, BUFFERS);
    device_end(pair.device);
}

static void nobody_sleeps_while_there_is_work_with_flags(void **state) {
    (void)state;
    nothing_is_overlooked(false);
}

static void nobody_sleeps_while_there_is_work_with_event_indexes(void **state) {
    (void)state;
    nothing_is_overlooked(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_chain_is_seen_as_it_was_put_in),
        cmocka_unit_test(a_table_is_seen_as_it_was_put_in),
        cmocka_unit_test(a_full_ring_says_so_and_has_room_again),
        cmocka_unit_test(a_buffer_that_was_not_given_breaks_the_ring),
        cmocka_unit_test(a_number_outside_the_ring_breaks_it),
        cmocka_unit_test(more_written_than_there_was_breaks_the_ring),
        cmocka_unit_test(more_used_than_was_given_breaks_the_ring),
        cmocka_unit_test(a_buffer_returned_twice_breaks_the_ring),
        cmocka_unit_test(a_device_that_scribbles_never_gives_what_it_has_not),
        cmocka_unit_test(nobody_sleeps_while_there_is_work_with_flags),
        cmocka_unit_test(nobody_sleeps_while_there_is_work_with_event_indexes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
