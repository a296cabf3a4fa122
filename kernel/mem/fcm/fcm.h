/*
 * The interface `fcm`: the cached pages of one file, or the memory of one anonymous mapping (FCM:
 * file cache manager). It decides what stays in memory; its FR (../fr/fr.h) knows where pages come
 * from and go to, a PM (../pm/pm.h) gives it frames. Regions and files are its clients.
 *
 * Pages are numbered from 0. The life of a page, seen from outside:
 *
 *   absent -> filling -> present (clean or dirty, held or not) -> leaving -> absent
 *
 * While a page is filling or leaving whoever wants it gets -K42_WAIT with the page's number as the
 * key. A page given by get_page() is *held*: it stays where it is until put_page() or mapped(). To
 * make a page leave (evicted, truncated) the FCM marks it leaving, waits for holds to drain, takes
 * it out of every attached address space (hat.unmap, no lock held), and frees it. So the order of
 * whoever maps a page is get_page, hat.map, mapped: either it holds the page before it leaves, and
 * the FCM finds the mapping; or it waits. A page that was just filled is not evicted before
 * somebody has got it, or all who waited have gone.
 *
 * Dirty. A page given with FCM_WRITE counts as dirty from then on, since it may be mapped writable.
 * Writing back first makes its mappings read-only (hat.protect), so the next write faults and asks
 * again.
 *
 * Size. The FCM of a file knows the file's size in bytes: it is what reads are clipped to,
 * appending writes continue at, and beyond which pages do not exist. Anonymous memory has no size.
 *
 * Methods do not wait. Errors common to them: -ENOMEM, the PM has no frame; -EIO, the FR failed.
 */
#ifndef KERNEL_FCM_H
#define KERNEL_FCM_H

#include <k42/object.h>

#define FCM_INTERFACE_VERSION 3

struct copy;
struct fcm;

enum fcm_flags {
    FCM_WRITE = 1,  /* the page will be written */
    FCM_CACHED = 2, /* only when it is present: -ENOENT instead of starting to fill it */
    FCM_LARGE = 4,  /* the 2 MiB it lies in, for reading, if the FCM has them in one block */
};

/* A page that is held. Of a block the first page is, and none of the others leaves meanwhile. */
struct fcm_page {
    uint64_t physical;
    uint32_t order;    /* 0; or with FCM_LARGE 9: 512 pages, of which `index` is the first */
    uint32_t writable; /* may be mapped writable now; otherwise a write must ask again */
    uint64_t index;    /* of the page; of the first page of the block */
};

/* Which pages of an attachment do not leave because memory is short: that got there after it. */
enum fcm_stays {
    FCM_ALL_STAY = 1,    /* all of its file's pages */
    FCM_MAPPED_STAY = 2, /* those that are mapped */
};

/* Where pages are mapped: the range [first, first + pages) of the FCM at `address`. */
struct fcm_attachment {
    k42_ref hat;
    uintptr_t address;
    uint64_t first, pages;
    uint32_t writable; /* may be mapped writable, so that write-back must ask there */
    uint32_t stays;    /* enum fcm_stays */
};

struct fcm_usage {
    uint64_t present, dirty, held, in_transit; /* pages */
    uint64_t attachments;
    uint64_t frames; /* taken in all, records included */
    uint64_t stuck;  /* pages that were adopted, could not be written the last time, and stay */
};

/* What has happened since the FCM was made: what tells one way of using a file from another. */
struct fcm_counts {
    uint64_t misses;    /* pages that were wanted and absent */
    uint64_t in_order;  /* times that somebody was seen to go on where one had stopped */
    uint64_t ahead;     /* pages begun before anybody wanted them */
    uint64_t requests;  /* to the FR, for pages to be filled */
    uint64_t waits;     /* times somebody was told to wait for a page */
    uint64_t evicted;   /* pages that went although they belong to the file */
    uint64_t contended; /* times a CPU met another one at a page or the lock */
    uint64_t unused;
};

enum fcm_advice {
    FCM_WANTED,   /* will be read soon */
    FCM_UNWANTED, /* will not be read soon */
    FCM_NEEDED,   /* will be written: room is made for all of it, behind the end, too */
};

