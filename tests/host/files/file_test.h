/*
 * What the tests of files share: calls that must succeed, and main().
 *
 * Errors of single calls are compared with Linux's by test_like_linux.c; the other tests state what
 * needs two ends, another thread, or a sequence. Each leaves the tree as it found it.
 */
#ifndef K42_TESTS_FILES_FILE_TEST_H
#define K42_TESTS_FILES_FILE_TEST_H

#define _GNU_SOURCE
#include "calls.h"
#include "storm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cmocka.h>

/* A descriptor, or a negative errno. */
int open_file(const char *name, int flags);
/* A descriptor of a new file that has a text, at its end. */
int make_file(const char *name, const char *text);
void close_file(int fd);
/* The file has this text and no more. */
void assert_text(const char *name, const char *text);

/* A directory with a new mount of a file system of a type named after it ("/proc": "proc"). */
void mount_at(const char *directory, const char *type);
void unmount_at(const char *directory);

/* Runs a group between calls_open() and calls_close(); what main() returns. */
#define file_tests_run(tests) cmocka_run_group_tests(tests, file_tests_begin, file_tests_end)
int file_tests_begin(void **unused);
int file_tests_end(void **unused);

#endif
