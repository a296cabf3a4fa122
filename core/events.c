/*
 * The descriptors of the runtime's own trace events, which core/events.h emits.
 *
 * The trace facility registers them itself; nothing else here has state.
 */
#include "events.h"

K42_TRACE_DEFINE(k42_trace_create, "k42:create", K42_EVENT_CREATE_FIELDS);
K42_TRACE_DEFINE(k42_trace_destroy, "k42:destroy", K42_EVENT_DESTROY_FIELDS);
K42_TRACE_DEFINE(k42_trace_miss, "k42:miss", K42_EVENT_MISS_FIELDS);
K42_TRACE_DEFINE(k42_trace_swap_begin, "k42:swap_begin", K42_EVENT_SWAP_BEGIN_FIELDS);
K42_TRACE_DEFINE(k42_trace_swap_phase, "k42:swap_phase", K42_EVENT_SWAP_PHASE_FIELDS);
K42_TRACE_DEFINE(k42_trace_swap_end, "k42:swap_end", K42_EVENT_SWAP_END_FIELDS);
K42_TRACE_DEFINE(k42_trace_interpose, "k42:interpose", K42_EVENT_INTERPOSE_FIELDS);
K42_TRACE_DEFINE(k42_trace_release, "k42:release", K42_EVENT_RELEASE_FIELDS);
K42_TRACE_DEFINE(k42_trace_upgrade_begin, "k42:upgrade_begin", K42_EVENT_UPGRADE_BEGIN_FIELDS);
K42_TRACE_DEFINE(k42_trace_upgrade_progress, "k42:upgrade_progress",
                 K42_EVENT_UPGRADE_PROGRESS_FIELDS);
K42_TRACE_DEFINE(k42_trace_upgrade_end, "k42:upgrade_end", K42_EVENT_UPGRADE_END_FIELDS);
K42_TRACE_DEFINE(k42_trace_grace_period_begin, "k42:grace_period_begin",
                 K42_EVENT_GRACE_BEGIN_FIELDS);
K42_TRACE_DEFINE(k42_trace_grace_period_end, "k42:grace_period_end", K42_EVENT_GRACE_END_FIELDS);
K42_TRACE_DEFINE(k42_trace_stall, "k42:stall", K42_EVENT_STALL_FIELDS);
K42_TRACE_DEFINE(k42_trace_component_load, "k42:component_load", K42_EVENT_COMPONENT_LOAD_FIELDS);
K42_TRACE_DEFINE(k42_trace_component_unload, "k42:component_unload",
                 K42_EVENT_COMPONENT_UNLOAD_FIELDS);
K42_TRACE_DEFINE(k42_trace_attach, "k42:attach", K42_EVENT_ATTACH_FIELDS);
K42_TRACE_DEFINE(k42_trace_detach, "k42:detach", K42_EVENT_DETACH_FIELDS);
K42_TRACE_DEFINE(k42_trace_mark_event, "k42:mark", K42_EVENT_MARK_FIELDS);