/* leave(): which pages may go that otherwise stay, and its answers besides errors. */
enum fcm_leave {
    FCM_LEAVE_USED = 1,   /* also one that was used since this was last asked */
    FCM_LEAVE_UNUSED = 2, /* also one that was read ahead, and nobody has used yet */
    FCM_LEAVE_DIRTY = 4,  /* also a dirty one, and what was written is gone */
};
enum fcm_left {
    FCM_HAS_LEFT = 1,
    FCM_WAS_USED = 2, /* and counts as unused from now on */
    FCM_NOT_USED = 3,
};

enum fcm_seek { FCM_SEEK_DATA, FCM_SEEK_HOLE };

/* What is not done to a file any more, by nobody: the values of Linux's F_SEAL_SEAL and so on. */
enum fcm_seals {
    FCM_SEAL_SEAL = 1, /* no more seals */
    FCM_SEAL_SHRINK = 2,
    FCM_SEAL_GROW = 4,
    FCM_SEAL_WRITE = 8,
    FCM_SEAL_FUTURE_WRITE = 16, /* but by what is mapped writable already */
    FCM_SEAL_EXECUTE = 32,      /* whether it can be run stays as it is: the node's matter */
    FCM_SEALS = 63,
    FCM_SEALED_WRITING = FCM_SEAL_WRITE | FCM_SEAL_FUTURE_WRITE,
};

#define FCM_APPEND (~0ul) /* as an offset: at the end of the file */

struct fcm_ops {
    struct k42_object_ops object;

    /*
     * Gives a page, held. Flags of fcm_flags. Errors: -K42_WAIT (key: the page's number) while it
     * is in transit; -ENXIO beyond the end; -ENOENT with FCM_CACHED; -ENOMEM, -EIO.
     */
    K42_METHOD(get_page)
    (struct fcm *self, uint64_t index, unsigned flags, K42_OUT struct fcm_page *page);

    /* Lets a held page go, or the block whose first it is. */
    K42_METHOD(put_page)(struct fcm *self, uint64_t index);

    /*
     * Gives, held, those of up to 32 pages from `first` that are present, clean or dirty, for
     * reading, without waiting or filling: bit n of the result is page first + n, whose address is
     * in physical[n]. `bytes` is the room in `physical`, 8 for a page. For mapping the neighbours
     * of a page that was asked for.
     */
    K42_METHOD(get_present)
    (struct fcm *self, uint64_t first, unsigned bytes,
     K42_OUT K42_BUF(bytes, 256) uint64_t *physical);

    /* The held pages of a mask from `first` are mapped now, within an attachment, or the block
     * whose first it is: drops the holds. */
    K42_METHOD(mapped)(struct fcm *self, uint64_t first, uint32_t mask);

    /* Pages will be mapped there; a fork attaches the child first and then shares the parent's
     * mappings. So pages are taken away in the order of attachments, also of those that come
     * meanwhile. Keeps a copy. Errors: -ENOMEM, -EACCES (cannot be mapped so); -K42_RETRY: writing
     * was sealed, so ask seal() again what may be mapped. */
    K42_METHOD(attach)(struct fcm *self, K42_IN const struct fcm_attachment *attachment);

    /* No longer; its mappings have been taken away. Must equal what was attached. How many
     * attachments are left: of those who detach at once one is told that there are none. */
    K42_METHOD(detach)(struct fcm *self, K42_IN const struct fcm_attachment *attachment);

    /*
     * Copies bytes from `offset` on to the cursor, at most to the end. Returns how many; 0 at the
     * end. Errors: -K42_WAIT when not even the first byte is there; those of copy_out().
     */
    K42_METHOD(read)(struct fcm *self, uint64_t offset, K42_LOCAL struct copy *copy);

    /*
     * The other way, growing the file. `at`, if not NULL, is set to where the bytes went (of use
     * with FCM_APPEND). Errors: -K42_WAIT, -ENOSPC, -EFBIG, those of copy_in().
     */
    K42_METHOD(write)
    (struct fcm *self, uint64_t offset, K42_LOCAL struct copy *copy, K42_LOCAL uint64_t *at);

    /* The size in bytes. */
    K42_METHOD(size)(struct fcm *self);

    /* Makes it longer or shorter; what lies beyond is gone, also if it grows again. Errors:
     * -K42_WAIT while pages leave; -EFBIG, -ENOSPC. */
    K42_METHOD(resize)(struct fcm *self, uint64_t size);

