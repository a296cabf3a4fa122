/*
 * Commands on keys: removing, deadlines, and going through all of them.
 *
 * SCAN's cursor is the table's, a position in the order of hashes, so a scan that began before a
 * swap goes on after it and still shows every key that was there all the time.
 */
#include "commands.h"
#include "glob.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN_AT_ONCE = 128 };

/* ---- being there ---- */

static k42_result make_nothing(struct kv_change *change, const struct kv_key *key,
                               const struct kv_entry *present, struct kv_entry **wanted) {
    (void)change, (void)key;
    *wanted = NULL;
    return present ? 0 : -ENOENT;
}

/* For each argument: removes it, or looks whether it is there. Replies how many were. */
static void count_keys(struct kv_request *request, int remove) {
    int64_t found = 0;
    for (size_t n = 1; n < request->count; n++) {
        struct kv_change change = {make_nothing};
        struct kv_key key = kv_argument_key(request, n);
        struct kv_entry *entry;
        k42_result result =
            remove ? kv_store_change(&request->server->store, &key, request->now, &change)
                   : kv_store_peek(&request->server->store, &key, request->now, &entry);
        if (result < 0 && result != -ENOENT) {
            kv_reply_failure(request, result);
            return;
        }
        found += result == 0;
    }
    kv_reply_number(request->out, found);
}

static void run_del(struct kv_request *request) {
    count_keys(request, 1);
}

static void run_exists(struct kv_request *request) {
    count_keys(request, 0);
}

static void run_type(struct kv_request *request) {
    struct kv_key key = kv_argument_key(request, 1);
    struct kv_entry *entry;
    k42_result result = kv_store_peek(&request->server->store, &key, request->now, &entry);
    kv_reply_status(request->out, result == 0 ? "string" : "none");
}

/* ---- deadlines ---- */

struct deadline_change {
    struct kv_change change;
    int64_t deadline_ms; /* 0: none; in the past: the key goes */
    struct kv_now now;
};

static k42_result make_deadline(struct kv_change *change, const struct kv_key *key,
                                const struct kv_entry *present, struct kv_entry **wanted) {
    struct deadline_change *deadline = (struct deadline_change *)(void *)change;
    if (!present)
        return -ENOENT;
    if (deadline->deadline_ms == 0 && present->deadline_ms == 0)
        return -ENOENT;
    *wanted = NULL;
    if (deadline->deadline_ms != 0 && deadline->deadline_ms <= (int64_t)deadline->now.wall_ms)
        return 0;
    *wanted = kv_entry_make(key, kv_entry_value(present), present->value_length, NULL, 0,
                            (uint64_t)deadline->deadline_ms);
    return *wanted ? 0 : -ENOMEM;
}

static void change_deadline(struct kv_request *request, int64_t deadline_ms) {
    struct deadline_change change = {{make_deadline}, deadline_ms, request->now};
    struct kv_key key = kv_argument_key(request, 1);
    k42_result result =
        kv_store_change(&request->server->store, &key, request->now, &change.change);
    if (result < 0 && result != -ENOENT)
        kv_reply_failure(request, result);
    else
        kv_reply_number(request->out, result == 0);
}

static void expire(struct kv_request *request, enum kv_time_unit unit, enum kv_time_base base) {
    int64_t number, deadline_ms;
    if (kv_argument_number(request, 2, &number) < 0)
        return;
    if (kv_deadline(request->now, number, unit, base, &deadline_ms) < 0)
        kv_reply_error(request->out, "ERR invalid expire time in 'expire' command");
    else
        change_deadline(request, deadline_ms == 0 ? -1 : deadline_ms);
}

static void run_expire(struct kv_request *request) {
    expire(request, KV_SECONDS, KV_FROM_NOW);
}

static void run_pexpire(struct kv_request *request) {
    expire(request, KV_MILLISECONDS, KV_FROM_NOW);
}

static void run_expireat(struct kv_request *request) {
    expire(request, KV_SECONDS, KV_FROM_EPOCH);
}

static void run_pexpireat(struct kv_request *request) {
    expire(request, KV_MILLISECONDS, KV_FROM_EPOCH);
}

static void run_persist(struct kv_request *request) {
    change_deadline(request, 0);
}

/* -2: no such key; -1: no deadline; or what is left, in units rounded to the nearest. */
static void reply_time_left(struct kv_request *request, uint64_t unit_ms) {
    struct kv_key key = kv_argument_key(request, 1);
    struct kv_entry *entry;
    k42_result result = kv_store_peek(&request->server->store, &key, request->now, &entry);
    if (result < 0 && result != -ENOENT)
        kv_reply_failure(request, result);
    else if (result < 0 || !entry->deadline_ms)
        kv_reply_number(request->out, result < 0 ? -2 : -1);
    else
        kv_reply_number(
            request->out,
            (int64_t)((entry->deadline_ms - request->now.wall_ms + unit_ms / 2) / unit_ms));
}

static void run_ttl(struct kv_request *request) {
    reply_time_left(request, 1000);
}

static void run_pttl(struct kv_request *request) {
    reply_time_left(request, 1);
}

/* ---- all keys ---- */

/* Appends the names of those entries that live and match; returns how many. */
static size_t show_keys(struct kv_request *request, struct kv_buffer *names,
                        struct kv_slice pattern, struct kv_entry *const *entries, size_t count) {
    size_t shown = 0;
    for (size_t n = 0; n < count; n++) {
        struct kv_slice name = {entries[n]->bytes, entries[n]->key_length};
        if (kv_expired(entries[n], request->now) || !kv_glob_matches(pattern, name, KV_EXACT_CASE))
            continue;
        kv_reply_bulk(names, name.bytes, name.length);
        shown++;
    }
    return shown;
}

