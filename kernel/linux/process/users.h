/*
 * How many threads each user has, for RLIMIT_NPROC, how many files on their way to somebody, and
 * how many bytes of queues of messages, for RLIMIT_MSGQUEUE; and how many of other things of which
 * a user may have only so many.
 *
 * Any thread; nothing waits.
 */
#ifndef KERNEL_USERS_H
#define KERNEL_USERS_H

#include <k42/base.h>

/* One thread more, if there are then at most `limit`. Errors: -EAGAIN, there are as many; -ENOMEM.
 */
K42_MUST_CHECK
k42_result user_add_thread(uint32_t uid, uint64_t limit);
/* One fewer. */
void user_remove_thread(uint32_t uid);

/* So many files more, if there are at most `limit` now. Errors: -ETOOMANYREFS, -ENOMEM. */
K42_MUST_CHECK
k42_result user_add_files(uint32_t uid, uint32_t count, uint64_t limit);
/* So many fewer. */
void user_remove_files(uint32_t uid, uint32_t count);

/* So many bytes of queues more, if there are at most `limit` then. Errors: -EMFILE, -ENOMEM. */
K42_MUST_CHECK
k42_result user_add_bytes(uint32_t uid, uint64_t bytes, uint64_t limit);
/* So many fewer. */
void user_remove_bytes(uint32_t uid, uint64_t bytes);

enum user_thing { USER_CHANGES /* inotify's files */, USER_WATCHES /* and theirs */, USER_THINGS };

/* One more, if there are then at most `limit`. Errors: -EAGAIN, -ENOMEM. */
K42_MUST_CHECK
k42_result user_add_thing(uint32_t uid, enum user_thing thing, uint32_t limit);
/* One fewer. */
void user_remove_thing(uint32_t uid, enum user_thing thing);

#endif
