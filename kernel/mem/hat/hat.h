/*
 * The interface `hat`: the page tables of one address space (HAT: hardware address translation).
 *
 * Two kinds of pages are mapped. Pages of an object (a file's FCM) are the object's: its FCM takes
 * them away with unmap() and protect(), which leave everything else alone. Private pages are the
 * HAT's own: what the tables say of them is the only record there is, and they are given back to
 * the PM when the last table that has them lets them go. See docs/address-spaces.md.
 *
 * What a method has taken away is remembered by no CPU when it returns. Locks of its own, short;
 * methods do not wait and may be called by any number of CPUs at once.
 *
 * Leases. A region says what may be mapped where, and the HAT is told by somebody else that it no
 * longer may. So that no page is entered behind the back of whoever takes a range away, a region's
 * answer comes with a lease: a word of the region, which is changed before the range is taken away.
 * A method that enters something looks at the word with its lock held, and taking away needs that
 * lock: either the word has changed by then, or the page is taken away with the others.
 */
#ifndef KERNEL_HAT_H
#define KERNEL_HAT_H

#include <k42/object.h>

#include <stdbool.h>

#define HAT_INTERFACE_VERSION 3

struct hat;
struct user_table;

enum hat_protection {
    HAT_READ = 1,
    HAT_WRITE = 2,
    HAT_EXECUTE = 4,
    HAT_UNCACHED = 8,   /* registers of devices */
    HAT_PRIVATE = 16,   /* the page becomes the HAT's own */
    HAT_LARGE = 32,     /* it is a block of 2 MiB */
    HAT_OF_MEMORY = 64, /* of an object's, which is not a file's but memory */
};

enum hat_seen {
    HAT_ACCESSED = 1, /* used since it was mapped or last looked at */
    HAT_DIRTY = 2,
    HAT_OF_BLOCK = 4, /* noted of all 2 MiB around it, which are mapped by one entry */
};

/* What a survey tells of a page. */
enum hat_page {
    HAT_PAGE_HERE = 1,
    HAT_PAGE_PRIVATE = 2, /* and no object's */
    HAT_PAGE_ALONE = 4,   /* that, and in no other program */
    HAT_PAGE_DIRTY = 8,   /* as look() has it, and so */
    HAT_PAGE_ACCESSED = 16,
    HAT_PAGE_OF_BLOCK = 32, /* of 2 MiB that are mapped by one entry */
    HAT_PAGE_OUT = 64,      /* in the swap, and not here */
};

/* What an address needs before it can be used; positive results of grant() and copy(). */
enum hat_need {
    HAT_ABSENT = 1, /* nothing is there */
    HAT_COPY = 2,   /* a copy of what is there */
    HAT_UNUSED = 3, /* nothing: the frame that was offered is the caller's again */
    HAT_EMPTY = 4,  /* nothing is in all of its 2 MiB: a large page would fit */
    HAT_OUT = 5,    /* its page, which is in the swap: bring() */
};

struct hat_lease {
    const uint32_t *word;
    uint32_t seen; /* what it was when the region looked */
};

struct hat_usage {
    uint64_t mapped; /* pages of 4 KiB that are mapped */
    uint64_t out;    /* and that are in the swap, and not here */
    uint64_t tables; /* frames of page tables */
};

/* Pages by whose they are. */
enum hat_kind { HAT_KIND_PRIVATE, HAT_KIND_OF_FILES, HAT_KIND_OF_MEMORY, HAT_KIND_OUT, HAT_KINDS };

struct hat_census {
    uint64_t pages[HAT_KINDS];
};

/* Neighbours of a page that is mapped. */
struct hat_around {
    uint32_t mask; /* bit n: page n */
    uint32_t protection;
    uint64_t physical[32];
};

/* Which addresses' pages are to stay in memory. look() says whether that of an address is, and up
 * to where it is the same; it is called with locks held and takes none itself. */
struct hat_kept {
    bool (*look)(const void *context, uintptr_t address, uintptr_t *until);
    const void *context;
};

struct hat_ops {
    struct k42_object_ops object;

    /*
     * Takes away the pages of objects that are mapped in [address, address + length), whole pages;
     * private ones stay. An object's large page goes as a whole, whatever part of it is meant:
     * whoever wants another part is given it again. Returns how many it were.
     */
    K42_METHOD(unmap)(struct hat *self, uintptr_t address, size_t length);

    /* Allows at most `protection` on the pages of objects there from now on, and on all of a large
     * one. */
    K42_METHOD(protect)
    (struct hat *self, uintptr_t address, size_t length, unsigned protection);

    /*
     * Maps a page at `address`, which is a page's. A page that is there with less allowed gets
     * more. Errors: -EEXIST, something else is there; -K42_RETRY, the lease is over; -ENOMEM,
     * -K42_WAIT. After an error the page is the caller's.
     */
    K42_METHOD(map)
    (struct hat *self, uintptr_t address, uint64_t physical, unsigned protection,
     K42_LOCAL const struct hat_lease *lease);

    /*
     * Maps some of 32 pages of an object from `address` on, all within one block of 2 MiB, where
     * nothing is. Returns how many. Errors: as map.
     */
    K42_METHOD(map_around)
    (struct hat *self, uintptr_t address, K42_LOCAL const struct hat_around *around,
     K42_LOCAL const struct hat_lease *lease);

