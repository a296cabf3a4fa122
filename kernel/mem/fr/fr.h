/*
 * The interface `fr`: where the pages of one FCM come from and go to (FR: file representative).
 *
 * fill() and write() start; whoever implements them either finishes at once and says so, or answers
 * FR_STARTED and calls the FCM's filled() or written() later, from a thread, by ref: so the answer
 * reaches whatever object is current then. The frame stays the FCM's, and in transit meanwhile.
 * fill_run() does so for several pages with one request.
 *
 * Methods do not wait.
 */
#ifndef KERNEL_FR_H
#define KERNEL_FR_H

#include <k42/object.h>

struct fr;

/* One page on its way. */
struct fr_page {
    k42_ref fcm;       /* whom to tell */
    uint64_t index;    /* which page of it */
    uint64_t physical; /* the frame */
    uint64_t bytes;    /* of the page that belong to the file: 4096, or less at its end, never 0.
                          What a fill leaves in the frame behind them does not matter */
};

#define FR_RUN_PAGES 16u

/* Pages on their way together, one behind the other in the file. */
struct fr_run {
    k42_ref fcm;
    uint64_t index; /* of the first */
    uint64_t bytes; /* that belong to the file: all but some of the last page's, or all */
    uint32_t count;
    uint32_t unused;
    uint64_t physical[FR_RUN_PAGES]; /* a frame each */
};

enum {
    FR_STARTED = 1, /* the FCM will be told */
    FR_ZERO =
        2, /* fill: there is nothing behind this page; it is to be zero, and was not touched */
};

struct fr_ops {
    struct k42_object_ops object;

    /* Fills a frame: 0 done, FR_STARTED, FR_ZERO. Errors: -EIO; -K42_WAIT: full, try again when
     * notified with key 0. */
    K42_METHOD(fill)(struct fr *self, K42_IN const struct fr_page *page);

    /* Writes a frame back: 0 done, FR_STARTED. Errors: -EIO, -ENOSPC, -EROFS; -K42_WAIT as above.
     */
    K42_METHOD(write)(struct fr *self, K42_IN const struct fr_page *page);

    /* The file's size is now `size`; what lies beyond is forgotten. Errors: -EFBIG, -ENOSPC. */
    K42_METHOD(resize)(struct fr *self, uint64_t size);

    /* Pages are a hole from now on. Asked for none, it only says whether it could. Errors:
     * -ENOTSUP.
     */
    K42_METHOD(punch)(struct fr *self, uint64_t first, uint64_t pages);

    /* What was written reaches the medium. Errors: -K42_WAIT (key 1) until it has; -EIO. */
    K42_METHOD(flush)(struct fr *self);

    /*
     * Begins to fill several frames with one request: returns how many from the first on are on
     * their way, at least one, and the FCM is told of each by itself. Errors: -ENOTSUP, fill() is
     * to be used; -EIO; -K42_WAIT as above.
     */
    K42_METHOD(fill_run)(struct fr *self, K42_IN const struct fr_run *run);
};

struct fr {
    const struct fr_ops *ops;
};
K42_DECLARE_REF(fr);
extern const struct k42_interface fr_interface;

#endif
