/*
 * Messages for people on a Linux host: standard error, unless the program takes them.
 *
 * One line is one write, so that lines of several threads do not mix. Any context; errors of the
 * stream are ignored, since there is nobody else to tell.
 */
#include <errno.h>
#include <execinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "host.h"

static void write_line(const char *prefix, const char *line) {
    struct iovec parts[3] = {
        {.iov_base = (void *)(uintptr_t)prefix, .iov_len = strlen(prefix)},
        {.iov_base = (void *)(uintptr_t)line, .iov_len = strlen(line)},
        {.iov_base = (void *)(uintptr_t) "\n", .iov_len = 1},
    };
    int saved = errno;
    ssize_t written = writev(STDERR_FILENO, parts, 3);
    (void)written;
    errno = saved;
}

static void (*log_elsewhere)(const char *line);

void k42_platform_set_log(void (*log)(const char *line)) {
    log_elsewhere = log;
}

void k42_platform_log(const char *line) {
    if (log_elsewhere)
        log_elsewhere(line);
    else
        write_line("k42: ", line);
}

_Noreturn void k42_platform_panic(const char *line) {
    void *frames[32];
    write_line("k42: panic: ", line);
    backtrace_symbols_fd(frames, backtrace(frames, 32), STDERR_FILENO);
    abort();
}
