/*
 * What is taken in of a directory of components: the policy in its file POLICY.
 *
 * Each line is a pattern of names of classes, as shells have them, and a mode; the first that fits
 * decides. What no line fits is taken in eagerly, as is everything without that file. "never" keeps
 * a class as it is. A pattern that ends with UPDATE_SUFFIX is one of files, and with "never" keeps
 * them from being looked at. Lines that begin with # say nothing.
 *
 *     pipe.*      lazy
 *     process.*   never
 *     test_*.k42  never
 */
#ifndef GUEST_UPDATES_H
#define GUEST_UPDATES_H

#include <stdbool.h>
#include <stddef.h>

#define POLICY        "policy"
#define UPDATE_SUFFIX ".k42"

enum update_mode { UPDATE_EAGER, UPDATE_LAZY, UPDATE_NEW, UPDATE_NEVER };

/* As k42/modules.h has them, and "never". */
const char *update_mode_name(enum update_mode mode);

/* Takes a file's lines in the place of those there are. False: `why` says which is wrong, and
 * nothing has changed. */
bool policy_read(const char *path, char *why, size_t size);
void policy_forget(void);
/* What is to be done about a class, or a file, of that name. */
enum update_mode policy_mode(const char *name);

#endif
