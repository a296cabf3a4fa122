/*
 * The swap: where private pages of programs are while they are not in memory.
 *
 * An *area* is a file, a disk mostly, and its page cache: a page that goes out is given to the
 * cache as a changed page of that file, at a *slot* of its own, and the file's FR writes it like
 * any other. So what is on its way, what is still in memory, errors, and waiting are the cache's
 * business, and swapping the cache for one of another class is, too. Here are only the slots: which
 * are free, and how much leads to each: entries of page tables (fork makes it more than one),
 * and a page in memory that remembers it, since it has not changed since it was there.
 *
 * Counting is a service: any context, no locks, no calls. A slot to which nothing leads any more is
 * noted, and its page forgotten and the slot free at relief's next turn. Slots are taken by
 * relief's thread alone, one after the other, so what goes out together lies together.
 */
#ifndef KERNEL_SWAP_H
#define KERNEL_SWAP_H

#include <k42/object.h>
#include <stdbool.h>

/* The area's number in the upper half, the page of its file in the lower: fits the place of a
 * frame's number in an entry. 0: none, since a file's first page has the header. */
typedef uint64_t swap_slot;

#define SWAP_AREAS     8u
#define SWAP_PAGES_MAX 0xffffffffu
#define SWAP_PATH_MAX  256u

static inline unsigned swap_area_of(swap_slot slot) {
    return (unsigned)(slot >> 32);
}

/* ---- slots ---- */

/* One entry or page more, or fewer, leads to it. Who calls has one. */
void swap_hold(swap_slot slot);
void swap_drop(swap_slot slot);

/* Whether a page that came back from a slot should remember it: its area is open, and the swap is
 * roomy; and the two apart. A slot that is held; roomy: less than half of what is open is used. */
bool swap_keeps(swap_slot slot);
bool swap_is_open(swap_slot slot);
bool swap_is_roomy(void);

/*
 * A slot for a page that is about to go out, with one hold; its place in the cache is claimed, and
 * whoever asks for the page waits until swap_put(), which cannot fail. One that was not needed is
 * spared for the next who takes one, until swap_cancel_spares(). 0: there is
 * none, or no memory for it. Relief's thread, active.
 */
swap_slot swap_take(void);
/* The frame, which nobody writes to any more, is the cache's, alone or with page tables: its record
 * says so (FRAME_CACHED), and who was charged. */
void swap_put(swap_slot slot, uint64_t physical);
void swap_spare(swap_slot slot);
void swap_cancel_spares(void);

/* Copies the page to a frame. Active callers with a hold. Errors: -K42_WAIT until it was read;
 * -ENOMEM; -EIO. */
K42_MUST_CHECK
k42_result swap_get(swap_slot slot, uint64_t physical);

/* The page is in memory for the one who calls, with a hold: while memory is short the cache lets go
 * of its own, unless somebody else may want it from there. Active. */
void swap_came_back(swap_slot slot);

/* ---- areas ---- */

struct swap_new {
    k42_ref fcm;      /* its cache */
    k42_ref file;     /* held by the caller, and released by him after swap_remove() */
    uint64_t pages;   /* the header's included */
    int32_t priority; /* higher ones are used first */
    bool disk;
    const char *path;
};

struct swap_usage {
    bool disk;
    int32_t priority;
    uint64_t pages, used; /* that can be used; in use */
    char path[SWAP_PATH_MAX];
};

/* Adds one, as nobody's else: in the word its number. Errors: -EBUSY, the file is one already;
 * -EPERM, there are SWAP_AREAS; -EINVAL, its cache cannot have changed pages given; -ENOMEM. */
struct k42_pair swap_add(const struct swap_new *new);
/* A page of it that is known to be bad. Before swap_begin(). Errors: -EINVAL. */
K42_MUST_CHECK
k42_result swap_leave_out(unsigned area, uint64_t page);
/* It is used from now on. */
void swap_begin(unsigned area);

/* The area of a cache. Errors: -EINVAL. */
K42_MUST_CHECK
k42_result swap_find(k42_ref fcm);
/* No more pages go there, or again. -EBUSY: somebody has done so. */
K42_MUST_CHECK
k42_result swap_close(unsigned area);
void swap_reopen(unsigned area);
/* Slots that entries lead to, or whose pages were not forgotten yet. */
uint64_t swap_used(unsigned area);
/* A closed one that is not used any more. Returns its file. May wait, inactive. */
k42_ref swap_remove(unsigned area);

/* False: there is none of that number. */
bool swap_usage(unsigned area, struct swap_usage *usage);

struct swap_totals {
    uint64_t pages, free; /* of all areas */
    uint64_t put, got;    /* that went to one, or came back from one, since the kernel runs; one
                             that went without being written again does not count */
};
void swap_total(struct swap_totals *totals);

/* ---- relief's ---- */

/* Whether there is an area. */
bool swap_is_on(void);
/* Forgets pages that nobody has any more; makes caches give back. Returns frames. Active. */
uint64_t swap_give_back(uint64_t wanted);
/* How many pages were not written yet, and may be. Relief's thread, active. */
uint64_t swap_on_the_way(void);

/* ---- the header ---- */

#define SWAP_HEADER_BYTES 4096u

struct swap_header {
    uint32_t pages;     /* of the file, this one included */
    uint32_t bad_count; /* pages that cannot be used */
    const uint8_t *bad; /* their numbers, four bytes each, in the header */
};

/* Reads what mkswap wrote. Errors: -EINVAL. */
K42_MUST_CHECK
k42_result swap_header_read(const uint8_t bytes[SWAP_HEADER_BYTES], struct swap_header *header);
uint32_t swap_header_bad(const struct swap_header *header, uint32_t number);

#endif
