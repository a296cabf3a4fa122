/*
 * /proc/PID/smaps, smaps_rollup and pagemap: what there is of a program's pages.
 *
 * Nobody counts in how many programs a page is: a private page that a fork has left to several, and
 * every page of an object, counts as shared, and wholly in Pss. Private pages count as dirty, since
 * they are nowhere else. In pagemap no frames' numbers are told. Pages are looked at some thousand
 * at a time, while they come and go, as on Linux.
 *
 * Owns nothing. Fails: -ESRCH, -ENOMEM; of pagemap -EACCES, -EINVAL.
 */
#include "../../arch/x86_64/user_copy.h"
#include "../../copy.h"
#include "../../fs/file.h"
#include "../../fs/path.h"
#include "../../mem/heap/heap.h"
#include "../whom.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

enum { PIECE_PAGES = 4096, KIB_PER_PAGE = 4 };

/* ---- counting ---- */

/* Pages of each kind; the last two by whether others have them, and whether they are dirty. */
struct tally {
    uint64_t mapped, here, private, accessed, of_blocks, out, locked;
    uint64_t pages[2][2];
};

static void count(struct tally *tally, unsigned page) {
    tally->out += !!(page & SPACE_PAGE_OUT);
    if (!(page & SPACE_PAGE_HERE))
        return;
    tally->here++;
    tally->private += !!(page & SPACE_PAGE_PRIVATE);
    tally->accessed += !!(page & SPACE_PAGE_ACCESSED);
    tally->of_blocks += (page & SPACE_PAGE_PRIVATE) && (page & SPACE_PAGE_OF_BLOCK);
    tally->pages[!(page & SPACE_PAGE_ALONE)][!!(page & (SPACE_PAGE_PRIVATE | SPACE_PAGE_DIRTY))]++;
}

static void count_mapping(space_ref space, const struct space_mapping *mapping, uint8_t *bytes,
                          struct tally *tally) {
    uint64_t before = tally->here;
    tally->mapped += (mapping->end - mapping->start) / FRAME_SIZE;
    for (uintptr_t at = mapping->start; at < mapping->end;) {
        size_t length = mapping->end - at;
        length = length < PIECE_PAGES * FRAME_SIZE ? length : PIECE_PAGES * FRAME_SIZE;
        if (k42_call(space, resident, at, length, bytes, length / FRAME_SIZE) < 0)
            break; /* it has just gone */
        for (size_t n = 0; n < length / FRAME_SIZE; n++)
            count(tally, bytes[n]);
        at += length;
        k42_safe_point();
    }
    if (mapping->flags & SPACE_LOCKED)
        tally->locked += tally->here - before;
}

/* ---- printing ---- */

static void print_pages(struct proc_text *text, const char *name, uint64_t pages) {
    uint64_t kib = pages * KIB_PER_PAGE;
    proc_print(text, "%s:", name);
    for (size_t at = k42_text_length(name) + 1; at < 16; at++)
        proc_put(text, " ", 1);
    for (uint64_t reach = 10000000; reach > kib && reach > 1; reach /= 10)
        proc_put(text, " ", 1);
    proc_print(text, "%lu kB\n", kib);
}

static void print_proportional(struct proc_text *text, const struct tally *tally, bool by_kind) {
    print_pages(text, "Rss", tally->here);
    print_pages(text, "Pss", tally->here);
    print_pages(text, "Pss_Dirty", tally->pages[0][1] + tally->pages[1][1]);
    if (!by_kind)
        return;
    print_pages(text, "Pss_Anon", tally->private);
    print_pages(text, "Pss_File", tally->here - tally->private);
    print_pages(text, "Pss_Shmem", 0);
}

static void print_tally(struct proc_text *text, const struct tally *tally) {
    print_pages(text, "Shared_Clean", tally->pages[1][0]);
    print_pages(text, "Shared_Dirty", tally->pages[1][1]);
    print_pages(text, "Private_Clean", tally->pages[0][0]);
    print_pages(text, "Private_Dirty", tally->pages[0][1]);
    print_pages(text, "Referenced", tally->accessed);
    print_pages(text, "Anonymous", tally->private);
    print_pages(text, "LazyFree", 0);
    print_pages(text, "AnonHugePages", tally->of_blocks);
    print_pages(text, "ShmemPmdMapped", 0);
    print_pages(text, "FilePmdMapped", 0);
    print_pages(text, "Shared_Hugetlb", 0);
    print_pages(text, "Private_Hugetlb", 0);
    print_pages(text, "Swap", tally->out);
    print_pages(text, "SwapPss", tally->out);
    print_pages(text, "Locked", tally->locked);
}

