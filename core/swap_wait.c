/*
 * The waiting of a swapper: until every call that began before the mediator was there is over, then
 * until those that it has counted have left.
 *
 * A batch shares the barrier of the forward phase and the looks at CPUs. Each request goes on by
 * itself, so that none holds up another or outlasts its deadline for it.
 *
 * Owns nothing: requests and mediators are swap.c's. Locking: none held. Gives requests up, when
 * their deadline has passed, and says in their report who was in the way.
 */
#include "swap_wait.h"

#include "events.h"
#include "swap_report.h"

struct batch {
    struct k42_swap *const *requests;
    size_t count;
};

#define WINDOW 1024u /* CPUs watched at once */

static uint64_t deadline_of(const struct k42_swap *request) {
    uint64_t ns = request->deadline_ns ? request->deadline_ns : K42_SWAP_DEADLINE_NS;
    return request->mediator->placed_ns + request->forward_ns + ns;
}

/* No call has met the swap yet, and the request wants one to. Not when the state outgrew its room
 * meanwhile: it would again. */
static bool awaits_a_call(const struct k42_swap *request) {
    return request->forward_ns && !request->grown && !k42_load_relaxed(&request->mediator->calls) &&
           k42_platform_now_ns() < request->mediator->placed_ns + request->forward_ns;
}

static void swap_give_up(struct k42_swap *request, enum k42_swap_phase phase, int cpu) {
    struct k42_mediator *mediator = request->mediator;
    if (!k42_mediator_abort(mediator))
        return;
    if (cpu < 0)
        cpu = k42_cpu_inside(mediator->id);
    if (cpu >= 0)
        k42_cpu_suspect((uint32_t)cpu, phase == K42_SWAP_BLOCK ? mediator->id : 0,
                        &mediator->holder);
    request->report.phase = phase;
    k42_mediator_restore(mediator);
}

/* The CPUs that are looked at together: which of their counts were seen at zero since the barrier.
 */
struct window {
    uint32_t first, end;
    bool last;
    uint8_t seen_at_zero[WINDOW];
};

static bool window_waits_for(const struct window *window, uint32_t cpu, uint32_t touched) {
    return (touched >> cpu % 32 & 1) && window->seen_at_zero[cpu - window->first] != 3;
}

/* Looks once at each CPU of the window that is in `touched`; which ones (mod 32) to look at again.
 */
static uint32_t window_look(struct window *window, uint32_t touched) {
    uint32_t again = 0;
    for (uint32_t cpu = window->first; cpu < window->end; cpu++) {
        if (!window_waits_for(window, cpu, touched))
            continue;
        uint32_t seen = window->seen_at_zero[cpu - window->first];
        if (!k42_cpu_observe(cpu, &seen))
            again |= 1u << cpu % 32;
        window->seen_at_zero[cpu - window->first] = (uint8_t)seen;
    }
    return again;
}

static bool forwards(const struct k42_swap *request) {
    return k42_swap_under_way(request) && !request->mediator->blocked_ns;
}

static void swap_block(struct k42_swap *request) {
    struct k42_mediator *mediator = request->mediator;
    mediator->blocked_ns = k42_platform_now_ns();
    k42_event_swap_phase(mediator->id, "block");
    if (k42_mediator_block(mediator))
        k42_mediator_finish(mediator);
}

/* Calls without a record may be left on the CPUs `held` of the window. True: they are waited for.
 */
static bool swap_forward(struct k42_swap *request, const struct window *window, uint32_t held) {
    uint32_t touched = request->mediator->touched, cpu = window->first;
    if (!(touched & held)) {
        if (!window->last)
            return false;
        if (awaits_a_call(request))
            return true;
        swap_block(request);
        return k42_swap_under_way(request);
    }
    if (k42_platform_now_ns() <= deadline_of(request))
        return true;
    while (!window_waits_for(window, cpu, touched))
        cpu++;
    swap_give_up(request, K42_SWAP_FORWARD, (int)cpu);
    return k42_swap_under_way(request);
}

/* Tracked calls are left in the old object. True: they are waited for. */
static bool swap_wait(struct k42_swap *request) {
    k42_mediator_help(request->mediator);
    if (k42_platform_now_ns() > deadline_of(request))
        swap_give_up(request, K42_SWAP_BLOCK, -1);
    return k42_swap_under_way(request);
}

/* Takes each request as far as it can go now; true while the window has something to wait for. */
static bool batch_look(struct batch *batch, struct window *window) {
    uint32_t touched = 0;
    bool wait = false;
    for (size_t i = 0; i < batch->count; i++)
        if (forwards(batch->requests[i]))
            touched |= batch->requests[i]->mediator->touched;
    uint32_t held = window_look(window, touched);
    for (size_t i = 0; i < batch->count; i++) {
        struct k42_swap *request = batch->requests[i];
        if (forwards(request))
            wait |= swap_forward(request, window, held);
        else if (k42_swap_under_way(request))
            wait |= swap_wait(request);
    }
    return wait;
}

/* The end of a single swap wakes the swapper; its deadline is looked at all the same. */
static void batch_pause(struct batch *batch, unsigned step) {
    struct k42_swap *request = batch->requests[0];
    if (batch->count > 1 || forwards(request) || step < 64)
        k42_back_off(step);
    else
        k42_platform_park(&request->mediator->ended, 0, 1000000);
}

/*
 * Waits until no call that began without a mediator is left, then blocks, then waits for the
 * tracked ones; each request on its own, so that none holds up another or outlasts its deadline for
 * it. Only CPUs that have touched an object can have calls without a record; each must show both
 * its counts at zero after the barrier, which is one for all. A CPU that is attached from now on
 * has none.
 */
static void batch_wait(struct batch *batch) {
    uint32_t limit = k42_cpu_limit();
    struct window window = {.end = 0};
    k42_platform_barrier_all();
    do {
        uint32_t first = window.end, left = limit - first;
        window = (struct window){.first = first, .end = left < WINDOW ? limit : first + WINDOW};
        window.last = window.end == limit;
        for (unsigned step = 0; batch_look(batch, &window); step++)
            batch_pause(batch, step);
    } while (!window.last);
}

void k42_swap_wait(struct k42_swap *const *requests, size_t count) {
    struct batch batch = {requests, count};
    batch_wait(&batch);
}
