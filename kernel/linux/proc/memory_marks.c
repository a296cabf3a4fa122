/*
 * /proc/PID/coredump_filter and /proc/PID/clear_refs: what of its memory a process's core dump
 * has, and that its pages do not count as used until they are used again.
 *
 * Owns nothing: the first is the memory's, of which every program that begins there has a copy. For
 * the second all that is mapped is walked, a piece at a time. What is written to pages is not
 * watched (soft-dirty), so 4 finds nothing to do, and the most that was ever resident is not kept
 * (5). Fails: -ESRCH; -EINVAL, no such number.
 */
#include "../../arch/x86_64/user_copy.h"
#include "../../fs/values.h"
#include "../core/core.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

static struct task_memory *memory_of(const struct proc_key *key) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return NULL;
    return __atomic_load_n(&subject.task->memory, __ATOMIC_ACQUIRE);
}

k42_result subject_print_core_kinds(const struct proc_key *key, struct proc_text *text) {
    struct task_memory *memory = memory_of(key);
    if (!memory)
        return -ESRCH;
    proc_print_hex(text, __atomic_load_n(&memory->core_kinds, __ATOMIC_RELAXED), 8);
    proc_put(text, "\n", 1);
    return 0;
}

/* One digit's value; 16: it is none. */
static unsigned digit_of(char c) {
    return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
           : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
           : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
                                  : 16;
}

/* As C writes numbers: 0x and 0 lead others than decimal ones. A line's end may follow. */
static k42_result read_unsigned(const char *bytes, size_t size, uint32_t *number) {
    const char *at = bytes, *end = bytes + size;
    unsigned base = 10;
    uint64_t value = 0;
    if (at < end && end[-1] == '\n')
        end--;
    at += at < end && *at == '+';
    if (end - at > 2 && *at == '0' && (at[1] | 32) == 'x' && digit_of(at[2]) < 16) {
        base = 16;
        at += 2;
    } else if (at < end && *at == '0') {
        base = 8;
    }
    if (at == end)
        return -EINVAL;
    for (; at < end; at++) {
        if (digit_of(*at) >= base)
            return -EINVAL;
        value = value * base + digit_of(*at);
        if (value > UINT32_MAX)
            return -ERANGE;
    }
    *number = (uint32_t)value;
    return 0;
}

k42_result subject_write_core_kinds(const struct proc_key *key, const char *bytes, size_t size) {
    uint32_t number;
    k42_result result = read_unsigned(bytes, size, &number);
    if (result < 0)
        return result;
    struct task_memory *memory = memory_of(key);
    if (!memory)
        return -ESRCH;
    __atomic_store_n(&memory->core_kinds, number & CORE_KINDS_ALL, __ATOMIC_RELAXED);
    return 0;
}

/* ---- pages as if they had not been used ---- */

enum { FORGET_ALL = 1, FORGET_PRIVATE, FORGET_OF_FILES, FORGET_WRITTEN, FORGET_MOST };

#define PIECE_BYTES (256ul << 20) /* looked at, before others may go on */

static bool is_meant(const struct space_mapping *mapping, uint32_t which) {
    bool file = k42_id_of(mapping->file);
    return which == FORGET_ALL || (which == FORGET_PRIVATE && !file) ||
           (which == FORGET_OF_FILES && file);
}

static void forget(space_ref space, const struct space_mapping *mapping) {
    for (uintptr_t at = mapping->start; at < mapping->end; at += PIECE_BYTES) {
        size_t length = mapping->end - at < PIECE_BYTES ? mapping->end - at : PIECE_BYTES;
        if (k42_call(space, forget_used, at, length) < 0)
            return; /* it has just gone */
        k42_safe_point();
    }
}

k42_result subject_write_forget(const struct proc_key *key, const char *bytes, size_t size) {
    struct space_mapping mapping = {.end = 0};
    uint32_t which;
    k42_result result = read_unsigned(bytes, size, &which);
    if (result < 0)
        return result;
    if (which < FORGET_ALL || which > FORGET_MOST)
        return -EINVAL;
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    while (k42_call(subject.task->space, find, mapping.end, 0, &mapping) >= 0)
        if (is_meant(&mapping, which))
            forget(subject.task->space, &mapping);
    return 0;
}
