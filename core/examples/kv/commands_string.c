/*
 * Commands on values: GET, SET and their family, counters, APPEND.
 *
 * Whatever depends on the present value is a kv_change: it may be made more than once before it
 * takes effect, so it replies only when kv_store_change() has returned.
 */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { UNCHANGED = 1 }; /* a change that decided against itself */

static void reply_value(struct kv_request *request, const struct kv_entry *entry) {
    if (entry)
        kv_reply_bulk(request->out, kv_entry_value(entry), entry->value_length);
    else
        kv_reply_null(request->out);
}

/* Finds the value of argument n, or NULL. */
static k42_result find_value(struct kv_request *request, size_t n, struct kv_entry **entry) {
    struct kv_key key = kv_argument_key(request, n);
    k42_result result = kv_store_find(&request->server->store, &key, request->now, entry);
    if (result == -ENOENT)
        *entry = NULL;
    return result == -ENOENT ? 0 : result;
}

static void run_get(struct kv_request *request) {
    struct kv_entry *entry;
    k42_result result = find_value(request, 1, &entry);
    if (result < 0)
        kv_reply_failure(request, result);
    else
        reply_value(request, entry);
}

static void run_mget(struct kv_request *request) {
    kv_reply_array(request->out, request->count - 1);
    for (size_t n = 1; n < request->count; n++) {
        struct kv_entry *entry;
        k42_result result = find_value(request, n, &entry);
        if (result < 0)
            kv_reply_failure(request, result);
        else
            reply_value(request, entry);
    }
}

static void run_strlen(struct kv_request *request) {
    struct kv_entry *entry;
    k42_result result = find_value(request, 1, &entry);
    if (result < 0)
        kv_reply_failure(request, result);
    else
        kv_reply_number(request->out, entry ? entry->value_length : 0);
}

/* ---- SET ---- */

struct set_change {
    struct kv_change change;
    struct kv_slice value;
    uint64_t deadline_ms;
    int only_absent, only_present, keep_deadline, wants_old;
    const struct kv_entry *old;
};

static k42_result make_set(struct kv_change *change, const struct kv_key *key,
                           const struct kv_entry *present, struct kv_entry **wanted) {
    struct set_change *set = (struct set_change *)(void *)change;
    set->old = present;
    if ((set->only_absent && present) || (set->only_present && !present))
        return UNCHANGED;
    uint64_t deadline_ms = set->keep_deadline && present ? present->deadline_ms : set->deadline_ms;
    *wanted = kv_entry_make(key, set->value.bytes, set->value.length, NULL, 0, deadline_ms);
    return *wanted ? 0 : -ENOMEM;
}

/* Sets argument `key` by the change, and gives its result. */
static k42_result apply_set(struct kv_request *request, size_t key_number, struct set_change *set) {
    struct kv_key key = kv_argument_key(request, key_number);
    set->change.make = make_set;
    return kv_store_change(&request->server->store, &key, request->now, &set->change);
}

/* Sets without a look at what is there. */
static k42_result set_plainly(struct kv_request *request, size_t key_number, struct kv_slice value,
                              uint64_t deadline_ms) {
    struct kv_key key = kv_argument_key(request, key_number);
    struct kv_entry *entry = kv_entry_make(&key, value.bytes, value.length, NULL, 0, deadline_ms);
    if (!entry)
        return -ENOMEM;
    k42_result result = kv_store_set(&request->server->store, entry, request->now);
    if (result < 0)
        kv_entry_free(entry);
    return result;
}

/* Reads argument n as a time to live. 0, or -EINVAL after a reply. */
static int read_deadline(struct kv_request *request, size_t n, enum kv_time_unit unit,
                         enum kv_time_base base, uint64_t *deadline_ms) {
    int64_t number, deadline;
    if (kv_argument_number(request, n, &number) < 0)
        return -EINVAL;
    if (number <= 0 || kv_deadline(request->now, number, unit, base, &deadline) < 0) {
        char name[32] = "set";
        (void)kv_argument_text(request, 0, name, sizeof(name));
        kv_reply_errorf(request->out, "ERR invalid expire time in '%s' command", name);
        return -EINVAL;
    }
    *deadline_ms = (uint64_t)deadline;
    return 0;
}

/* Reads one of EX PX EXAT PXAT with its number. 1: read; 0: something else; -EINVAL: replied. */
static int read_expiry_option(struct kv_request *request, size_t n, uint64_t *deadline_ms) {
    static const struct {
        const char *word;
        enum kv_time_unit unit;
        enum kv_time_base base;
    } options[] = {
        {"ex", KV_SECONDS, KV_FROM_NOW},
        {"px", KV_MILLISECONDS, KV_FROM_NOW},
        {"exat", KV_SECONDS, KV_FROM_EPOCH},
        {"pxat", KV_MILLISECONDS, KV_FROM_EPOCH},
    };
    for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
        if (!kv_argument_is(request, n, options[o].word) || n + 1 == request->count)
            continue;
        int result = read_deadline(request, n + 1, options[o].unit, options[o].base, deadline_ms);
        return result < 0 ? result : 1;
    }
    return 0;
}

