/*
 * The interface `hat`: the page tables of one address space (HAT: hardware address translation).
 *
 * Regions enter mappings, FCMs take them away. What a method has taken away is remembered by no CPU
 * when it returns, unless the caller gathers flushes. Locks of its own, short; methods do not wait
 * and may be called by any number of CPUs at once.
 */
#ifndef KERNEL_HAT_H
#define KERNEL_HAT_H

#include <k42/object.h>

struct hat;
struct user_table;

enum hat_protection {
    HAT_READ = 1,
    HAT_WRITE = 2,
    HAT_EXECUTE = 4,
    HAT_UNCACHED = 8, /* registers of devices */
};

enum hat_seen {
    HAT_ACCESSED = 1, /* used since it was mapped or last looked at */
    HAT_DIRTY = 2,
};

struct hat_usage {
    uint64_t mapped; /* pages of 4 KiB that are mapped */
    uint64_t tables; /* frames of page tables */
};

struct hat_ops {
    struct k42_object_ops object;

    /*
     * Maps a block of 2^order pages (0, 9 or 18) at `address`, replacing what was there if it is
     * the same block with less allowed. Errors: -ENOMEM; -EEXIST, something else is there.
     */
    K42_METHOD(map)
    (struct hat *self, uintptr_t address, uint64_t physical, unsigned order, unsigned protection);

    /* Takes away everything mapped in [address, address + length), whole pages. Returns how many
     * pages that were. Errors: -ENOMEM when a large page could not be parted. */
    K42_METHOD(unmap)(struct hat *self, uintptr_t address, size_t length);

    /* Allows at most `protection` there from now on. Errors: -ENOMEM as above. */
    K42_METHOD(protect)
    (struct hat *self, uintptr_t address, size_t length, unsigned protection);

    /* What the processor noted of the page at `address`, hat_seen bits; forgets HAT_ACCESSED.
     * Errors: -ENOENT. */
    K42_METHOD(look)(struct hat *self, uintptr_t address);

    /* What the processor loads when a program runs here. It stays until the HAT is destroyed. */
    K42_METHOD(table)(struct hat *self, K42_LOCAL struct user_table **table);

    /* Counts. */
    K42_METHOD(usage)(struct hat *self, K42_OUT struct hat_usage *usage);
};

struct hat {
    const struct hat_ops *ops;
};
K42_DECLARE_REF(hat);
extern const struct k42_interface hat_interface;

#endif
