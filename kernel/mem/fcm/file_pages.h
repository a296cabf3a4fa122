/*
 * The classes of FCMs for files, and what their makers say.
 *
 *   fcm_shared       a file with something behind it: one set of pages for all CPUs; pages leave
 *                    when memory is short, dirty ones after they have been written back
 *   fcm_stream       as shared, for files that are read once from one end to the other: what comes
 *                    next is read long before, what was read goes
 *   fcm_small        as shared, and a file of at most 64 KiB that is only read is its bytes in one
 *                    block
 *   fcm_partitioned  as shared, for files that many CPUs read at the same time
 *   fcm_large        as shared, for files of 2 MiB and more that are mapped: blocks of 2 MiB, where
 *                    memory has them, which are mapped by one entry
 *   fcm_pinned       a file with nothing behind it (RAM files, shared memory): pages stay
 *   fcm_device       the memory of a device: there are no pages, only addresses
 *
 * k42_create(&fcm_shared, &(struct fcm_file){...}, &ref) makes one; all but those of devices can
 * take each other's place at any time.
 *
 * The end. Whoever ends an FCM of a file says renew(0) or resize(0) first, which waits until
 * nothing is in transit, tells all who wait for pages, and takes every mapping away; afterwards
 * wait_hangup() for FCM_KEY_EXCLUSIVE. Pages that are dirty then are gone: sync() comes before it,
 * if they are to stay.
 */
#ifndef KERNEL_FCM_FILE_PAGES_H
#define KERNEL_FCM_FILE_PAGES_H

#include "../fr/fr.h"
#include "../pm/pm.h"
#include "fcm.h"

#include <k42/class.h>

/* What the FCMs of files are made from. */
struct fcm_file {
    pm_ref pm;
    fr_ref fr; /* K42_NULL_REF: nothing behind it, pages begin as zeros */
    uint64_t size;
};

/* What fcm_device is made from: whole pages of physical addresses. */
struct fcm_registers {
    uint64_t physical, pages;
};

extern struct k42_class fcm_shared, fcm_pinned, fcm_stream, fcm_small, fcm_partitioned, fcm_large,
    fcm_device;

/* The pages of a file and where they come from. */
struct file_pages {
    k42_ref fr, fcm;
};

/* At boot: the class of the FCMs that file_pages_make() makes; fcm_shared unless it is called. */
void file_pages_choose(struct k42_class *class_);

/*
 * Makes an FR of a class, from what its creation takes, and a shared FCM before it, at the cost of
 * the machine. Errors: those of making either; nothing is left of them then.
 */
K42_MUST_CHECK
k42_result file_pages_make(struct k42_class *fr_class, const void *from, uint64_t size,
                           struct file_pages *made);
/* Ends pages that nobody has used yet: somebody else was faster. */
void file_pages_drop(const struct file_pages *pages);

/* Keys to wait for besides the numbers of pages. */
#define FCM_KEY_EXCLUSIVE (~0ul) /* nobody changes the size */

#endif