/* Walks from *cursor until at least `wanted` entries have been looked at, or the end. */
static k42_result collect_keys(struct kv_request *request, struct kv_buffer *names,
                               struct kv_slice pattern, uint64_t *cursor, uint64_t wanted) {
    struct kv_entry *entries[SHOWN_AT_ONCE];
    size_t shown = 0;
    uint64_t seen = 0;
    do {
        k42_result walked =
            k42_call(request->server->store.table, walk, cursor, entries, SHOWN_AT_ONCE);
        if (walked < 0)
            return walked;
        shown += show_keys(request, names, pattern, entries, (size_t)walked);
        seen += (uint64_t)walked;
        k42_safe_point(); /* no entry is in use here, and a walk can be long */
    } while (*cursor != 0 && seen < wanted);
    return (k42_result)shown;
}

/* An array of the names collected, or the reason why there is none. */
static void reply_keys(struct kv_request *request, struct kv_buffer *names, k42_result shown) {
    kv_reply_array(request->out, (size_t)shown);
    kv_buffer_append(request->out, kv_buffer_front(names), kv_buffer_length(names));
}

static void run_keys(struct kv_request *request) {
    struct kv_buffer names = {.limit = KV_OUTPUT_LIMIT};
    uint64_t cursor = 0;
    k42_result shown = collect_keys(request, &names, kv_argument(request, 1), &cursor, UINT64_MAX);
    if (names.failed)
        kv_reply_error(request->out, "ERR too many keys for one reply, use SCAN");
    else if (shown < 0)
        kv_reply_failure(request, shown);
    else
        reply_keys(request, &names, shown);
    kv_buffer_free(&names);
}

static int parse_cursor(struct kv_slice text, uint64_t *cursor) {
    uint64_t value = 0;
    for (size_t n = 0; n < text.length; n++) {
        unsigned digit = (unsigned char)text.bytes[n] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value))
            return -EINVAL;
    }
    *cursor = value;
    return text.length ? 0 : -EINVAL;
}

/* 0, or -EINVAL after a reply. */
static int read_scan_options(struct kv_request *request, struct kv_slice *pattern, int64_t *count) {
    for (size_t n = 2; n < request->count; n += 2) {
        if (n + 1 == request->count) {
            kv_reply_syntax(request);
            return -EINVAL;
        }
        if (kv_argument_is(request, n, "match")) {
            *pattern = kv_argument(request, n + 1);
        } else if (kv_argument_is(request, n, "count")) {
            if (kv_argument_number(request, n + 1, count) < 0)
                return -EINVAL;
        } else if (!kv_argument_is(request, n, "type") ||
                   !kv_argument_is(request, n + 1, "string")) {
            kv_reply_syntax(request);
            return -EINVAL;
        }
    }
    if (*count < 1) {
        kv_reply_syntax(request);
        return -EINVAL;
    }
    return 0;
}

static void run_scan(struct kv_request *request) {
    struct kv_buffer names = {.limit = KV_OUTPUT_LIMIT};
    struct kv_slice pattern = {"*", 1};
    int64_t count = 10;
    uint64_t cursor;
    char text[24];
    if (parse_cursor(kv_argument(request, 1), &cursor) < 0) {
        kv_reply_error(request->out, "ERR invalid cursor");
        return;
    }
    if (read_scan_options(request, &pattern, &count) < 0)
        return;
    k42_result shown = collect_keys(request, &names, pattern, &cursor, (uint64_t)count);
    if (shown < 0 || names.failed) {
        kv_reply_failure(request, shown < 0 ? shown : -ENOMEM);
    } else {
        snprintf(text, sizeof(text), "%" PRIu64, cursor);
        kv_reply_array(request->out, 2);
        kv_reply_text(request->out, text);
        reply_keys(request, &names, shown);
    }
    kv_buffer_free(&names);
}

static void run_dbsize(struct kv_request *request) {
    k42_result count = k42_call(request->server->store.table, count);
    if (count < 0)
        kv_reply_failure(request, count);
    else
        kv_reply_number(request->out, count);
}

static void run_flush(struct kv_request *request) {
    if (request->count > 2 || (request->count == 2 && !kv_argument_is(request, 1, "sync") &&
                               !kv_argument_is(request, 1, "async"))) {
        kv_reply_syntax(request);
        return;
    }
    k42_result result = kv_store_clear(&request->server->store, request->now);
    if (result < 0)
        kv_reply_failure(request, result);
    else
        kv_reply_status(request->out, "OK");
}

const struct kv_command kv_key_commands[] = {
    {"del", -2, KV_WRITES, 1, -1, 1, run_del},
    {"unlink", -2, KV_WRITES, 1, -1, 1, run_del},
    {"exists", -2, 0, 1, -1, 1, run_exists},
    {"type", 2, 0, 1, 1, 1, run_type},
    {"expire", 3, KV_WRITES, 1, 1, 1, run_expire},
    {"pexpire", 3, KV_WRITES, 1, 1, 1, run_pexpire},
    {"expireat", 3, KV_WRITES, 1, 1, 1, run_expireat},
    {"pexpireat", 3, KV_WRITES, 1, 1, 1, run_pexpireat},
    {"ttl", 2, 0, 1, 1, 1, run_ttl},
    {"pttl", 2, 0, 1, 1, 1, run_pttl},
    {"persist", 2, KV_WRITES, 1, 1, 1, run_persist},
    {"keys", 2, 0, 0, 0, 0, run_keys},
    {"scan", -2, 0, 0, 0, 0, run_scan},
    {"dbsize", 1, 0, 0, 0, 0, run_dbsize},
    {"flushdb", -1, KV_WRITES, 0, 0, 0, run_flush},
    {"flushall", -1, KV_WRITES, 0, 0, 0, run_flush},
    {0},
};