/* 0, or -EINVAL after a reply. */
static int read_set_options(struct kv_request *request, struct set_change *set) {
    for (size_t n = 3; n < request->count; n++) {
        if (kv_argument_is(request, n, "nx")) {
            set->only_absent = 1;
        } else if (kv_argument_is(request, n, "xx")) {
            set->only_present = 1;
        } else if (kv_argument_is(request, n, "keepttl")) {
            set->keep_deadline = 1;
        } else if (kv_argument_is(request, n, "get")) {
            set->wants_old = 1;
        } else {
            int again = set->deadline_ms != 0;
            int read = again ? 0 : read_expiry_option(request, n, &set->deadline_ms);
            if (read < 0)
                return read;
            if (read == 0) {
                kv_reply_syntax(request);
                return -EINVAL;
            }
            n++;
        }
    }
    if ((set->only_absent && set->only_present) || (set->keep_deadline && set->deadline_ms)) {
        kv_reply_syntax(request);
        return -EINVAL;
    }
    return 0;
}

static void run_set(struct kv_request *request) {
    struct set_change set = {.value = kv_argument(request, 2)};
    if (read_set_options(request, &set) < 0)
        return;
    int depends = set.only_absent || set.only_present || set.keep_deadline || set.wants_old;
    k42_result result =
        depends ? apply_set(request, 1, &set) : set_plainly(request, 1, set.value, set.deadline_ms);
    if (result < 0)
        kv_reply_failure(request, result);
    else if (set.wants_old)
        reply_value(request, set.old);
    else if (result == UNCHANGED)
        kv_reply_null(request->out);
    else
        kv_reply_status(request->out, "OK");
}

static void set_with_expiry(struct kv_request *request, enum kv_time_unit unit) {
    uint64_t deadline_ms;
    if (read_deadline(request, 2, unit, KV_FROM_NOW, &deadline_ms) < 0)
        return;
    k42_result result = set_plainly(request, 1, kv_argument(request, 3), deadline_ms);
    if (result < 0)
        kv_reply_failure(request, result);
    else
        kv_reply_status(request->out, "OK");
}

static void run_setex(struct kv_request *request) {
    set_with_expiry(request, KV_SECONDS);
}

static void run_psetex(struct kv_request *request) {
    set_with_expiry(request, KV_MILLISECONDS);
}

static void run_setnx(struct kv_request *request) {
    struct set_change set = {.value = kv_argument(request, 2), .only_absent = 1};
    k42_result result = apply_set(request, 1, &set);
    if (result < 0)
        kv_reply_failure(request, result);
    else
        kv_reply_number(request->out, result != UNCHANGED);
}

static void run_getset(struct kv_request *request) {
    struct set_change set = {.value = kv_argument(request, 2)};
    k42_result result = apply_set(request, 1, &set);
    if (result < 0)
        kv_reply_failure(request, result);
    else
        reply_value(request, set.old);
}

/* One key after the other: another client may see some of them set and others not yet. */
static void run_mset(struct kv_request *request) {
    if (request->count % 2 == 0) {
        kv_reply_arity(request, "mset");
        return;
    }
    for (size_t n = 1; n < request->count; n += 2) {
        k42_result result = set_plainly(request, n, kv_argument(request, n + 1), 0);
        if (result < 0) {
            kv_reply_failure(request, result);
            return;
        }
    }
    kv_reply_status(request->out, "OK");
}

/* ---- taking a value out ---- */

struct take_change {
    struct kv_change change;
    const struct kv_entry *old;
};

static k42_result make_nothing(struct kv_change *change, const struct kv_key *key,
                               const struct kv_entry *present, struct kv_entry **wanted) {
    (void)key;
    ((struct take_change *)(void *)change)->old = present;
    *wanted = NULL;
    return 0;
}

static void run_getdel(struct kv_request *request) {
    struct take_change take = {.change.make = make_nothing};
    struct kv_key key = kv_argument_key(request, 1);
    k42_result result = kv_store_change(&request->server->store, &key, request->now, &take.change);
    if (result < 0)
        kv_reply_failure(request, result);
    else
        reply_value(request, take.old);
}

/* ---- counters ---- */

struct count_change {
    struct kv_change change;
    int64_t difference;
    int64_t sum;
};

