/*
 * The command K42: replacing the server's objects while it serves.
 *
 *   K42 SWAP table|eviction CLASS            to another class ("open" is short for "table.open")
 *   K42 LOAD path                            a component
 *   K42 UNLOAD name
 *   K42 UPGRADE CLASS [eager|lazy|new] [n]   to the newest version known, or version n
 *   K42 WATCH on|off                         the latency monitor, interposed on the table
 *   K42 LATENCY                              what it saw
 *   K42 CLASSES, K42 OBJECTS
 *
 * All of it is carried out inactive and with the server's admin lock held, so that one thing
 * happens at a time; other connections of the same worker wait meanwhile, all others go on.
 */
#include "commands.h"

#include <k42/class.h>
#include <k42/component.h>

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_SIZE = 16384, SWAP_ATTEMPTS = 8 };

/* Text for a person, which ends where there is no more room. */
struct text {
    struct kv_request *request;
    size_t length;
    char bytes[TEXT_SIZE];
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...) {
    size_t room = TEXT_SIZE - text->length;
    va_list values;
    va_start(values, format);
    int length = vsnprintf(text->bytes + text->length, room, format, values);
    va_end(values);
    if (length > 0)
        text->length += (size_t)length < room ? (size_t)length : room - 1;
}

/* Replies with a text built by `build`, on the heap: a worker's stack is no place for it. */
static void reply_text(struct kv_request *request, void (*build)(struct text *)) {
    struct text *text = malloc(sizeof(*text));
    if (!text) {
        kv_reply_failure(request, -ENOMEM);
        return;
    }
    text->request = request;
    text->length = 0;
    text->bytes[0] = 0;
    build(text);
    kv_reply_bulk(request->out, text->bytes, text->length);
    free(text);
}

/* ---- SWAP ---- */

/* Finds the class by its whole name or by what follows the interface's. */
static struct k42_class *find_class(const char *interface_name, const char *name) {
    char whole[128];
    struct k42_class *class_ = k42_class_find(name);
    if (class_)
        return class_;
    snprintf(whole, sizeof(whole), "%s.%s", interface_name, name);
    return k42_class_find(whole);
}

static void run_swap(struct kv_request *request) {
    struct kv_store *store = &request->server->store;
    char name[64] = "";
    int table = kv_argument_is(request, 2, "table");
    if (request->count != 4 || (!table && !kv_argument_is(request, 2, "eviction"))) {
        kv_reply_error(request->out, "ERR wanted: K42 SWAP table|eviction CLASS");
        return;
    }
    (void)kv_argument_text(request, 3, name, sizeof(name));
    struct k42_class *class_ = find_class(table ? "table" : "eviction", name);
    if (!class_) {
        kv_reply_errorf(request->out, "ERR no class '%s'; K42 CLASSES lists those there are", name);
        return;
    }
    struct k42_swap swap = {
        .ref = table ? (k42_ref)store->table : (k42_ref)store->eviction,
        .to = class_,
        .attempts = SWAP_ATTEMPTS,
    };
    k42_result result = k42_swap_run(&swap);
    if (result < 0)
        kv_reply_errorf(request->out, "ERR %s: %s", k42_error_name(result), swap.report.text);
    else
        kv_reply_text(request->out, swap.report.text);
}

/* ---- LOAD, UNLOAD ---- */

static void remember_component(struct kv_server *server, const char *name) {
    for (unsigned n = 0; n < KV_COMPONENTS_LIMIT; n++)
        if (!server->components[n]) {
            server->components[n] = strdup(name);
            return;
        }
}

static void forget_component(struct kv_server *server, const char *name) {
    for (unsigned n = 0; n < KV_COMPONENTS_LIMIT; n++)
        if (server->components[n] && strcmp(server->components[n], name) == 0) {
            free(server->components[n]);
            server->components[n] = NULL;
        }
}

