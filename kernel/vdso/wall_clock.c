/*
 * The time of day: CLOCK_REALTIME's distance from the time since boot, in the page that programs
 * read as well (vdso.h says how).
 *
 * Owns: that page. Locking: `lock`, with interrupts off, for whoever changes it; everybody else
 * reads by the sequence number.
 */
#include "wall_clock.h"

#include "../arch/x86_64/arch.h"
#include "vdso.h"

extern char vdso_image[], vdso_image_end[];

static union {
    struct vdso_data data;
    char whole[FRAME_SIZE];
} page __attribute__((aligned(FRAME_SIZE)));

static struct spin_lock lock;

static uintptr_t change_begin(void) {
    uintptr_t saved = interrupts_save();
    spin_take(&lock);
    __atomic_store_n(&page.data.sequence, page.data.sequence + 1, __ATOMIC_RELAXED);
    /* The odd number is seen before anything that is changed. */
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return saved;
}

static void change_end(uintptr_t saved) {
    __atomic_store_n(&page.data.sequence, page.data.sequence + 1, __ATOMIC_RELEASE);
    spin_release(&lock);
    interrupts_restore(saved);
}

/* All of it as it was at one time. */
static struct vdso_data read_all(void) {
    struct vdso_data copy;
    uint32_t sequence;
    do {
        sequence = __atomic_load_n(&page.data.sequence, __ATOMIC_ACQUIRE);
        copy = page.data;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (sequence & 1 || sequence != __atomic_load_n(&page.data.sequence, __ATOMIC_RELAXED));
    return copy;
}

uint64_t wall_clock_at(uint64_t monotonic) {
    struct vdso_data data = read_all();
    return vdso_wall(&data, monotonic);
}

uint64_t wall_clock_ns(void) {
    return wall_clock_at(time_ns());
}

/* Each guess is two thousand times as good as the one before; ten times, at the largest rate. */
uint64_t wall_clock_to_monotonic(uint64_t wall) {
    enum { GUESSES = 20 };
    struct vdso_data data = read_all();
    uint64_t even = wall - (uint64_t)data.wall, guess = even, before = even + 1;
    if ((int64_t)even < 0)
        return 0;
    for (int i = 0; i < GUESSES && guess != before; i++) {
        before = guess;
        guess = even - (uint64_t)(vdso_slewed(&data, guess) + vdso_gained(&data, guess));
    }
    return guess;
}

/* Called while it is being changed. */
static void set_wall(uint64_t ns, uint64_t now) {
    page.data.wall = (int64_t)(ns - now);
    page.data.slew_total = 0;
    page.data.rate_begin = now;
}

void wall_clock_set(uint64_t ns) {
    uintptr_t saved = change_begin();
    set_wall(ns, time_ns());
    change_end(saved);
}

void wall_clock_set_rate(int64_t rate) {
    uintptr_t saved = change_begin();
    uint64_t now = time_ns();
    page.data.wall += vdso_gained(&page.data, now);
    page.data.rate_begin = now;
    page.data.rate = rate;
    change_end(saved);
}

int64_t wall_clock_adjust(int64_t ns) {
    uintptr_t saved = change_begin();
    struct vdso_data *data = &page.data;
    uint64_t now = time_ns();
    int64_t made = vdso_slewed(data, now);
    int64_t left = data->slew_sign * (int64_t)data->slew_total - made;
    data->wall += made;
    data->slew_begin = now;
    data->slew_sign = ns < 0 ? -1 : 1;
    data->slew_total = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    change_end(saved);
    return left;
}

int64_t wall_clock_left(void) {
    struct vdso_data data = read_all();
    return data.slew_sign * (int64_t)data.slew_total - vdso_slewed(&data, time_ns());
}

int64_t wall_clock_tai(void) {
    return read_all().tai;
}

void wall_clock_set_tai(int64_t seconds) {
    uintptr_t saved = change_begin();
    page.data.tai = seconds;
    change_end(saved);
}

void wall_clock_open(void) {
    struct clock_scale scale = clock_scale();
    uint64_t seconds = rtc_read();
    uintptr_t saved = change_begin();
    page.data.begin = scale.begin;
    page.data.ns_per_tick = scale.ns_per_tick;
    page.data.usable = scale.same_on_all;
    set_wall(seconds * 1000000000, time_ns());
    change_end(saved);
}

uint64_t vdso_data_frame(void) {
    return virt_to_phys(&page);
}

size_t vdso_image_pages(void) {
    return (size_t)(vdso_image_end - vdso_image) / FRAME_SIZE;
}

uint64_t vdso_image_frame(size_t number) {
    return virt_to_phys(vdso_image + number * FRAME_SIZE);
}