static k42_result make_sum(struct kv_change *change, const struct kv_key *key,
                           const struct kv_entry *present, struct kv_entry **wanted) {
    struct count_change *count = (struct count_change *)(void *)change;
    char text[24];
    int64_t number = 0;
    if (present) {
        struct kv_slice value = {kv_entry_value(present), present->value_length};
        if (kv_parse_number(value, &number) < 0)
            return -EINVAL;
    }
    if (__builtin_add_overflow(number, count->difference, &count->sum))
        return -EOVERFLOW;
    int length = snprintf(text, sizeof(text), "%lld", (long long)count->sum);
    *wanted = kv_entry_make(key, text, (size_t)length, NULL, 0, present ? present->deadline_ms : 0);
    return *wanted ? 0 : -ENOMEM;
}

static void count_by(struct kv_request *request, int64_t difference) {
    struct count_change count = {.change.make = make_sum, .difference = difference};
    struct kv_key key = kv_argument_key(request, 1);
    k42_result result = kv_store_change(&request->server->store, &key, request->now, &count.change);
    if (result == -EINVAL)
        kv_reply_not_a_number(request);
    else if (result == -EOVERFLOW)
        kv_reply_error(request->out, "ERR increment or decrement would overflow");
    else if (result < 0)
        kv_reply_failure(request, result);
    else
        kv_reply_number(request->out, count.sum);
}

static void run_incr(struct kv_request *request) {
    count_by(request, 1);
}

static void run_decr(struct kv_request *request) {
    count_by(request, -1);
}

static void run_incrby(struct kv_request *request) {
    int64_t difference;
    if (kv_argument_number(request, 2, &difference) == 0)
        count_by(request, difference);
}

static void run_decrby(struct kv_request *request) {
    int64_t difference;
    if (kv_argument_number(request, 2, &difference) < 0)
        return;
    if (difference == INT64_MIN)
        kv_reply_error(request->out, "ERR decrement would overflow");
    else
        count_by(request, -difference);
}

/* ---- APPEND ---- */

struct append_change {
    struct kv_change change;
    struct kv_slice more;
    size_t length;
};

static k42_result make_longer(struct kv_change *change, const struct kv_key *key,
                              const struct kv_entry *present, struct kv_entry **wanted) {
    struct append_change *append = (struct append_change *)(void *)change;
    size_t length = present ? present->value_length : 0;
    if (length + append->more.length > KV_BULK_LIMIT)
        return -E2BIG;
    append->length = length + append->more.length;
    *wanted =
        kv_entry_make(key, present ? kv_entry_value(present) : NULL, length, append->more.bytes,
                      append->more.length, present ? present->deadline_ms : 0);
    return *wanted ? 0 : -ENOMEM;
}

static void run_append(struct kv_request *request) {
    struct append_change append = {.change.make = make_longer, .more = kv_argument(request, 2)};
    struct kv_key key = kv_argument_key(request, 1);
    k42_result result =
        kv_store_change(&request->server->store, &key, request->now, &append.change);
    if (result == -E2BIG)
        kv_reply_error(request->out, "ERR string exceeds maximum allowed size");
    else if (result < 0)
        kv_reply_failure(request, result);
    else
        kv_reply_number(request->out, (int64_t)append.length);
}

const struct kv_command kv_string_commands[] = {
    {"get", 2, 0, 1, 1, 1, run_get},
    {"set", -3, KV_WRITES | KV_GROWS, 1, 1, 1, run_set},
    {"incr", 2, KV_WRITES | KV_GROWS, 1, 1, 1, run_incr},
    {"mget", -2, 0, 1, -1, 1, run_mget},
    {"mset", -3, KV_WRITES | KV_GROWS, 1, -1, 2, run_mset},
    {"setex", 4, KV_WRITES | KV_GROWS, 1, 1, 1, run_setex},
    {"psetex", 4, KV_WRITES | KV_GROWS, 1, 1, 1, run_psetex},
    {"setnx", 3, KV_WRITES | KV_GROWS, 1, 1, 1, run_setnx},
    {"getset", 3, KV_WRITES | KV_GROWS, 1, 1, 1, run_getset},
    {"getdel", 2, KV_WRITES, 1, 1, 1, run_getdel},
    {"strlen", 2, 0, 1, 1, 1, run_strlen},
    {"append", 3, KV_WRITES | KV_GROWS, 1, 1, 1, run_append},
    {"decr", 2, KV_WRITES | KV_GROWS, 1, 1, 1, run_decr},
    {"incrby", 3, KV_WRITES | KV_GROWS, 1, 1, 1, run_incrby},
    {"decrby", 3, KV_WRITES | KV_GROWS, 1, 1, 1, run_decrby},
    {0},
};
