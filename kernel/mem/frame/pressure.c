/*
 * Running low: how scarce whole chunks are, who wants to know, and who can give frames back.
 *
 * Allocation happens where nothing may wait, so it only notes that the pressure rose and wakes
 * somebody, who calls frames_relieve() from a thread.
 *
 * Locking: the level is one word; relievers.lock guards the list, which only grows in front of
 * nobody: a walk reads `next` without it, and removal waits until no walk is under way.
 */
#include "frames.h"

static struct {
    uint64_t low, critical; /* frames; below which the pressure has that name */
    uint32_t level;
    uint32_t risen; /* noted, not told yet */
    uint64_t refused;
    void (*wake)(void);
} pressure;

static struct {
    struct spin lock;
    uint32_t walking;
    struct frame_reliever *first;
} relievers;

void pressure_set_total(uint64_t frames) {
    pressure.low = frames / 16;
    pressure.critical = frames / 64;
}

static void set_level(uint32_t level) {
    uint32_t before = __atomic_load_n(&pressure.level, __ATOMIC_RELAXED);
    if (level == before)
        return;
    __atomic_store_n(&pressure.level, level, __ATOMIC_RELAXED);
    if (level > before)
        __atomic_store_n(&pressure.risen, 1, __ATOMIC_RELAXED);
}

void pressure_note(uint64_t free) {
    set_level(free < pressure.critical ? FRAME_PRESSURE_CRITICAL
              : free < pressure.low    ? FRAME_PRESSURE_LOW
                                       : FRAME_PRESSURE_NONE);
}

/* The level stays until the zone changes again. */
void pressure_note_failure(void) {
    __atomic_add_fetch(&pressure.refused, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&pressure.level, FRAME_PRESSURE_CRITICAL, __ATOMIC_RELAXED);
    __atomic_store_n(&pressure.risen, 1, __ATOMIC_RELAXED);
}

uint64_t frames_refused(void) {
    return __atomic_load_n(&pressure.refused, __ATOMIC_RELAXED);
}

void pressure_tell(void) {
    if (__builtin_expect(!__atomic_load_n(&pressure.risen, __ATOMIC_RELAXED), 1))
        return;
    void (*wake)(void) = __atomic_load_n(&pressure.wake, __ATOMIC_ACQUIRE);
    if (__atomic_exchange_n(&pressure.risen, 0, __ATOMIC_RELAXED) && wake)
        wake();
}

void frames_watch_pressure(void (*wake)(void)) {
    __atomic_store_n(&pressure.wake, wake, __ATOMIC_RELEASE);
}

enum frame_pressure frames_pressure(void) {
    return (enum frame_pressure)__atomic_load_n(&pressure.level, __ATOMIC_RELAXED);
}

/* ---- relievers ---- */

static uintptr_t lock(void) {
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&relievers.lock);
    return interrupts;
}

static void unlock(uintptr_t interrupts) {
    spin_leave(&relievers.lock);
    machine_interrupts_restore(interrupts);
}

void frame_reliever_add(struct frame_reliever *reliever) {
    uintptr_t interrupts = lock();
    struct frame_reliever **end = &relievers.first;
    while (*end)
        end = &(*end)->next;
    reliever->next = NULL;
    /* Release pairs with the acquire of a walk under way. */
    __atomic_store_n(end, reliever, __ATOMIC_RELEASE);
    unlock(interrupts);
}

void frame_reliever_remove(struct frame_reliever *reliever) {
    uintptr_t interrupts = lock();
    while (relievers.walking) {
        unlock(interrupts);
        machine_relax();
        interrupts = lock();
    }
    struct frame_reliever **link = &relievers.first;
    while (*link && *link != reliever)
        link = &(*link)->next;
    if (*link)
        *link = reliever->next;
    unlock(interrupts);
}

static bool walk_begin(void) {
    uintptr_t interrupts = lock();
    bool mine = !relievers.walking;
    relievers.walking = 1;
    unlock(interrupts);
    return mine;
}

static void walk_end(void) {
    uintptr_t interrupts = lock();
    relievers.walking = 0;
    unlock(interrupts);
}

/* Frames that would make the pressure go away, with as much again as comes between low and none. */
static uint64_t missing(void) {
    uint64_t free = zone_free();
    uint64_t goal = pressure.low + pressure.critical;
    return free < goal ? goal - free : 1;
}

uint64_t frames_relieve(void) {
    if (!walk_begin())
        return 0;
    uint64_t freed = 0;
    struct frame_reliever *one = __atomic_load_n(&relievers.first, __ATOMIC_ACQUIRE);
    while (one && frames_pressure() != FRAME_PRESSURE_NONE) {
        freed += one->relieve(one, frames_pressure(), missing());
        frames_collect();
        one = __atomic_load_n(&one->next, __ATOMIC_ACQUIRE);
    }
    uintptr_t interrupts = machine_interrupts_off();
    pressure_note(zone_free());
    machine_interrupts_restore(interrupts);
    walk_end();
    return freed;
}
