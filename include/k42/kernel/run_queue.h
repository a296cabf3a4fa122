/*
 * What implementing a run queue takes: lines of entities, and a policy that is one line.
 */
#ifndef K42_KERNEL_RUN_QUEUE_PARTS_H
#define K42_KERNEL_RUN_QUEUE_PARTS_H

#include <k42/kernel.h>

#include "../../../kernel/sched/run_queue/run_body.h"
#include "../../../kernel/sched/run_queue/run_line.h"

#endif