static void print_flags(struct proc_text *text, const struct space_mapping *mapping) {
    const struct {
        const char *name;
        bool holds;
    } flags[] = {
        {"rd", mapping->protection & SPACE_READ},
        {"wr", mapping->protection & SPACE_WRITE},
        {"ex", mapping->protection & SPACE_EXECUTE},
        {"sh", mapping->flags & SPACE_SHARED},
        {"mr", mapping->most & SPACE_READ},
        {"mw", mapping->most & SPACE_WRITE},
        {"me", mapping->most & SPACE_EXECUTE},
        {"ms", mapping->flags & SPACE_SHARED},
        {"gd", mapping->flags & SPACE_GROWS_DOWN},
        {"um", mapping->flags & SPACE_WATCHED},
        {"lo", mapping->flags & SPACE_LOCKED},
        {"ac", !(mapping->flags & SPACE_SHARED) && mapping->protection & SPACE_WRITE},
        {"wf", mapping->flags & SPACE_WIPE_FORK},
        {"hg", mapping->flags & SPACE_LARGE},
        {"nh", mapping->flags & SPACE_NO_LARGE},
    };
    proc_print(text, "VmFlags: ");
    for (size_t n = 0; n < sizeof flags / sizeof *flags; n++)
        if (flags[n].holds)
            proc_print(text, "%s ", flags[n].name);
    proc_put(text, "\n", 1);
}

static k42_result print_one(struct proc_text *text, const struct subject *subject,
                            const struct space_mapping *mapping, uint8_t *bytes) {
    struct tally tally = {0};
    k42_result result = subject_print_mapping(text, mapping, &subject->marks);
    if (result < 0)
        return result;
    count_mapping(subject->task->space, mapping, bytes, &tally);
    print_pages(text, "Size", tally.mapped);
    print_pages(text, "KernelPageSize", 1);
    print_pages(text, "MMUPageSize", 1);
    print_proportional(text, &tally, false);
    print_tally(text, &tally);
    proc_print(text, "THPeligible:    %d\n", !!(mapping->flags & SPACE_LARGE));
    print_flags(text, mapping);
    return 0;
}

/* ---- the files ---- */

/* -EACCES: it is not the caller's to look at. */
static k42_result find_traced(const struct proc_key *key, struct subject *subject) {
    if (!subject_find(key, subject) || !subject->task)
        return -ESRCH;
    return whom_may_trace(subject->task) ? 0 : -EACCES;
}

k42_result subject_print_smaps(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    struct space_mapping mapping = {.end = 0};
    uint8_t *bytes = heap_allocate(PIECE_PAGES);
    k42_result result = bytes ? find_traced(key, &subject) : -ENOMEM;
    while (result >= 0 && !text->failed &&
           k42_call(subject.task->space, find, mapping.end, 0, &mapping) >= 0)
        result = print_one(text, &subject, &mapping, bytes);
    heap_free(bytes);
    return result;
}

k42_result subject_print_rollup(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    struct space_mapping mapping = {.end = 0};
    struct tally tally = {0};
    uintptr_t start = 0;
    uint8_t *bytes = heap_allocate(PIECE_PAGES);
    k42_result result = bytes ? find_traced(key, &subject) : -ENOMEM;
    while (result >= 0 && k42_call(subject.task->space, find, mapping.end, 0, &mapping) >= 0) {
        start = start ? start : mapping.start;
        count_mapping(subject.task->space, &mapping, bytes, &tally);
    }
    heap_free(bytes);
    if (result < 0)
        return result;
    proc_print_hex(text, start, 8);
    proc_put(text, "-", 1);
    proc_print_hex(text, mapping.end, 8);
    proc_print(text, " ---p 00000000 00:00 0                          [rollup]\n");
    print_proportional(text, &tally, true);
    print_tally(text, &tally);
    return 0;
}

/* ---- pagemap ---- */

#define WORD_HERE   (1ul << 63)
#define WORD_OUT    (1ul << 62)
#define WORD_OBJECT (1ul << 61)
#define WORD_ALONE  (1ul << 56)

static uint64_t word_of(space_ref space, uintptr_t address) {
    uint8_t page = 0;
    if (address >= USER_END || k42_call(space, resident, address, FRAME_SIZE, &page, 1) < 0)
        return 0;
    if (!(page & SPACE_PAGE_HERE))
        return page & SPACE_PAGE_OUT ? WORD_OUT : 0;
    return WORD_HERE | (page & SPACE_PAGE_PRIVATE ? 0 : WORD_OBJECT) |
           (page & SPACE_PAGE_ALONE ? WORD_ALONE : 0);
}

/* Words of 8 bytes, by the page's number. */
k42_result subject_move_pagemap(const struct proc_key *key, uint64_t at, struct copy *copy,
                                bool write) {
    struct subject subject;
    k42_result result = find_traced(key, &subject), done = 0;
    if (result < 0)
        return result == -ESRCH ? 0 : result;
    if (write || (at | copy->left) % sizeof(uint64_t))
        return -EINVAL;
    while (copy->left && at / sizeof(uint64_t) < USER_END / FRAME_SIZE) {
        uint64_t word = word_of(subject.task->space, at / sizeof word * FRAME_SIZE);
        struct copy ahead = *copy;
        result = copy_out(&ahead, &word, sizeof word);
        if (result < (k42_result)sizeof word)
            return done ? done : result < 0 ? result : -EFAULT;
        *copy = ahead;
        done += result;
        at += sizeof word;
    }
    return done;
}