    /* Makes bytes a hole, which reads as zero; the size stays. Errors: -K42_WAIT, -ENOTSUP. */
    K42_METHOD(punch)(struct fcm *self, uint64_t offset, uint64_t length);

    /* Finds the next byte from `offset` that is data or hole. Errors: -ENXIO beyond the end. */
    K42_METHOD(seek)(struct fcm *self, uint64_t offset, enum fcm_seek what);

    /* Writes dirty pages of a range back, and with `durable` makes the FR flush. Errors: -K42_WAIT
     * until it is done; -EIO, once for every failure. */
    K42_METHOD(sync)(struct fcm *self, uint64_t first, uint64_t pages, unsigned durable);

    /* Frees up to `wanted` frames, clean pages first; starts writing dirty ones. Returns how many
     * frames were freed. Asked for none it only starts writing. */
    K42_METHOD(give_back)(struct fcm *self, uint64_t wanted);

    /* The FR's: a fill it had started is over, with 0 or an error. */
    K42_METHOD(filled)(struct fcm *self, uint64_t index, k42_result result);

    /* The FR's: writing a page back is over. */
    K42_METHOD(written)(struct fcm *self, uint64_t index, k42_result result);

    /* Counts. */
    K42_METHOD(usage)(struct fcm *self, K42_OUT struct fcm_usage *usage);

    /*
     * Forgets all pages, dirty ones too, without telling the FR, and takes `size` as the file's:
     * for a file that others have changed, and for an FCM that is about to be ended. Errors:
     * -K42_WAIT while pages leave; -ENOTSUP.
     */
    K42_METHOD(renew)(struct fcm *self, uint64_t size);

    /*
     * A PM's, whose choice the page is: makes it leave if it is free to; flags of fcm_leave. One of
     * fcm_left. A dirty page begins to be written instead, and is then busy. Errors: -EBUSY, held
     * or in transit, or leaving is not this FCM's way; -ENOENT, absent.
     */
    K42_METHOD(leave)(struct fcm *self, uint64_t index, unsigned flags);

    /*
     * Frames come from this PM from now on, and it is told of all pages there are, which go on its
     * bill, also beyond its limit; it gives back then. Errors: -ENOMEM; -ENOTSUP, there are no
     * pages that could leave.
     */
    K42_METHOD(manage)(struct fcm *self, k42_ref pm);

    /* Claims an absent page, which adopt() will bring; who wants it meanwhile waits. Errors:
     * -EEXIST; -K42_WAIT, the end is being moved; -ENXIO, -ENOMEM, -ENOTSUP. */
    K42_METHOD(expect)(struct fcm *self, uint64_t index);

    /* The frame becomes the expected page, a changed one, and is given back to the PM that its
     * record's first word of the user says, or left to page tables that have it as well
     * (FRAME_CACHED); 0: there is no page after all. It stays until it has been written, whether
     * that fails or not, or is to leave as it is (FCM_LEAVE_DIRTY). */
    K42_METHOD(adopt)(struct fcm *self, uint64_t index, uint64_t physical);

    /* Counts of events. They are kept where pages come and go, never where one is there. */
    K42_METHOD(counts)(struct fcm *self, K42_OUT struct fcm_counts *counts);

    /* Begins to fill pages that are wanted, as far as that goes without waiting; lets clean ones
     * that are not, and that nobody has, go. Returns how many pages it came to. Of FCM_NEEDED 0;
     * errors: -ENOSPC, -ENOMEM, and no room is kept; -ENOTSUP, this one keeps none. */
    K42_METHOD(advise)
    (struct fcm *self, uint64_t first, uint64_t pages, enum fcm_advice advice);

    /*
     * Adds seals, or none; returns those it has then. No write is under way when one has been
     * added. Who breaks one later has -EPERM. Errors: -EINVAL, it takes none; -EPERM, it is sealed
     * against more; -EBUSY, writing, while it is mapped writable; -K42_WAIT, which a signal does
     * not end: writes wait for the call to be made again.
     */
    K42_METHOD(seal)(struct fcm *self, unsigned seals);
};

struct fcm {
    const struct fcm_ops *ops;
};
K42_DECLARE_REF(fcm);
extern const struct k42_interface fcm_interface;

#endif
