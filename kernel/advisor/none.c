/*
 * No advisors: what the rest of the kernel calls, for a kernel that is built without them, and for
 * its parts when they are tested on a host.
 */
#include "advisor.h"

#include <errno.h>

void advisor_open(void) {
}

void advisor_note(k42_id id) {
    (void)id;
}

k42_result advisor_chosen(k42_id id) {
    (void)id;
    return 0;
}

void advisor_chosen_no_more(k42_id id) {
    (void)id;
}

bool advisor_allows(k42_id id, const struct k42_class *from, const struct k42_class *to) {
    (void)id, (void)from, (void)to;
    return true;
}

void advisor_changed_itself(k42_id id, const struct k42_class *from, const struct k42_class *to) {
    (void)id, (void)from, (void)to;
}

bool advisor_tell(unsigned n, struct advisor_told *told) {
    (void)n, (void)told;
    return false;
}

k42_result advisor_set(const char *name, enum advisor_mode mode) {
    (void)name, (void)mode;
    return -ENOENT;
}

uint64_t advisor_decision(uint64_t number, struct advisor_decision *decision) {
    (void)number, (void)decision;
    return 0;
}
