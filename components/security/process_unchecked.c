/*
 * A version of the process with a hole, for the tutorial of docs/upgrade.md: it does not look who
 * raises a limit.
 *
 * The most that a process may have of something is raised by whoever has CAP_SYS_RESOURCE, and
 * lowered by everybody. The caller says whether that one may; this version forgets to listen. So
 * whoever was given few open files by an administrator takes as many as he likes.
 */
#include <k42/kernel/process.h>

K42_COMPONENT("process_unchecked");

static k42_result unchecked_limit(struct process *self, unsigned resource,
                                  const struct process_limit *wanted, struct process_limit *present,
                                  unsigned may_raise) {
    (void)may_raise; /* the hole */
    return process_limit(self, resource, wanted, present, true);
}

static const struct process_ops unchecked_ops = {
    PROCESS_METHODS,
    .limit = unchecked_limit,
};

static const struct k42_transfer unchecked_transfers[] = PROCESS_TRANSFERS;

K42_CLASS(process_unchecked) = {
    .name = "process.linux",
    .interface = &process_interface,
    .version = 2,
    .traits = "lock=one",
    BODY_OBJECT,
    .ops = &unchecked_ops,
    .init = process_init,
    .fini = process_fini,
    .transfers = unchecked_transfers,
};
