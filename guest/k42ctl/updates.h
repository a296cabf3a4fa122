/*
 * Updates: what is taken in of a directory of components.
 *
 *   updates.c          the command: watches a directory, tells what came of it
 *   update.c           one component: whether it is taken in, and how
 *   updates_policy.c   what is wanted: the directory's file POLICY
 *
 * The policy. Each line is a pattern of names of classes, as shells have them, and a mode; the
 * first that fits decides. What no line fits is taken in eagerly, as is everything without that
 * file. "never" keeps a class as it is. A pattern that ends with UPDATE_SUFFIX is one of files, and
 * with "never" keeps them from being looked at. Lines that begin with # say nothing.
 *
 *     pipe.*      lazy
 *     process.*   never
 *     test_*.k42  never
 */
#ifndef GUEST_UPDATES_H
#define GUEST_UPDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define POLICY        "policy"
#define UPDATE_SUFFIX ".k42"

enum update_mode { UPDATE_EAGER, UPDATE_LAZY, UPDATE_NEW, UPDATE_NEVER };

/* As k42/modules.h has them, and "never". */
const char *update_mode_name(enum update_mode mode);

/* Takes a file's lines in the place of those there are. False: a line is wrong, whose number is in
 * *wrong, and nothing has changed. */
bool policy_read(FILE *file, unsigned *wrong);
void policy_forget(void);
/* What is to be done about a class, or a file, of that name. */
enum update_mode policy_mode(const char *name);

/* Takes a component in; what came of it is told. `file` is its name in the directory. */
enum update_result { UPDATE_TAKEN, UPDATE_LEFT, UPDATE_GONE /* meanwhile */ };
enum update_result update_take(const char *path, const char *file);

/* Tells of a file, in the kernel's log and for `k42ctl updates`: a word, and a sentence. */
#define UPDATE_SENTENCE 512
void update_tell(const char *file, const char *word, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
