/*
 * The kernel's own trace events; the runtime's are in core/events.h.
 *
 * Each costs a load and a predicted branch while it is disabled. Any context.
 */
#ifndef KERNEL_TRACE_EVENTS_H
#define KERNEL_TRACE_EVENTS_H

#include <k42/trace.h>

#define KERNEL_EVENT_CLONE_FIELDS  (u32, tid), (u32, child)
#define KERNEL_EVENT_EXEC_FIELDS   (u32, tid), (string, name)
#define KERNEL_EVENT_EXIT_FIELDS   (u32, tid), (string, name)
#define KERNEL_EVENT_SIGNAL_FIELDS (u32, process), (u32, tid), (u32, signal)

/* A task made another one; began another program; ended; a signal was sent to it (of a process by
 * its object's id; tid 0: any of its threads). */
K42_TRACE_DECLARE(event_clone, KERNEL_EVENT_CLONE_FIELDS);
K42_TRACE_DECLARE(event_exec, KERNEL_EVENT_EXEC_FIELDS);
K42_TRACE_DECLARE(event_exit, KERNEL_EVENT_EXIT_FIELDS);
K42_TRACE_DECLARE(event_signal, KERNEL_EVENT_SIGNAL_FIELDS);

#endif
