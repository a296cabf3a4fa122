/*
 * Pages on their way to the caches of areas and back, and what relief asks of those caches.
 *
 * Owns: the counts of pages. Locking: none. Fails: as the cache does.
 */
#include "area.h"

#include "../frame/frame.h"
#include "../machine.h"

#include <k42/k42.h>

#include <errno.h>

uint64_t swap_pages_put, swap_pages_got;

/* It begins to be written at once; what the disk does not take now it gets when more is wanted. */
void swap_put(swap_slot slot, uint64_t physical) {
    const struct area *area = area_of(slot);
    k42_result result = k42_call(area_fcm(area), adopt, (uint32_t)slot, physical);
    if (result >= 0)
        result = k42_call(area_fcm(area), leave, (uint32_t)slot, FCM_LEAVE_UNUSED | FCM_LEAVE_USED);
    (void)result;
    __atomic_add_fetch(&swap_pages_put, 1, __ATOMIC_RELAXED);
}

k42_result swap_get(swap_slot slot, uint64_t physical) {
    const struct area *area = area_of(slot);
    struct fcm_page page;
    k42_result result = k42_call(area_fcm(area), get_page, (uint32_t)slot, 0, &page);
    if (result < 0)
        return result == -K42_WAIT || result == -ENOMEM ? result : -EIO;
    machine_copy_page(machine_memory(physical),
                      machine_memory(page.physical + ((uint32_t)slot - page.index) * 4096));
    result = k42_call(area_fcm(area), put_page, (uint32_t)slot);
    __atomic_add_fetch(&swap_pages_got, 1, __ATOMIC_RELAXED);
    return result < 0 ? -EIO : 0;
}

/* Who calls, and the entry that had the slot or the page that remembers it. */
enum { HOLDS_OF_ONE = 2 };

void swap_came_back(swap_slot slot) {
    const struct area *area = area_of(slot);
    if (frames_pressure() == FRAME_PRESSURE_NONE ||
        __atomic_load_n(&area->counts[(uint32_t)slot], __ATOMIC_RELAXED) > HOLDS_OF_ONE)
        return;
    k42_result left =
        k42_call(area_fcm(area), leave, (uint32_t)slot, FCM_LEAVE_USED | FCM_LEAVE_UNUSED);
    (void)left; /* one that is not written yet, or that somebody has, relief takes later */
}

bool area_forget(const struct area *area, uint64_t page) {
    k42_result result =
        k42_call(area_fcm(area), leave, page, FCM_LEAVE_USED | FCM_LEAVE_UNUSED | FCM_LEAVE_DIRTY);
    return result == FCM_HAS_LEFT || result == -ENOENT;
}

uint64_t swap_give_back(uint64_t wanted) {
    uint64_t freed = 0;
    for (unsigned n = 0; n < SWAP_AREAS; n++) {
        struct area *area = area_at(n);
        if (!area)
            continue;
        freed += area_collect(area);
        k42_result result =
            freed < wanted ? k42_call(area_fcm(area), give_back, wanted - freed) : 0;
        freed += result > 0 ? (uint64_t)result : 0;
    }
    return freed;
}

/* Those that could not be written are not: they stay, and the area gets no others until they have
 * been. */
static uint64_t on_the_way_to(struct area *area) {
    struct fcm_usage usage;
    if (k42_call(area_fcm(area), usage, &usage) < 0)
        return 0;
    area->fails = usage.stuck != 0;
    uint64_t dirty = usage.dirty > usage.stuck ? usage.dirty - usage.stuck : 0;
    return usage.in_transit > dirty ? usage.in_transit : dirty;
}

uint64_t swap_on_the_way(void) {
    uint64_t pages = 0;
    for (unsigned n = 0; n < SWAP_AREAS; n++)
        if (area_at(n))
            pages += on_the_way_to(area_at(n));
    return pages;
}
