/*
 * Linux AIO: contexts, each a ring of events in the program's memory.
 *
 *   context.c     making, finding and ending contexts, events
 *   aio_calls.c   the calls
 *
 * A context is a ring of io_uring's kind (uring/ring.h) with completions of another form; what is
 * submitted to it becomes a request of the same operations.
 */
#ifndef KERNEL_LINUX_AIO_CONTEXT_H
#define KERNEL_LINUX_AIO_CONTEXT_H

#include "../uring/request.h"

#include <linux/aio_abi.h>

/* Makes one with room for so many events: its address in the program. -ENOMEM. */
K42_MUST_CHECK
k42_result aio_make(uint32_t events, uint64_t *address);
/* The context at an address, and its file, held. -EINVAL. */
K42_MUST_CHECK
k42_result aio_get(uint64_t address, file_ref *file, struct ring **context);
/* Ends one: nothing is under way any more, and it is no longer mapped. -EINVAL: ended already. */
K42_MUST_CHECK
k42_result aio_end(struct ring *context, uint64_t address);

/* Whether one more may be submitted: there will be room for its event. */
bool aio_has_room(struct ring *context);
/* How many events wait; copies up to so many to the program, with the context taken, and says how
 * many. */
uint32_t aio_waiting(struct ring *context);
K42_MUST_CHECK
k42_result aio_collect(struct ring *context, uintptr_t to, uint32_t most);

#endif
