/*
 * Which events there are and which are wanted.
 *
 * A module's descriptors are registered when it is loaded and taken out before it goes. The
 * registry keeps its own copy of name and fields for ever, so that events in a buffer or a file
 * stay readable without the module; the same event loaded again gets its old id back.
 *
 * What was enabled and disabled is kept as a row of rules, so that it holds for events that come
 * later; the last rule that matches decides. `registry_lock` guards everything but `enabled`, which
 * emitters read at any moment, and `known`, of which readers see whole entries only.
 *
 * Fails: no memory or too many events; then an event cannot be enabled, and the log says so.
 */
#include "trace.h"

#include "../runtime.h"
#include "text.h"

#include <errno.h>

#define MAX_RULES 64

struct rule {
    char pattern[K42_TRACE_PATTERN_SIZE];
    int wanted;
};

static struct k42_lock registry_lock;
static struct k42_trace_known *known[K42_TRACE_MAX_EVENTS];
static uint32_t known_count; /* ids 1 to known_count */
static struct rule rules[MAX_RULES] = {{"k42:mark", 1}};
static uint32_t rule_count = 1;
static int session_open;

struct k42_trace_known *k42_trace_known(uint32_t id) {
    if (id < 1 || id > __atomic_load_n(&known_count, __ATOMIC_ACQUIRE))
        return NULL;
    return known[id];
}

static int same_fields(const struct k42_trace_known *one, const struct k42_trace_event *event) {
    if (one->field_count != event->field_count)
        return 0;
    for (uint32_t i = 0; i < event->field_count; i++)
        if (one->fields[i].type != event->fields[i].type ||
            !k42_text_equal(one->fields[i].name, event->fields[i].name))
            return 0;
    return 1;
}

static struct k42_trace_known *find_known(const struct k42_trace_event *event) {
    for (uint32_t id = 1; id <= known_count; id++)
        if (k42_text_equal(known[id]->name, event->name) && same_fields(known[id], event))
            return known[id];
    return NULL;
}

static int is_wanted(const char *name) {
    for (uint32_t i = rule_count; i-- > 0;)
        if (k42_trace_text_matches(rules[i].pattern, name))
            return rules[i].wanted;
    return 0;
}

/* Copies a string to *at and moves on behind it. */
static const char *copy_text(char **at, const char *text) {
    char *copy = *at;
    do
        *(*at)++ = *text;
    while (*text++);
    return copy;
}

/* One piece of memory: the entry, its fields, all names. */
static struct k42_trace_known *copy_event(const struct k42_trace_event *event) {
    size_t bytes = sizeof(struct k42_trace_known) + k42_text_length(event->name) + 1;
    for (uint32_t i = 0; i < event->field_count; i++)
        bytes += sizeof(struct k42_trace_field) + k42_text_length(event->fields[i].name) + 1;
    struct k42_trace_known *copy = k42_platform_alloc(bytes);
    if (!copy)
        return NULL;
    copy->fields = (struct k42_trace_field *)(copy + 1);
    copy->field_count = event->field_count;
    char *at = (char *)(copy->fields + event->field_count);
    copy->name = copy_text(&at, event->name);
    for (uint32_t i = 0; i < event->field_count; i++) {
        copy->fields[i].type = event->fields[i].type;
        copy->fields[i].name = copy_text(&at, event->fields[i].name);
    }
    copy->wanted = is_wanted(copy->name);
    return copy;
}

static struct k42_trace_known *add_known(const struct k42_trace_event *event) {
    struct k42_trace_known *copy =
        known_count + 1 < K42_TRACE_MAX_EVENTS ? copy_event(event) : NULL;
    if (!copy) {
        k42_log("a trace event cannot be registered, for want of memory or because "
                "4095 are known already; it stays disabled");
        return NULL;
    }
    copy->id = known_count + 1;
    known[copy->id] = copy;
    __atomic_store_n(&known_count, copy->id, __ATOMIC_RELEASE);
    return copy;
}

static void set_enabled(struct k42_trace_known *one) {
    for (struct k42_trace_event *event = one->live; event; event = event->next)
        __atomic_store_n(&event->enabled, one->wanted && session_open, __ATOMIC_RELEASE);
}

static void register_event(struct k42_trace_event *event) {
    if (!event || event->id)
        return;
    struct k42_trace_known *one = find_known(event);
    if (!one)
        one = add_known(event);
    if (!one)
        return;
    __atomic_store_n(&event->id, one->id, __ATOMIC_RELAXED);
    event->next = one->live;
    one->live = event;
    set_enabled(one);
}

static void register_range(struct k42_trace_event **begin, struct k42_trace_event **end) {
    for (struct k42_trace_event **event = begin; event != end; event++)
        register_event(*event);
}

/* The runtime's own events, which no module's constructor brings along. */
static void lock_registry(void) {
    static int registered;
    k42_lock(&registry_lock);
    if (registered)
        return;
    registered = 1;
    register_range(__start_k42_trace_events, __stop_k42_trace_events);
}

void k42_trace_register(struct k42_trace_event **begin, struct k42_trace_event **end) {
    lock_registry();
    register_range(begin, end);
    k42_unlock(&registry_lock);
}

