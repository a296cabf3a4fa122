/*
 * Commands about the server and the connection: PING, INFO, COMMAND, CLIENT.
 *
 * What Redis's own programs ask for at their start is answered as Redis would answer it.
 */
#include "commands.h"

#include <k42/class.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void run_ping(struct kv_request *request) {
    if (request->count > 2)
        kv_reply_arity(request, "ping");
    else if (request->count == 1)
        kv_reply_status(request->out, "PONG");
    else
        kv_reply_bulk(request->out, kv_argument(request, 1).bytes, kv_argument(request, 1).length);
}

static void run_echo(struct kv_request *request) {
    kv_reply_bulk(request->out, kv_argument(request, 1).bytes, kv_argument(request, 1).length);
}

static void run_select(struct kv_request *request) {
    int64_t number;
    if (kv_argument_number(request, 1, &number) < 0)
        return;
    if (number != 0)
        kv_reply_error(request->out, "ERR DB index is out of range");
    else
        kv_reply_status(request->out, "OK");
}

static void run_quit(struct kv_request *request) {
    kv_reply_status(request->out, "OK");
    request->client->closing = 1;
}

static void run_hello(struct kv_request *request) {
    int64_t version;
    if (kv_argument_number(request, 1, &version) < 0)
        return;
    if (version != 2) {
        kv_reply_error(request->out, "NOPROTO unsupported protocol version");
        return;
    }
    kv_reply_array(request->out, 6);
    kv_reply_text(request->out, "server");
    kv_reply_text(request->out, "k42-kv");
    kv_reply_text(request->out, "proto");
    kv_reply_number(request->out, 2);
    kv_reply_text(request->out, "id");
    kv_reply_number(request->out, (int64_t)request->client->id);
}

/* ---- CLIENT ---- */

static void run_client(struct kv_request *request) {
    struct kv_client *client = request->client;
    if (kv_argument_is(request, 1, "setname") && request->count == 3) {
        if (kv_argument_text(request, 2, client->name, sizeof(client->name)) < 0)
            kv_reply_error(request->out, "ERR client name is too long or has a zero byte");
        else
            kv_reply_status(request->out, "OK");
    } else if (kv_argument_is(request, 1, "getname") && request->count == 2) {
        if (client->name[0])
            kv_reply_text(request->out, client->name);
        else
            kv_reply_null(request->out);
    } else if (kv_argument_is(request, 1, "id") && request->count == 2) {
        kv_reply_number(request->out, (int64_t)client->id);
    } else if (kv_argument_is(request, 1, "setinfo") && request->count == 4) {
        kv_reply_status(request->out, "OK");
    } else {
        kv_reply_error(request->out,
                       "ERR unknown subcommand or wrong number of arguments for 'client'. "
                       "Known: SETNAME name, GETNAME, ID, SETINFO attribute value");
    }
}

/* ---- COMMAND ---- */

static void reply_command(struct kv_request *request, const struct kv_command *command) {
    kv_reply_array(request->out, 6);
    kv_reply_text(request->out, command->name);
    kv_reply_number(request->out, command->arity);
    kv_reply_array(request->out, 1);
    kv_reply_status(request->out, command->flags & KV_WRITES ? "write" : "readonly");
    kv_reply_number(request->out, command->first_key);
    kv_reply_number(request->out, command->last_key);
    kv_reply_number(request->out, command->step);
}

static size_t count_commands(void) {
    size_t count = 0;
    for (const struct kv_command *const *list = kv_command_lists; *list; list++)
        for (const struct kv_command *command = *list; command->name; command++)
            count++;
    return count;
}

static void reply_all_commands(struct kv_request *request) {
    kv_reply_array(request->out, count_commands());
    for (const struct kv_command *const *list = kv_command_lists; *list; list++)
        for (const struct kv_command *command = *list; command->name; command++)
            reply_command(request, command);
}

static void reply_some_commands(struct kv_request *request) {
    kv_reply_array(request->out, request->count - 2);
    for (size_t n = 2; n < request->count; n++) {
        const struct kv_command *command = kv_find_command(kv_argument(request, n));
        if (command)
            reply_command(request, command);
        else
            kv_buffer_append(request->out, "*-1\r\n", 5);
    }
}

static void run_command(struct kv_request *request) {
    if (request->count == 1)
        reply_all_commands(request);
    else if (kv_argument_is(request, 1, "count"))
        kv_reply_number(request->out, (int64_t)count_commands());
    else if (kv_argument_is(request, 1, "info"))
        reply_some_commands(request);
    else if (kv_argument_is(request, 1, "docs"))
        kv_reply_array(request->out, 0);
    else
        kv_reply_error(request->out, "ERR unknown subcommand of 'command'. "
                                     "Known: COUNT, INFO, DOCS");
}

/* ---- INFO ---- */

struct text {
    char bytes[4096];
    size_t length;
};

static void __attribute__((format(printf, 2, 3))) add(struct text *text, const char *format, ...) {
    va_list values;
    va_start(values, format);
    int length =
        vsnprintf(text->bytes + text->length, sizeof(text->bytes) - text->length, format, values);
    va_end(values);
    size_t room = sizeof(text->bytes) - text->length - 1;
    text->length += length < 0 ? 0 : (size_t)length < room ? (size_t)length : room;
}

