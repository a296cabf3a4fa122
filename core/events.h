/*
 * The runtime's own trace events: what happens to objects, swaps, grace periods and components.
 *
 * Each function costs a load and a predicted branch while its event is disabled, and may be called
 * in any context, also under a lock. The descriptors are in core/events.c.
 */
#ifndef K42_CORE_EVENTS_H
#define K42_CORE_EVENTS_H

#include <k42/trace.h>

#define K42_EVENT_CREATE_FIELDS     (u32, id), (string, class_name)
#define K42_EVENT_DESTROY_FIELDS    (u32, id)
#define K42_EVENT_MISS_FIELDS       (u32, id), (u32, cpu)
#define K42_EVENT_SWAP_BEGIN_FIELDS (u32, id), (string, from), (string, to)
#define K42_EVENT_SWAP_PHASE_FIELDS (u32, id), (string, phase)
#define K42_EVENT_SWAP_END_FIELDS                                                                  \
    (u32, id), (i64, result), (u64, forward_ns), (u64, block_ns), (u64, transfer_ns)
#define K42_EVENT_INTERPOSE_FIELDS        (u32, id)
#define K42_EVENT_RELEASE_FIELDS          (u32, id)
#define K42_EVENT_UPGRADE_BEGIN_FIELDS    (string, class_name), (u32, version), (u32, mode)
#define K42_EVENT_UPGRADE_PROGRESS_FIELDS (string, class_name), (u64, done), (u64, total)
#define K42_EVENT_UPGRADE_END_FIELDS      (string, class_name), (u64, converted), (u64, failed)
#define K42_EVENT_GRACE_BEGIN_FIELDS      (u64, sequence)
#define K42_EVENT_GRACE_END_FIELDS        (u64, sequence), (u64, ns)
#define K42_EVENT_STALL_FIELDS            (u32, thread), (u64, ns)
#define K42_EVENT_COMPONENT_LOAD_FIELDS   (string, component)
#define K42_EVENT_COMPONENT_UNLOAD_FIELDS (string, component)
#define K42_EVENT_ATTACH_FIELDS           (u32, cpu)
#define K42_EVENT_DETACH_FIELDS           (u32, cpu)
#define K42_EVENT_MARK_FIELDS             (string, text)

K42_TRACE_DECLARE(k42_trace_create, K42_EVENT_CREATE_FIELDS);
K42_TRACE_DECLARE(k42_trace_destroy, K42_EVENT_DESTROY_FIELDS);
K42_TRACE_DECLARE(k42_trace_miss, K42_EVENT_MISS_FIELDS);
K42_TRACE_DECLARE(k42_trace_swap_begin, K42_EVENT_SWAP_BEGIN_FIELDS);
K42_TRACE_DECLARE(k42_trace_swap_phase, K42_EVENT_SWAP_PHASE_FIELDS);
K42_TRACE_DECLARE(k42_trace_swap_end, K42_EVENT_SWAP_END_FIELDS);
K42_TRACE_DECLARE(k42_trace_interpose, K42_EVENT_INTERPOSE_FIELDS);
K42_TRACE_DECLARE(k42_trace_release, K42_EVENT_RELEASE_FIELDS);
K42_TRACE_DECLARE(k42_trace_upgrade_begin, K42_EVENT_UPGRADE_BEGIN_FIELDS);
K42_TRACE_DECLARE(k42_trace_upgrade_progress, K42_EVENT_UPGRADE_PROGRESS_FIELDS);
K42_TRACE_DECLARE(k42_trace_upgrade_end, K42_EVENT_UPGRADE_END_FIELDS);
K42_TRACE_DECLARE(k42_trace_grace_period_begin, K42_EVENT_GRACE_BEGIN_FIELDS);
K42_TRACE_DECLARE(k42_trace_grace_period_end, K42_EVENT_GRACE_END_FIELDS);
K42_TRACE_DECLARE(k42_trace_stall, K42_EVENT_STALL_FIELDS);
K42_TRACE_DECLARE(k42_trace_component_load, K42_EVENT_COMPONENT_LOAD_FIELDS);
K42_TRACE_DECLARE(k42_trace_component_unload, K42_EVENT_COMPONENT_UNLOAD_FIELDS);
K42_TRACE_DECLARE(k42_trace_attach, K42_EVENT_ATTACH_FIELDS);
K42_TRACE_DECLARE(k42_trace_detach, K42_EVENT_DETACH_FIELDS);
K42_TRACE_DECLARE(k42_trace_mark_event, K42_EVENT_MARK_FIELDS);

