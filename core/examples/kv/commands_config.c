/*
 * Settings: CONFIG GET and CONFIG SET.
 *
 * maxmemory and maxmemory-policy take effect at once; the policy is the eviction object's class, so
 * that setting it is a swap. Settings that mean nothing here (save, appendonly) can be asked for,
 * and set to what they are. Carried out inactive, with the admin lock held.
 */
#include "commands.h"
#include "glob.h"

#include <k42/class.h>

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const char *kv_policy_name(struct kv_server *server, char *name, size_t size) {
    struct k42_object_info info;
    if (!__atomic_load_n(&server->store.evicts, __ATOMIC_RELAXED))
        return "noeviction";
    const char *class_name =
        k42_inspect((k42_ref)server->store.eviction, &info) < 0 ? "eviction.none" : info.class_name;
    const char *dot = strchr(class_name, '.');
    snprintf(name, size, "allkeys-%s", dot ? dot + 1 : class_name);
    return name;
}

int kv_parse_bytes(struct kv_slice text, uint64_t *bytes) {
    static const struct {
        const char *suffix;
        uint64_t factor;
    } units[] = {{"", 1},        {"b", 1},        {"k", 1000},       {"kb", 1 << 10},
                 {"m", 1000000}, {"mb", 1 << 20}, {"g", 1000000000}, {"gb", 1 << 30}};
    size_t digits = 0;
    int64_t number;
    while (digits < text.length && isdigit((unsigned char)text.bytes[digits]))
        digits++;
    if (kv_parse_number((struct kv_slice){text.bytes, digits}, &number) < 0)
        return -EINVAL;
    for (size_t n = 0; n < sizeof(units) / sizeof(units[0]); n++)
        if (strlen(units[n].suffix) == text.length - digits &&
            strncasecmp(units[n].suffix, text.bytes + digits, text.length - digits) == 0)
            return __builtin_mul_overflow((uint64_t)number, units[n].factor, bytes) ? -EINVAL : 0;
    return -EINVAL;
}

k42_result kv_set_policy(struct kv_server *server, const char *name, char *why, size_t size) {
    char class_name[64];
    if (strcmp(name, "noeviction") == 0) {
        __atomic_store_n(&server->store.evicts, 0, __ATOMIC_RELAXED);
        return 0;
    }
    snprintf(class_name, sizeof(class_name), "eviction.%s",
             strncmp(name, "allkeys-", 8) == 0 ? name + 8 : "?");
    struct k42_class *class_ = k42_class_find(class_name);
    if (!class_) {
        snprintf(why, size,
                 "argument(s) must be one of the following: noeviction, allkeys-lru, allkeys-lfu, "
                 "allkeys-random");
        return -EINVAL;
    }
    struct k42_swap swap = {.ref = (k42_ref)server->store.eviction, .to = class_, .attempts = 8};
    struct k42_object_info info;
    k42_result result = 0;
    if (k42_inspect(swap.ref, &info) < 0 || strcmp(info.class_name, class_name) != 0)
        result = k42_swap_run(&swap);
    if (result == 0)
        __atomic_store_n(&server->store.evicts, 1, __ATOMIC_RELAXED);
    else
        snprintf(why, size, "%s", swap.report.text);
    return result;
}

struct setting {
    const char *name;
    const char *value;
};

enum { SETTINGS = 7 };

static void read_settings(struct kv_request *request, struct setting settings[SETTINGS],
                          char text[4][64]) {
    struct kv_server *server = request->server;
    snprintf(text[0], 64, "%" PRIu64, __atomic_load_n(&server->store.maxmemory, __ATOMIC_RELAXED));
    snprintf(text[1], 64, "%d", server->port);
    snprintf(text[2], 64, "%u", server->clients_limit);
    settings[0] = (struct setting){"maxmemory", text[0]};
    settings[1] = (struct setting){"maxmemory-policy", kv_policy_name(server, text[3], 64)};
    settings[2] = (struct setting){"save", ""};
    settings[3] = (struct setting){"appendonly", "no"};
    settings[4] = (struct setting){"databases", "1"};
    settings[5] = (struct setting){"port", text[1]};
    settings[6] = (struct setting){"maxclients", text[2]};
}

static void config_get(struct kv_request *request) {
    struct setting settings[SETTINGS];
    char text[4][64];
    int wanted[SETTINGS] = {0};
    size_t count = 0;
    read_settings(request, settings, text);
    for (size_t s = 0; s < SETTINGS; s++) {
        struct kv_slice name = {settings[s].name, strlen(settings[s].name)};
        for (size_t n = 2; n < request->count; n++)
            wanted[s] |= kv_glob_matches(kv_argument(request, n), name, KV_ANY_CASE);
        count += (size_t)wanted[s];
    }
    kv_reply_array(request->out, count * 2);
    for (size_t s = 0; s < SETTINGS; s++) {
        if (!wanted[s])
            continue;
        kv_reply_text(request->out, settings[s].name);
        kv_reply_text(request->out, settings[s].value);
    }
}

/* 0, or an error and why. */
static k42_result set_one(struct kv_request *request, size_t n, char *why, size_t size) {
    char value[128];
    uint64_t bytes;
    if (kv_argument_text(request, n + 1, value, sizeof(value)) < 0) {
        snprintf(why, size, "the value is too long or has a zero byte");
        return -EINVAL;
    }
    if (kv_argument_is(request, n, "maxmemory")) {
        if (kv_parse_bytes(kv_argument(request, n + 1), &bytes) < 0) {
            snprintf(why, size, "argument must be a memory value");
            return -EINVAL;
        }
        __atomic_store_n(&request->server->store.maxmemory, bytes, __ATOMIC_RELAXED);
        return 0;
    }
    if (kv_argument_is(request, n, "maxmemory-policy"))
        return kv_set_policy(request->server, value, why, size);
    if ((kv_argument_is(request, n, "save") && !*value) ||
        (kv_argument_is(request, n, "appendonly") && strcmp(value, "no") == 0))
        return 0;
    snprintf(why, size, "it cannot be set here; maxmemory and maxmemory-policy can");
    return -EINVAL;
}

static void config_set(struct kv_request *request) {
    for (size_t n = 2; n + 1 < request->count; n += 2) {
        char why[256] = "", name[64] = "?";
        if (set_one(request, n, why, sizeof(why)) == 0)
            continue;
        (void)kv_argument_text(request, n, name, sizeof(name));
        kv_reply_errorf(request->out,
                        "ERR CONFIG SET failed (possibly related to argument '%s') - %s", name,
                        why);
        return;
    }
    kv_reply_status(request->out, "OK");
}

static void run_config(struct kv_request *request) {
    if (kv_argument_is(request, 1, "get") && request->count > 2)
        config_get(request);
    else if (kv_argument_is(request, 1, "set") && request->count > 3 && request->count % 2 == 0)
        config_set(request);
    else
        kv_reply_error(request->out,
                       "ERR unknown subcommand or wrong number of arguments for 'config'. Known: "
                       "GET pattern ..., SET name value ...");
}

const struct kv_command kv_config_commands[] = {
    {"config", -2, KV_ALONE, 0, 0, 0, run_config},
    {0},
};