static void unregister_event(struct k42_trace_event *event) {
    if (!event || !event->id)
        return;
    struct k42_trace_event **link = &known[event->id]->live;
    while (*link != event)
        link = &(*link)->next;
    *link = event->next;
    event->next = NULL;
    __atomic_store_n(&event->enabled, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&event->id, 0, __ATOMIC_RELAXED);
}

void k42_trace_unregister(struct k42_trace_event **begin, struct k42_trace_event **end) {
    lock_registry();
    for (struct k42_trace_event **event = begin; event != end; event++)
        unregister_event(*event);
    k42_unlock(&registry_lock);
}

void k42_trace_refresh(int open) {
    lock_registry();
    session_open = open;
    for (uint32_t id = 1; id <= known_count; id++)
        set_enabled(known[id]);
    k42_unlock(&registry_lock);
}

void k42_trace_hold_registry(void) {
    lock_registry();
}

void k42_trace_let_go_registry(void) {
    k42_unlock(&registry_lock);
}

/* Makes the pattern the newest rule; an older one of the same pattern has no effect any more. */
static int add_rule(const char *pattern, int wanted) {
    uint32_t kept = 0;
    int all = pattern[0] == '*' && !pattern[1];
    for (uint32_t i = 0; i < rule_count; i++)
        if (!all && !k42_text_equal(rules[i].pattern, pattern))
            rules[kept++] = rules[i];
    rule_count = kept;
    if (rule_count == MAX_RULES)
        return -ENOSPC;
    char *at = rules[rule_count].pattern;
    copy_text(&at, pattern);
    rules[rule_count++].wanted = wanted;
    return 0;
}

#define SUGGESTIONS 3

/* The known names nearest to `pattern`, best first; NULL where there is none. */
static void find_near(const char *pattern, const char *near[SUGGESTIONS]) {
    unsigned distances[SUGGESTIONS];
    for (int i = 0; i < SUGGESTIONS; i++) {
        near[i] = NULL;
        distances[i] = (unsigned)k42_text_length(pattern) / 2 + 1;
    }
    for (uint32_t id = 1; id <= known_count; id++) {
        unsigned distance = k42_trace_text_distance(pattern, known[id]->name);
        int place = SUGGESTIONS;
        while (place > 0 && distance < distances[place - 1])
            place--;
        for (int i = SUGGESTIONS - 1; i > place; i--) {
            near[i] = near[i - 1];
            distances[i] = distances[i - 1];
        }
        if (place < SUGGESTIONS) {
            near[place] = known[id]->name;
            distances[place] = distance;
        }
    }
}

static void explain_unknown(const char *pattern, char *why, size_t why_size) {
    const char *near[SUGGESTIONS];
    find_near(pattern, near);
    if (near[0])
        k42_format_text(why, why_size, "no trace event matches \"%s\"; near it: %s%s%s%s%s",
                        pattern, near[0], near[1] ? ", " : "", near[1] ? near[1] : "",
                        near[2] ? ", " : "", near[2] ? near[2] : "");
    else
        k42_format_text(
            why, why_size,
            "no trace event matches \"%s\", nor is any name near it; \"*\" stands for all",
            pattern);
}

static k42_result set_wanted(const char *pattern, int wanted, char *why, size_t why_size) {
    k42_result matched = 0;
    int error = 0;
    size_t length = k42_text_length(pattern);
    if (length == 0 || length >= K42_TRACE_PATTERN_SIZE) {
        k42_format_text(why, why_size, "a pattern for trace events has 1 to 63 characters");
        return -EINVAL;
    }
    lock_registry();
    for (uint32_t id = 1; id <= known_count; id++)
        matched += k42_trace_text_matches(pattern, known[id]->name);
    if (!matched) {
        explain_unknown(pattern, why, why_size);
        error = -ENOENT;
    } else if ((error = add_rule(pattern, wanted)) < 0) {
        k42_format_text(why, why_size, "64 patterns are in force; \"*\" replaces them all");
    }
    for (uint32_t id = 1; !error && id <= known_count; id++) {
        if (k42_trace_text_matches(pattern, known[id]->name))
            known[id]->wanted = wanted;
        set_enabled(known[id]);
    }
    k42_unlock(&registry_lock);
    return error ? error : matched;
}

k42_result k42_trace_enable(const char *pattern, char *why, size_t why_size) {
    return set_wanted(pattern, 1, why, why_size);
}

k42_result k42_trace_disable(const char *pattern, char *why, size_t why_size) {
    return set_wanted(pattern, 0, why, why_size);
}

long k42_trace_each_event(long (*visit)(const struct k42_trace_event_info *, void *context),
                          void *context) {
    long result = 0;
    lock_registry();
    for (uint32_t id = 1; !result && id <= known_count; id++) {
        struct k42_trace_event_info info = {known[id]->name, id, known[id]->wanted,
                                            known[id]->live != NULL,
                                            k42_trace_event_recorded(known[id])};
        result = visit(&info, context);
    }
    k42_unlock(&registry_lock);
    return result;
}
