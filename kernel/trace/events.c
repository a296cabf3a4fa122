/*
 * The descriptors of the kernel's own trace events. No state.
 */
#include "events.h"

K42_TRACE_DEFINE(event_clone, "task:clone", KERNEL_EVENT_CLONE_FIELDS);
K42_TRACE_DEFINE(event_exec, "task:exec", KERNEL_EVENT_EXEC_FIELDS);
K42_TRACE_DEFINE(event_exit, "task:exit", KERNEL_EVENT_EXIT_FIELDS);
K42_TRACE_DEFINE(event_signal, "task:signal", KERNEL_EVENT_SIGNAL_FIELDS);
