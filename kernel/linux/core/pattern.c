/*
 * Where cores go to: /proc/sys/kernel/core_pattern, with what %p, %e and so on stand for.
 *
 * Owns the pattern, behind a lock. A pattern that names a program ('|') is refused: there is nobody
 * to start it.
 */
#include "../../fs/procfs/procfs.h"
#include "../abi.h"
#include "../host_names.h"
#include "../task.h"
#include "core.h"
#include "runtime.h"

enum { PATTERN = 128 };

static struct k42_lock lock;
static char pattern[PATTERN] = "core";

static void read_it(char to[PATTERN]) {
    k42_lock(&lock);
    __builtin_memcpy(to, pattern, PATTERN);
    k42_unlock(&lock);
}

void core_pattern_read(struct proc_text *text) {
    char now[PATTERN];
    read_it(now);
    proc_print(text, "%s\n", now);
}

k42_result core_pattern_write(const char *bytes, size_t size) {
    while (size && bytes[size - 1] == '\n')
        size--;
    if (!size || size >= PATTERN || bytes[0] == '|')
        return -EINVAL;
    k42_lock(&lock);
    __builtin_memset(pattern, 0, sizeof pattern);
    __builtin_memcpy(pattern, bytes, size);
    k42_unlock(&lock);
    return 0;
}

/* A name's slashes would lead elsewhere. */
static size_t put_name(char *to, size_t room, const char *name) {
    size_t length = k42_format_text(to, room, "%s", name);
    for (size_t i = 0; i < length; i++)
        if (to[i] == '/')
            to[i] = '!';
    return length;
}

static size_t put_one(char *to, size_t room, char what, const struct task *task, int signal) {
    char host[HOST_NAME], domain[HOST_NAME];
    switch (what) {
    case 'p':
    case 'P':
        return k42_format_text(to, room, "%d", task->pid);
    case 'i':
    case 'I':
        return k42_format_text(to, room, "%d", task->tid);
    case 'u':
        return k42_format_text(to, room, "%u", task->credentials->uid);
    case 'g':
        return k42_format_text(to, room, "%u", task->credentials->gid);
    case 's':
        return k42_format_text(to, room, "%d", signal);
    case 'e':
        return put_name(to, room, task->name);
    case 'h':
        host_names_read(host, domain);
        return put_name(to, room, host);
    case '%':
        return k42_format_text(to, room, "%%");
    default:
        return 0;
    }
}

void core_path(const struct task *task, int signal, char path[CORE_PATH]) {
    char now[PATTERN];
    size_t used = 0;
    read_it(now);
    for (const char *at = now; *at && used < CORE_PATH - 1; at++) {
        if (*at != '%')
            path[used++] = *at;
        else if (at[1])
            used += put_one(path + used, CORE_PATH - used, *++at, task, signal);
        used = used < CORE_PATH ? used : CORE_PATH - 1;
    }
    path[used] = 0;
}