static void run_load(struct kv_request *request) {
    struct k42_component *component;
    struct k42_ledger ledger;
    char path[1024], why[256] = "";
    if (request->count != 3 || kv_argument_text(request, 2, path, sizeof(path)) < 0) {
        kv_reply_error(request->out, "ERR wanted: K42 LOAD path");
        return;
    }
    k42_result result = k42_component_load(path, &component, why, sizeof(why));
    if (result < 0) {
        kv_reply_errorf(request->out, "ERR %s: %s", k42_error_name(result), why);
        return;
    }
    k42_component_ledger(component, &ledger);
    remember_component(request->server, ledger.name);
    kv_reply_text(request->out, ledger.name);
}

static void run_unload(struct kv_request *request) {
    char name[64] = "", why[256] = "";
    struct k42_component *component = NULL;
    if (request->count == 3 && kv_argument_text(request, 2, name, sizeof(name)) == 0)
        component = k42_component_find(name);
    if (!component) {
        kv_reply_errorf(request->out, "ERR no component '%s'; wanted: K42 UNLOAD name", name);
        return;
    }
    k42_result result = k42_component_unload(component, why, sizeof(why));
    if (result < 0) {
        kv_reply_errorf(request->out, "ERR %s: %s", k42_error_name(result), why);
        return;
    }
    forget_component(request->server, name);
    kv_reply_status(request->out, "OK");
}

void kv_unload_components(struct kv_server *server) {
    for (unsigned n = 0; n < KV_COMPONENTS_LIMIT; n++) {
        char why[256] = "";
        if (!server->components[n])
            continue;
        struct k42_component *component = k42_component_find(server->components[n]);
        if (component && k42_component_unload(component, why, sizeof(why)) < 0)
            fprintf(stderr, "kv: component %s stays loaded: %s\n", server->components[n], why);
        free(server->components[n]);
        server->components[n] = NULL;
    }
}

/* ---- UPGRADE ---- */

struct version_wanted {
    const char *name;
    int64_t version; /* -1: the newest */
    struct k42_class *found;
};

static long consider_class(const struct k42_class_info *info, void *context) {
    struct version_wanted *wanted = context;
    if (strcmp(info->class_->name, wanted->name) != 0)
        return 0;
    if (wanted->version >= 0 ? info->class_->version == wanted->version
                             : !wanted->found || info->class_->version > wanted->found->version)
        wanted->found = info->class_;
    return 0;
}

/* Reads "[eager|lazy|new] [version]" from argument 3 on. 0 or -EINVAL. */
static int read_upgrade_options(struct kv_request *request, enum k42_upgrade_mode *mode,
                                int64_t *version) {
    for (size_t n = 3; n < request->count; n++) {
        if (kv_argument_is(request, n, "eager"))
            *mode = K42_UPGRADE_EAGER;
        else if (kv_argument_is(request, n, "lazy"))
            *mode = K42_UPGRADE_LAZY;
        else if (kv_argument_is(request, n, "new"))
            *mode = K42_UPGRADE_NEW_ONLY;
        else if (kv_parse_number(kv_argument(request, n), version) < 0 || *version < 0)
            return -EINVAL;
    }
    return 0;
}

static void reply_upgraded(struct kv_request *request, const struct k42_upgrade *upgrade) {
    char text[160];
    snprintf(text, sizeof(text),
             "%s is version %u now: %" PRIu64 " of %" PRIu64 " instances converted",
             upgrade->to->name, upgrade->to->version, upgrade->converted, upgrade->total);
    kv_reply_text(request->out, text);
}

static void run_upgrade(struct kv_request *request) {
    char name[64] = "";
    struct version_wanted wanted = {name, -1, NULL};
    struct k42_upgrade upgrade = {.mode = K42_UPGRADE_EAGER};
    if (request->count < 3 || kv_argument_text(request, 2, name, sizeof(name)) < 0 ||
        read_upgrade_options(request, &upgrade.mode, &wanted.version) < 0) {
        kv_reply_error(request->out, "ERR wanted: K42 UPGRADE CLASS [eager|lazy|new] [version]");
        return;
    }
    k42_each_class(consider_class, &wanted);
    if (!wanted.found) {
        kv_reply_errorf(request->out,
                        "ERR no such version of class '%s'; K42 CLASSES lists those there are",
                        name);
        return;
    }
    upgrade.to = wanted.found;
    k42_result result = k42_upgrade(&upgrade);
    if (result < 0)
        kv_reply_errorf(request->out, "ERR %s: %s", k42_error_name(result),
                        upgrade.last_failure.text);
    else
        reply_upgraded(request, &upgrade);
}

