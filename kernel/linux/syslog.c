/*
 * syslog(): the kernel's last lines, as dmesg shows them.
 *
 * Lines come out as Linux writes them: `<level>[seconds] text`. What has been cleared is not given
 * again; it stays in the ring for a panic. Waiting for the next line is not there.
 */
#include "../log.h"
#include "abi.h"
#include "program.h"
#include "runtime.h"
#include "task.h"

enum {
    CLOSE = 0,
    OPEN = 1,
    READ_ALL = 3,
    READ_AND_CLEAR = 4,
    CLEAR = 5,
    CONSOLE_OFF = 6,
    CONSOLE_LEVEL = 8,
    SIZE_UNREAD = 9,
    SIZE_BUFFER = 10,
};

#define LINE_MOST   (LOG_TEXT + 32)
#define BUFFER_SIZE (256 << 10) /* of which programs make room for all lines */

static uint64_t cleared; /* the last line that is not to be given */

/* Seconds stand right in five columns; a fraction's six digits are a number's after the first. */
static size_t put_line(char *out, const struct log_line *line) {
    uint64_t us = line->ns / 1000, seconds = us / 1000000;
    const char *columns = "    ";
    char digits[8];
    for (uint64_t left = seconds; left >= 10 && *columns; left /= 10)
        columns++;
    k42_format_text(digits, sizeof digits, "%lu", 1000000 + us % 1000000);
    return k42_format_text(out, LINE_MOST, "<6>[%s%lu.%s] %s\n", columns, seconds, digits + 1,
                           line->text);
}

/* The number of the first line so that all from there on fit. */
static uint64_t first_that_fits(size_t size) {
    uint64_t floor = __atomic_load_n(&cleared, __ATOMIC_RELAXED), from = log_last() + 1;
    size_t total = 0;
    struct log_line line;
    char text[LINE_MOST];
    for (uint64_t number = from - 1; number > floor; number--) {
        if (log_read(number, &line) != number)
            break;
        total += put_line(text, &line);
        if (total > size)
            break;
        from = number;
    }
    return from;
}

static k42_result read_all(uintptr_t to, size_t size) {
    struct log_line line;
    char text[LINE_MOST];
    size_t at = 0;
    for (uint64_t number = first_that_fits(size); (number = log_read(number, &line)); number++) {
        size_t length = put_line(text, &line);
        if (at + length > size)
            break;
        k42_result result = program_write(to + at, text, length);
        if (result < 0)
            return result;
        at += length;
    }
    return (k42_result)at;
}

static k42_result act(int action, uintptr_t to, int length) {
    k42_result result = 0;
    switch (action) {
    case READ_ALL:
    case READ_AND_CLEAR:
        if (!to || length < 0)
            return -EINVAL;
        result = read_all(to, (size_t)length);
        if (action == READ_ALL || result < 0)
            return result;
        __atomic_store_n(&cleared, log_last(), __ATOMIC_RELAXED);
        return result;
    case CLEAR:
        __atomic_store_n(&cleared, log_last(), __ATOMIC_RELAXED);
        return 0;
    case SIZE_BUFFER:
        return BUFFER_SIZE;
    case CLOSE:
    case OPEN:
    case SIZE_UNREAD:
        return 0;
    case CONSOLE_LEVEL:
        return length < 1 || length > 8 ? -EINVAL : 0;
    default:
        return action >= CONSOLE_OFF && action < CONSOLE_LEVEL ? 0 : -EINVAL;
    }
}

LINUX_CALL(103, syslog, int action, uintptr_t to, int length) {
    bool open_to_all = action == READ_ALL || action == SIZE_BUFFER;
    if (!open_to_all && !task_capable(task_self(), CAP_SYSLOG))
        return -EPERM;
    return act(action, to, length);
}
