/*
 * The first line of a script: "#! /bin/sh -e". Pure, for the host's tests and fuzzer.
 */
#ifndef KERNEL_SCRIPT_H
#define KERNEL_SCRIPT_H

#include <stddef.h>

#define SCRIPT_LINE 256 /* more of the file is not looked at */

struct script {
    char interpreter[SCRIPT_LINE];
    char argument[SCRIPT_LINE]; /* all the rest of the line, or empty */
};

/* 0; -ENOEXEC: no script, no interpreter, or a name that does not end within what was read. */
int script_read(struct script *script, const char *bytes, size_t size);

#endif
