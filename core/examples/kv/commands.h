/*
 * Commands: the table by which requests find what carries them out.
 *
 * Each group of commands stands in a file of its own and exports a list; commands.c searches them.
 */
#ifndef KV_COMMANDS_H
#define KV_COMMANDS_H

#include "server.h"

enum {
    KV_GROWS = 1, /* may need memory: refused when the limit is reached and cannot be kept */
    KV_ALONE = 2, /* waits for the runtime: carried out inactive, one at a time */
    KV_WRITES = 4,
};

struct kv_command {
    const char *name; /* in small letters; NULL ends a list */
    int arity;        /* words, the command's included; negative: at least as many */
    unsigned flags;
    int first_key, last_key, step; /* where its keys are; 0: it has none */
    void (*run)(struct kv_request *request);
};

extern const struct kv_command kv_string_commands[];
extern const struct kv_command kv_key_commands[];
extern const struct kv_command kv_server_commands[];
extern const struct kv_command kv_config_commands[];
extern const struct kv_command kv_k42_commands[];

extern const struct kv_command *const kv_command_lists[];

const struct kv_command *kv_find_command(struct kv_slice name);

/* "ERR wrong number of arguments for 'name' command". */
void kv_reply_arity(struct kv_request *request, const char *name);
void kv_reply_syntax(struct kv_request *request);
void kv_reply_not_a_number(struct kv_request *request);

/* Reads argument n as a number, or replies that it is none. 0 or -EINVAL. */
int kv_argument_number(struct kv_request *request, size_t n, int64_t *number);

/* What "EX 10", "PX 10", "EXAT ..." and "PXAT ..." say, as a deadline. */
enum kv_time_unit { KV_SECONDS, KV_MILLISECONDS };
enum kv_time_base { KV_FROM_NOW, KV_FROM_EPOCH };
/* 0, or -ERANGE when the moment cannot be written in milliseconds. */
int kv_deadline(struct kv_now now, int64_t number, enum kv_time_unit unit, enum kv_time_base base,
                int64_t *deadline_ms);

#endif
