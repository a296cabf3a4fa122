/*
 * What the test programs share. Each prints what it finds, nothing that differs from run to run, so
 * that the same program's lines on Linux and on K42 can be compared.
 */
#ifndef SAY_H
#define SAY_H

#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "line.h"

/* One line, written at once. */
static inline __attribute__((format(printf, 1, 2))) void say(const char *format, ...) {
    char line[512];
    va_list list;
    va_start(list, format);
    size_t length = line_make(line, sizeof line, format, list);
    va_end(list);
    line_write(line, length);
}

/* A call's name with its result or error. */
static inline void tell(const char *what, long result) {
    if (result < 0)
        say("%s: %s", what, strerrorname_np(errno));
    else
        say("%s: %ld", what, result);
}

/* The same without the number, where that differs. */
static inline void tell_success(const char *what, long result) {
    say("%s: %s", what, result < 0 ? strerrorname_np(errno) : "ok");
}

static inline void say_status(const char *what, int status) {
    if (WIFEXITED(status))
        say("%s: exited %d", what, WEXITSTATUS(status));
    else if (WIFSIGNALED(status))
        say("%s: killed by %d", what, WTERMSIG(status));
    else if (WIFSTOPPED(status))
        say("%s: stopped by %d", what, WSTOPSIG(status));
    else if (WIFCONTINUED(status))
        say("%s: continued", what);
}

/* Runs fn in a child and says how it ended. */
static inline void in_child(const char *what, void (*fn)(void)) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        fn();
        _exit(0);
    }
    if (waitpid(child, &status, 0) != child)
        say("%s: waitpid %s", what, strerrorname_np(errno));
    else
        say_status(what, status);
}

#endif
