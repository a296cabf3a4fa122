/*
 * What stands around the page caches in their tests: waiting, memory, copies, address spaces and a
 * file's medium, all on a Linux host, with the object runtime itself.
 *
 * A program's access goes through its address space as the processor's would: under the lock that
 * mapping and unmapping take, so whoever has taken a page out knows that nobody is using it.
 */
#ifndef K42_TESTS_PAGES_STAGE_H
#define K42_TESTS_PAGES_STAGE_H

#include "../machine/machine.h"

#include "../../../kernel/copy.h"
#include "../../../kernel/mem/fcm/file_pages.h"
#include "../../../kernel/mem/frame/frame.h"
#include "../../../kernel/mem/hat/hat.h"
#include "../../../kernel/sched/wait.h"

#include <k42/k42.h>

/* Ends the program: the stage itself does not work. */
_Noreturn void stage_die(const char *what);

#define STAGE_FRAMES (8u << 20 >> FRAME_SHIFT)

/* Memory, runtime and the machine's PM; once in a program. */
void stage_open(void);
/* The same with so many frames instead of STAGE_FRAMES. */
void stage_open_with(uint64_t frames);
void stage_attach(const char *name);
/* Frames in use when nothing is deferred. */
uint64_t stage_frames_used(void);

/* ---- calls that wait ---- */

struct stage_wait {
    struct wait_point point;
    bool in, fired;
    struct stage_wait *next;
};
/* As WAIT_CALL's: true, call again. Ends the program when nothing happens for minutes. */
bool stage_again(struct stage_wait *wait, k42_result *result);

/* Enters, calls until it need not wait, leaves. */
#define CALL(ref, method, ...)                                                                     \
    __extension__({                                                                                \
        struct stage_wait wait_ = {.in = false};                                                   \
        k42_result result_;                                                                        \
        k42_enter();                                                                               \
        do                                                                                         \
            result_ = k42_call(ref, method __VA_OPT__(, ) __VA_ARGS__);                            \
        while (stage_again(&wait_, &result_));                                                     \
        k42_exit();                                                                                \
        result_;                                                                                   \
    })
/* Calls once. */
#define TRY(ref, method, ...)                                                                      \
    __extension__({                                                                                \
        k42_enter();                                                                               \
        k42_result result_ = k42_call(ref, method __VA_OPT__(, ) __VA_ARGS__);                     \
        k42_exit();                                                                                \
        result_;                                                                                   \
    })

/* Bytes by call; the result of read or write. */
k42_result stage_read(fcm_ref fcm, uint64_t offset, void *bytes, size_t length);
k42_result stage_write(fcm_ref fcm, uint64_t offset, const void *bytes, size_t length);
/* Copies end after so many bytes, once, as if a page of the program were missing; 0: they do not.
 */
extern __thread size_t stage_copy_limit;
/* Called by the next copy, once, in the middle of the method. */
extern __thread void (*stage_copying)(void);

/* ---- an address space ---- */

#define SPACE_PAGES 1024u /* two blocks of 2 MiB */
#define SPACE_START 0x10000000ul

struct space {
    k42_ref hat;
    fcm_ref fcm; /* attached from its first page on */
};
void space_open(struct space *space, fcm_ref fcm);
void space_close(struct space *space);
/* A program's load and store of the word at a byte of the file. 0, or what the fault gave. Who
 * loads asks for a whole block. */
k42_result space_load(struct space *space, uint64_t at, uint64_t *value);
k42_result space_store(struct space *space, uint64_t at, uint64_t value);
/* How many pages are mapped there. */
uint64_t space_mapped(struct space *space);

/* ---- a medium ---- */

#define MEDIUM_PAGES 2048u

struct medium {
    fr_ref fr;
    bool late;                        /* answers come from a thread, or from medium_answer() */
    bool by_hand;                     /* with late: only medium_answer() */
    k42_result fail_fill, fail_write; /* the next ones */
    bool fails_on;                    /* and all that come after */
    uint32_t fills, runs, writes, flushes, refuse; /* refuse: the next so many are -K42_WAIT */
    uint64_t size;
};
void medium_open(struct medium *medium);
void medium_close(struct medium *medium);
/* Changes by_hand while it is open. */
void medium_set_by_hand(struct medium *medium, bool by_hand);
/* Answers everything asked for so far. Returns how many. */
unsigned medium_answer(struct medium *medium);
/* Answers what was asked of one page; false: nothing was. */
bool medium_answer_page(struct medium *medium, uint64_t page);
/* What is on it. */
uint64_t medium_word(struct medium *medium, uint64_t page, unsigned word);

/* Classes for the tests: fcm_shared's methods, and none of its formats but the canonical one. */
extern struct k42_class fcm_plain;

/* All classes of a file's pages, that one among them. */
#define STAGE_CLASSES 7u
extern struct k42_class *const stage_classes[STAGE_CLASSES];

#endif