/* ---- WATCH, LATENCY ---- */

static void run_watch(struct kv_request *request) {
    struct kv_server *server = request->server;
    k42_result result;
    if (kv_argument_is(request, 2, "on") && request->count == 3) {
        result = kv_latency_start(&server->latency, (k42_ref)server->store.table);
    } else if (kv_argument_is(request, 2, "off") && request->count == 3) {
        result = kv_latency_stop(&server->latency);
    } else {
        kv_reply_error(request->out, "ERR wanted: K42 WATCH on|off");
        return;
    }
    if (result == -EALREADY || result == -EINVAL)
        kv_reply_errorf(request->out, "ERR the monitor is %s already",
                        result == -EALREADY ? "on" : "off");
    else if (result < 0)
        kv_reply_errorf(request->out, "ERR the table answered %s", k42_error_name(result));
    else
        kv_reply_status(request->out, "OK");
}

static void build_latency(struct text *text) {
    const struct kv_latency *latency = &text->request->server->latency;
    add(text, "method           calls    mean_ns     p50_ns     p99_ns     max_ns\n");
    for (unsigned n = 0; n < KV_LATENCY_METHODS; n++) {
        const struct kv_latency_method *method = &latency->methods[n];
        uint64_t calls = __atomic_load_n(&method->calls, __ATOMIC_RELAXED);
        if (!calls)
            continue;
        add(text, "%-12s %9" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
            __atomic_load_n(&method->name, __ATOMIC_RELAXED), calls,
            __atomic_load_n(&method->total_ns, __ATOMIC_RELAXED) / calls,
            kv_latency_percentile(method, 50), kv_latency_percentile(method, 99),
            __atomic_load_n(&method->longest_ns, __ATOMIC_RELAXED));
    }
}

/* ---- CLASSES, OBJECTS ---- */

static long add_class(const struct k42_class_info *info, void *context) {
    add(context, "%s version %u%s, %" PRIu64 " instances, from %s\n", info->class_->name,
        info->class_->version, info->current ? " (current)" : "", info->instances,
        info->component ? info->component : "the program");
    return 0;
}

static void build_classes(struct text *text) {
    k42_each_class(add_class, text);
}

static long add_object(const struct k42_object_info *info, void *context) {
    char line[256] = "";
    k42_result described = k42_call_object(k42_id_ref(info->id), describe, line, sizeof(line));
    add(context, "object %u: %s version %u, %u interposed%s: %s\n", info->id, info->class_name,
        info->version, info->interposers, info->swapping ? ", being swapped" : "",
        described < 0 ? k42_error_name(described) : line);
    return 0;
}

static void build_objects(struct text *text) {
    k42_enter();
    (void)k42_each_object(&table_interface, add_object, text);
    (void)k42_each_object(&eviction_interface, add_object, text);
    k42_exit();
}

static void run_k42(struct kv_request *request) {
    if (kv_argument_is(request, 1, "swap"))
        run_swap(request);
    else if (kv_argument_is(request, 1, "load"))
        run_load(request);
    else if (kv_argument_is(request, 1, "unload"))
        run_unload(request);
    else if (kv_argument_is(request, 1, "upgrade"))
        run_upgrade(request);
    else if (kv_argument_is(request, 1, "watch"))
        run_watch(request);
    else if (kv_argument_is(request, 1, "latency"))
        reply_text(request, build_latency);
    else if (kv_argument_is(request, 1, "classes"))
        reply_text(request, build_classes);
    else if (kv_argument_is(request, 1, "objects"))
        reply_text(request, build_objects);
    else
        kv_reply_error(request->out, "ERR wanted: K42 SWAP, LOAD, UNLOAD, UPGRADE, WATCH, LATENCY, "
                                     "CLASSES or OBJECTS");
}

const struct kv_command kv_k42_commands[] = {
    {"k42", -2, KV_ALONE, 0, 0, 0, run_k42},
    {0},
};
