/*
 * Finding and carrying out commands. See commands.h.
 *
 * A request changes nothing before its command has been found, its words counted and, where it may
 * need memory, the limit been kept.
 */
#include "commands.h"

#include <k42/thread.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

const struct kv_command *const kv_command_lists[] = {
    kv_string_commands, kv_key_commands, kv_server_commands,
    kv_config_commands, kv_k42_commands, NULL,
};

static int slice_is(struct kv_slice slice, const char *word) {
    return strlen(word) == slice.length && strncasecmp(slice.bytes, word, slice.length) == 0;
}

int kv_argument_is(const struct kv_request *request, size_t n, const char *word) {
    return n < request->count && slice_is(kv_argument(request, n), word);
}

int kv_argument_text(const struct kv_request *request, size_t n, char *text, size_t size) {
    struct kv_slice slice = kv_argument(request, n);
    if (slice.length >= size || memchr(slice.bytes, 0, slice.length))
        return -EINVAL;
    memcpy(text, slice.bytes, slice.length);
    text[slice.length] = 0;
    return 0;
}

int kv_argument_number(struct kv_request *request, size_t n, int64_t *number) {
    int result = kv_parse_number(kv_argument(request, n), number);
    if (result < 0)
        kv_reply_not_a_number(request);
    return result;
}

int kv_deadline(struct kv_now now, int64_t number, enum kv_time_unit unit, enum kv_time_base base,
                int64_t *deadline_ms) {
    if (unit == KV_SECONDS && __builtin_mul_overflow(number, 1000, &number))
        return -ERANGE;
    if (base == KV_FROM_NOW && __builtin_add_overflow(number, (int64_t)now.wall_ms, &number))
        return -ERANGE;
    *deadline_ms = number;
    return 0;
}

const struct kv_command *kv_find_command(struct kv_slice name) {
    for (const struct kv_command *const *list = kv_command_lists; *list; list++)
        for (const struct kv_command *command = *list; command->name; command++)
            if (slice_is(name, command->name))
                return command;
    return NULL;
}

/* ---- replies ---- */

void kv_reply_arity(struct kv_request *request, const char *name) {
    kv_reply_errorf(request->out, "ERR wrong number of arguments for '%s' command", name);
}

void kv_reply_syntax(struct kv_request *request) {
    kv_reply_error(request->out, "ERR syntax error");
}

void kv_reply_not_a_number(struct kv_request *request) {
    kv_reply_error(request->out, "ERR value is not an integer or out of range");
}

void kv_reply_failure(struct kv_request *request, k42_result error) {
    if (error == -ENOMEM || error == -ENOSPC)
        kv_reply_error(request->out, "OOM command not allowed when used memory > 'maxmemory'.");
    else
        kv_reply_errorf(request->out, "ERR the store answered %s", k42_error_name(error));
}

/* Redis's words, with the first of the arguments as it shows them. */
static void reply_unknown(struct kv_request *request) {
    char shown[160] = "";
    struct kv_slice name = kv_argument(request, 0);
    for (size_t n = 1, at = 0; n < request->count && at < 128; n++) {
        struct kv_slice word = kv_argument(request, n);
        at += (size_t)snprintf(shown + at, sizeof(shown) - at, "'%.*s' ",
                               (int)(word.length < 128 - at ? word.length : 128 - at), word.bytes);
        at = at < sizeof(shown) ? at : sizeof(shown);
    }
    kv_reply_errorf(request->out, "ERR unknown command '%.*s', with args beginning with: %s",
                    (int)(name.length < 128 ? name.length : 128), name.bytes, shown);
}

/* ---- carrying out ---- */

/*
 * Nothing of this request or the batch it is part of depends on the generation so far: what the
 * command is given are copies in the connection's buffer.
 */
static void run_alone(struct kv_request *request, const struct kv_command *command) {
    k42_exit();
    pthread_mutex_lock(&request->server->admin);
    command->run(request);
    pthread_mutex_unlock(&request->server->admin);
    k42_enter();
}

void kv_execute(struct kv_request *request) {
    const struct kv_command *command = kv_find_command(kv_argument(request, 0));
    __atomic_add_fetch(&request->server->commands, 1, __ATOMIC_RELAXED);
    if (!command) {
        reply_unknown(request);
        return;
    }
    if (command->arity < 0 ? request->count < (size_t)-command->arity
                           : request->count != (size_t)command->arity) {
        kv_reply_arity(request, command->name);
        return;
    }
    if (command->flags & KV_GROWS) {
        k42_result result = kv_store_make_room(&request->server->store, request->now);
        if (result < 0) {
            kv_reply_failure(request, result);
            return;
        }
    }
    if (command->flags & KV_ALONE)
        run_alone(request, command);
    else
        command->run(request);
}
