/*
 * /proc/PID/limits: what a process may use, in Linux's columns.
 */
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

/* In a column of that width. */
static void print_column(struct proc_text *text, const char *cell, size_t width) {
    size_t length = k42_text_length(cell);
    proc_put(text, cell, length);
    for (; length < width; length++)
        proc_put(text, " ", 1);
}

static void print_limit(struct proc_text *text, uint64_t value) {
    char number[24];
    k42_format_text(number, sizeof number, "%lu", value);
    print_column(text, value == ~0ul ? "unlimited" : number, 21);
}

k42_result subject_print_limits(const struct proc_key *key, struct proc_text *text) {
    static const char *const names[PROCESS_LIMITS][2] = {
        {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
        {"Max data size", "bytes"},      {"Max stack size", "bytes"},
        {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
        {"Max processes", "processes"},  {"Max open files", "files"},
        {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
        {"Max file locks", "locks"},     {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
        {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
    };
    struct subject subject;
    if (!subject_find(key, &subject))
        return -ESRCH;
    proc_print(text,
               "Limit                     Soft Limit           Hard Limit           Units     \n");
    for (unsigned i = 0; i < PROCESS_LIMITS; i++) {
        struct process_limit limit;
        if (k42_call(subject.process, limit, i, NULL, &limit, 0) < 0)
            return -ESRCH;
        print_column(text, names[i][0], 26);
        print_limit(text, limit.now);
        print_limit(text, limit.most);
        print_column(text, names[i][1], 10);
        proc_put(text, "\n", 1);
    }
    return 0;
}