static uint64_t read_counter(const uint64_t *counter) {
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static const char *class_name_of(k42_ref ref, struct k42_object_info *info) {
    return k42_inspect(ref, info) == 0 ? info->class_name : "none";
}

static void add_server(struct text *text, struct kv_request *request) {
    struct kv_server *server = request->server;
    add(text,
        "# Server\r\nredis_version:7.0.0\r\nredis_mode:standalone\r\nserver_name:k42-kv\r\n"
        "process_id:%d\r\ntcp_port:%d\r\nio_threads:%u\r\nuptime_in_seconds:%" PRIu64 "\r\n\r\n",
        (int)getpid(), server->port, server->worker_count,
        (request->now.wall_ms - server->started_ms) / 1000);
}

static void add_clients(struct text *text, struct kv_request *request) {
    struct kv_server *server = request->server;
    add(text, "# Clients\r\nconnected_clients:%" PRIu64 "\r\nmaxclients:%u\r\n\r\n",
        read_counter(&server->clients), server->clients_limit);
}

static void add_memory(struct text *text, struct kv_request *request) {
    struct kv_server *server = request->server;
    char name[64];
    add(text,
        "# Memory\r\nused_memory:%" PRIu64 "\r\nmaxmemory:%" PRIu64
        "\r\nmaxmemory_policy:%s\r\n\r\n",
        read_counter(&server->store.used_bytes), read_counter(&server->store.maxmemory),
        kv_policy_name(server, name, sizeof(name)));
}

static void add_statistics(struct text *text, struct kv_request *request) {
    struct kv_server *server = request->server;
    add(text,
        "# Stats\r\ntotal_connections_received:%" PRIu64 "\r\ntotal_commands_processed:%" PRIu64
        "\r\nkeyspace_hits:%" PRIu64 "\r\nkeyspace_misses:%" PRIu64 "\r\nexpired_keys:%" PRIu64
        "\r\nevicted_keys:%" PRIu64 "\r\nprotocol_errors:%" PRIu64
        "\r\nclient_output_buffer_limit_disconnections:%" PRIu64 "\r\n\r\n",
        read_counter(&server->connections), read_counter(&server->commands),
        read_counter(&server->store.hits), read_counter(&server->store.misses),
        read_counter(&server->store.expired_keys), read_counter(&server->store.evicted_keys),
        read_counter(&server->protocol_errors), read_counter(&server->output_overflows));
}

static void add_k42(struct text *text, struct kv_request *request) {
    struct k42_stats stats;
    struct k42_object_info table, eviction;
    k42_stats(&stats);
    add(text,
        "# K42\r\ntable_class:%s\r\neviction_class:%s\r\nswaps:%" PRIu64 "\r\nswap_aborts:%" PRIu64
        "\r\ngrace_periods:%" PRIu64 "\r\ndefers_pending:%" PRIu64 "\r\nmediators_live:%" PRIu64
        "\r\n\r\n",
        class_name_of((k42_ref)request->server->store.table, &table),
        class_name_of((k42_ref)request->server->store.eviction, &eviction), stats.swaps,
        stats.swap_aborts, stats.grace_periods, stats.defers_pending, stats.mediators_live);
}

static void add_keyspace(struct text *text, struct kv_request *request) {
    k42_result keys = k42_call(request->server->store.table, count);
    add(text, "# Keyspace\r\n");
    if (keys > 0)
        add(text, "db0:keys=%ld,expires=0,avg_ttl=0\r\n", keys);
}

static void run_info(struct kv_request *request) {
    static const struct {
        const char *name;
        void (*add)(struct text *, struct kv_request *);
    } sections[] = {
        {"server", add_server},    {"clients", add_clients}, {"memory", add_memory},
        {"stats", add_statistics}, {"k42", add_k42},         {"keyspace", add_keyspace},
    };
    struct text text = {.length = 0};
    int all = request->count == 1 || kv_argument_is(request, 1, "all") ||
              kv_argument_is(request, 1, "everything") || kv_argument_is(request, 1, "default");
    for (size_t n = 0; n < sizeof(sections) / sizeof(sections[0]); n++)
        if (all || kv_argument_is(request, 1, sections[n].name))
            sections[n].add(&text, request);
    kv_reply_bulk(request->out, text.bytes, text.length);
}

const struct kv_command kv_server_commands[] = {
    {"ping", -1, 0, 0, 0, 0, run_ping},
    {"echo", 2, 0, 0, 0, 0, run_echo},
    {"select", 2, 0, 0, 0, 0, run_select},
    {"quit", -1, 0, 0, 0, 0, run_quit},
    {"hello", -2, 0, 0, 0, 0, run_hello},
    {"client", -2, 0, 0, 0, 0, run_client},
    {"command", -1, 0, 0, 0, 0, run_command},
    {"info", -1, 0, 0, 0, 0, run_info},
    {0},
};