    /*
     * Makes an access possible to what is mapped at `address` of a private mapping: `protection`
     * is what the region allows, with what is wanted shifted by HAT_WANTED. 0 when it is possible,
     * HAT_ABSENT or HAT_EMPTY, HAT_COPY, HAT_OUT. Errors: -K42_RETRY, -ENOMEM, -K42_WAIT.
     */
    K42_METHOD(grant)
    (struct hat *self, uintptr_t address, unsigned protection,
     K42_LOCAL const struct hat_lease *lease);

    /*
     * Copies what is at `address` into a frame, which takes its place as a private page. 0,
     * HAT_ABSENT or HAT_UNUSED; the frame is the caller's but for 0. Errors: as grant.
     */
    K42_METHOD(copy)
    (struct hat *self, uintptr_t address, uint64_t physical, unsigned protection,
     K42_LOCAL const struct hat_lease *lease);

    /* Takes away everything there, and gives private pages back. Returns how many pages. Errors:
     * -ENOMEM or -K42_WAIT when something shared or large could not be parted; then some is left.
     */
    K42_METHOD(release)(struct hat *self, uintptr_t address, size_t length);

    /* Allows on private pages exactly `protection`, or that after a fault, and on others no more
     * than that. Errors: as release. */
    K42_METHOD(allow)(struct hat *self, uintptr_t address, size_t length, unsigned protection);

    /* Moves private pages to another address where nothing is, pages of objects away. Errors: as
     * release, and nothing has been moved then. */
    K42_METHOD(move)(struct hat *self, uintptr_t from, uintptr_t to, size_t length);

    /* Shares everything with another HAT, an empty one's: each has what is there now, whatever the
     * other does later. Errors: those of places. */
    K42_METHOD(share)(struct hat *self, k42_ref with);

    /*
     * What share() asks there first: where the upper entries of some addresses lie, which share()
     * writes. They stay where they are until the HAT ends. Nothing of it is sent to the swap before
     * table() is called. Errors: -ENOMEM, -K42_WAIT.
     */
    K42_METHOD(places)
    (struct hat *self, K42_LOCAL const uintptr_t *addresses, unsigned count,
     K42_LOCAL uint64_t **places);

    /* What the processor noted of the page at `address`, hat_seen bits; forgets HAT_ACCESSED.
     * Errors: -ENOENT. */
    K42_METHOD(look)(struct hat *self, uintptr_t address);

    /* How many pages of a range are mapped; and when `bytes` is not NULL, in a byte for each page
     * what is known of it (enum hat_page), 0 where there is none. */
    K42_METHOD(survey)
    (struct hat *self, uintptr_t address, size_t length, K42_LOCAL uint8_t *bytes);

    /* Forgets of the pages of a range that they were used. */
    K42_METHOD(forget_used)(struct hat *self, uintptr_t address, size_t length);

    /* Copies bytes of the one page that is mapped there to memory of the kernel. Errors: -ENOENT.
     */
    K42_METHOD(peek)(struct hat *self, uintptr_t address, K42_LOCAL void *to, size_t length);

    /* The other way, whatever is allowed there. Errors: -ENOENT; -EACCES, neither a private page of
     * nobody else's nor one that is mapped writable. */
    K42_METHOD(poke)
    (struct hat *self, uintptr_t address, K42_LOCAL const void *from, size_t length);

    /* What the processor loads when a program runs here, after share(). It stays until the HAT is
     * destroyed. */
    K42_METHOD(table)(struct hat *self, K42_LOCAL struct user_table **table);

    /* Counts, by a look at each 2 MiB in use. */
    K42_METHOD(usage)(struct hat *self, K42_OUT struct hat_usage *usage);

    /* Counts kinds of pages: where there are several, each page is looked at. */
    K42_METHOD(census)(struct hat *self, K42_OUT struct hat_census *census);

    /*
     * Sends private pages that were not used lately to the swap, some of up to `wanted`, if it is
     * this PM that frames come from, or whichever with the null ref. Frames of pages that others
     * have as well come back when theirs have gone, too. Returns how many, and in the word whether
     * asking again may find more. What is kept stays; NULL: nothing is. From relief's thread.
     */
    K42_METHOD_PAIR(page_out)
    (struct hat *self, uint64_t wanted, k42_ref pm, K42_LOCAL const struct hat_kept *kept);

    /* Brings the page at an address back, if it is in the swap; it may not be used yet. Errors:
     * -K42_WAIT, -ENOMEM; -EIO, it could not be read. */
    K42_METHOD(bring)(struct hat *self, uintptr_t address);

    /* The next address, in the word, whose page is in an area of the swap, which is closed. Pages
     * before that forget that they are there as well. Errors: -ENOENT. */
    K42_METHOD_PAIR(next_out)(struct hat *self, uintptr_t address, unsigned area);
};

#define HAT_WANTED 8 /* bits to shift by, see grant() */

struct hat {
    const struct hat_ops *ops;
};
K42_DECLARE_REF(hat);
extern const struct k42_interface hat_interface;

/* Makes one with nothing in it. Active callers. Errors: -ENOMEM, -K42_WAIT. */
K42_MUST_CHECK
k42_result hat_create(k42_ref pm, hat_ref *hat);

#endif
