/*
 * Crews of threads (crew.h). A crew is its check's; nothing is shared between crews.
 */
#include "crew.h"

#include "../arch/x86_64/arch.h"
#include "../print.h"
#include "../sched/thread.h"

#include <errno.h>
#include <k42/k42.h>

/* With more processors than the emulator's machine has, each stands still for a while. */
#define SURE_NS 30000000000ul

static void member_main(void *argument) {
    struct member *self = argument;
    self->work(self);
}

uint32_t crew_some(uint32_t each) {
    uint32_t wanted = each * cpu_count();
    return wanted < CREW_MANY ? wanted : CREW_MANY;
}

bool crew_start(struct crew *crew, uint32_t size, bool pinned, void (*work)(struct member *),
                void *shared) {
    crew->stop = 0;
    if (size > CREW_MAX) {
        print("a crew has room for %u, not for %u", CREW_MAX, size);
        return false;
    }
    for (crew->size = 0; crew->size < size; crew->size++) {
        struct member *member = &crew->members[crew->size];
        *member = (struct member){
            .work = work, .shared = shared, .number = crew->size, .stop = &crew->stop};
        member->thread =
            pinned ? thread_start_on(crew->size % cpu_count(), "crew", member_main, member)
                   : thread_start("crew", member_main, member);
        if (!member->thread) {
            crew_end(crew);
            return false;
        }
    }
    return true;
}

void crew_wait(struct crew *crew) {
    for (uint32_t i = 0; i < crew->size; i++)
        thread_join(crew->members[i].thread);
}

void crew_end(struct crew *crew) {
    __atomic_store_n(&crew->stop, 1, __ATOMIC_RELEASE);
    crew_wait(crew);
}

void crew_await(struct crew *crew, uint64_t more) {
    uint64_t from[CREW_MAX];
    for (uint32_t i = 0; i < crew->size; i++)
        from[i] = __atomic_load_n(&crew->members[i].done, __ATOMIC_ACQUIRE);
    for (uint32_t i = 0; i < crew->size; i++)
        while (__atomic_load_n(&crew->members[i].done, __ATOMIC_ACQUIRE) < from[i] + more)
            thread_sleep(100000);
}

bool swap_surely(k42_ref ref, struct k42_class *to) {
    struct k42_swap request = {.ref = ref, .to = to, .deadline_ns = SURE_NS};
    k42_result result = -ENOENT;
    do
        result = to ? k42_swap_run(&request) : -ENOENT;
    while (result == -ETIMEDOUT || result == -EBUSY);
    if (result < 0)
        print("swap: %s", to ? request.report.text : "there is no such class");
    return result >= 0;
}
