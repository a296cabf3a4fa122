/*
 * How much of inotify there may be. The numbers are in /proc/sys/fs/inotify, and cannot be set.
 */
#ifndef KERNEL_LINUX_CHANGES_LIMITS_H
#define KERNEL_LINUX_CHANGES_LIMITS_H

enum {
    CHANGES_EVENTS_MOST = 16384,    /* that wait in one file */
    CHANGES_MOST = 128,             /* files of one user */
    CHANGES_WATCHES_MOST = 1 << 17, /* of all of those together */
};

#endif