/* An object has got its id; the class's name may be NULL. */
static inline void k42_event_create(k42_id id, const char *class_name) {
    K42_TRACE(k42_trace_create, id, class_name);
}

/* An object is dead: its ref answers -K42_STALE from here on. */
static inline void k42_event_destroy(k42_id id) {
    K42_TRACE(k42_trace_destroy, id);
}

/* A CPU asks an object for its representative. */
static inline void k42_event_miss(k42_id id, uint32_t cpu) {
    K42_TRACE(k42_trace_miss, id, cpu);
}

/* A swap: class names, then each phase by name ("forward", "block", "transfer", ...), then the
 * outcome (0 or a negative error) and the time each phase took. */
static inline void k42_event_swap_begin(k42_id id, const char *from, const char *to) {
    K42_TRACE(k42_trace_swap_begin, id, from, to);
}
static inline void k42_event_swap_phase(k42_id id, const char *phase) {
    K42_TRACE(k42_trace_swap_phase, id, phase);
}
static inline void k42_event_swap_end(k42_id id, k42_result result, uint64_t forward_ns,
                                      uint64_t block_ns, uint64_t transfer_ns) {
    K42_TRACE(k42_trace_swap_end, id, result, forward_ns, block_ns, transfer_ns);
}

/* A hook was placed on an object, or taken away. */
static inline void k42_event_interpose(k42_id id) {
    K42_TRACE(k42_trace_interpose, id);
}
static inline void k42_event_release(k42_id id) {
    K42_TRACE(k42_trace_release, id);
}

/* An upgrade of a class: to which version and how (enum k42_upgrade_mode), how far, how it ended.
 */
static inline void k42_event_upgrade_begin(const char *class_name, uint32_t version,
                                           uint32_t mode) {
    K42_TRACE(k42_trace_upgrade_begin, class_name, version, mode);
}
static inline void k42_event_upgrade_progress(const char *class_name, uint64_t done,
                                              uint64_t total) {
    K42_TRACE(k42_trace_upgrade_progress, class_name, done, total);
}
static inline void k42_event_upgrade_end(const char *class_name, uint64_t converted,
                                         uint64_t failed) {
    K42_TRACE(k42_trace_upgrade_end, class_name, converted, failed);
}

/* A grace period begins, ends after `ns`; or thread `thread` has held one up for `ns` so far. */
static inline void k42_event_grace_period_begin(uint64_t sequence) {
    K42_TRACE(k42_trace_grace_period_begin, sequence);
}
static inline void k42_event_grace_period_end(uint64_t sequence, uint64_t ns) {
    K42_TRACE(k42_trace_grace_period_end, sequence, ns);
}
static inline void k42_event_stall(uint32_t thread, uint64_t ns) {
    K42_TRACE(k42_trace_stall, thread, ns);
}

/* A component was loaded, or is about to leave. */
static inline void k42_event_component_load(const char *component) {
    K42_TRACE(k42_trace_component_load, component);
}
static inline void k42_event_component_unload(const char *component) {
    K42_TRACE(k42_trace_component_unload, component);
}

/* A thread became a CPU of the runtime, or stops being one. Emit both while attached. */
static inline void k42_event_attach(uint32_t cpu) {
    K42_TRACE(k42_trace_attach, cpu);
}
static inline void k42_event_detach(uint32_t cpu) {
    K42_TRACE(k42_trace_detach, cpu);
}

#endif
