/*
 * What the tests of address spaces share: a machine with memory, a PM that counts, a file whose
 * pages can be taken away, and accesses as a program makes them.
 */
#ifndef K42_TESTS_SPACE_FIXTURE_H
#define K42_TESTS_SPACE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <k42/k42.h>

#include "../../kernel/mem/fcm/fcm.h"
#include "../../kernel/mem/pm/pm.h"
#include "../../kernel/mem/space/space.h"
#include "machine/machine.h"
#include <user_pages.h>

#define PAGE       4096ul
#define LARGE      0x200000ul
#define FILE_PAGES 1024u

/* Setup of the group: memory and the runtime; the calling thread is CPU 0, attached. */
int fixture_open(void **state);
int fixture_close(void **state);
/* Setup and teardown of a test, which ends with the frames it began with. */
int fixture_begin(void **state);
int fixture_end(void **state);

/* Frames taken from the test's PM and not given back. */
uint64_t fixture_frames(void);
/* From now on only so many more can be had; ~0: any number. Who wants more gets the refusal. */
void fixture_limit_frames(uint64_t frames);
extern k42_result fixture_refusal; /* -ENOMEM, unless a test says otherwise */
/* Lets everything that was destroyed end. */
void fixture_settle(void);

extern k42_ref fixture_pm;

/* A file of FILE_PAGES pages: the word at any address of page n of version v is file_word(). */
k42_ref fixture_file(void);
/* The same in blocks of 2 MiB, which it gives to whoever asks for them. */
k42_ref fixture_file_of_blocks(void);
/* Takes a page away from whoever maps it; it comes back with the same contents, elsewhere if the
 * file is not in blocks. */
void fixture_file_evict(k42_ref file, uint64_t page);
/* Called each time a page that is evicted has left one attachment, inactive; NULL: nothing. */
extern void (*fixture_after_unmap)(void);
uint64_t fixture_attachments(k42_ref file);
static inline uint64_t file_word(uint64_t page) {
    return 0xf11e0000 + page;
}

space_ref fixture_space(void);
void fixture_end_space(space_ref space);

/* An access of a word of a program that runs on this CPU; faults are resolved. 0 or the fault's
 * error. Inactive callers. */
k42_result program_read(space_ref space, uintptr_t address, uint64_t *value);
k42_result program_write(space_ref space, uintptr_t address, uint64_t value);

/* Calls of a space from an inactive thread, made again while others change it. */
struct k42_pair program_map(space_ref space, const struct space_request *request);
uintptr_t program_map_memory(space_ref space, uintptr_t address, size_t length, unsigned flags);
k42_result program_unmap(space_ref space, uintptr_t address, size_t length);
k42_result program_protect(space_ref space, uintptr_t address, size_t length, unsigned protection);
struct k42_pair program_resize(space_ref space, const struct space_move *move);
k42_result program_advise(space_ref space, uintptr_t address, size_t length, int advice);
space_ref program_fork(space_ref space);

#define SPACE_ALL (SPACE_READ | SPACE_WRITE | SPACE_EXECUTE)

#endif
