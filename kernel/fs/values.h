/*
 * Linux's numbers that programs, nodes and files share: modes, types of entries, flags of open(2).
 */
#ifndef KERNEL_FS_VALUES_H
#define KERNEL_FS_VALUES_H

/* st_mode */
enum {
    MODE_TYPE = 0170000,
    MODE_SOCKET = 0140000,
    MODE_LINK = 0120000,
    MODE_REGULAR = 0100000,
    MODE_BLOCK = 0060000,
    MODE_DIRECTORY = 0040000,
    MODE_CHARACTER = 0020000,
    MODE_FIFO = 0010000,
    MODE_SET_UID = 04000,
    MODE_SET_GID = 02000,
    MODE_STICKY = 01000,
    MODE_GROUP_EXECUTE = 0010,
    MODE_EXECUTES = 0111,
    MODE_PERMISSIONS = 07777,
};

/* d_type: the type's bits of st_mode, shifted. */
#define MODE_ENTRY_TYPE(mode) (((mode)&MODE_TYPE) >> 12)
enum { ENTRY_FIFO = 1, ENTRY_DIRECTORY = 4, ENTRY_REGULAR = 8, ENTRY_LINK = 10, ENTRY_SOCKET = 12 };

/* open(2) */
enum {
    OPEN_ACCESS = 3,
    OPEN_READ_ONLY = 0,
    OPEN_WRITE_ONLY = 1,
    OPEN_READ_WRITE = 2,
    OPEN_CREATE = 0100,
    OPEN_EXCLUSIVE = 0200,
    OPEN_NO_TERMINAL = 0400,
    OPEN_TRUNCATE = 01000,
    OPEN_APPEND = 02000,
    OPEN_NON_BLOCKING = 04000,
    OPEN_DATA_SYNC = 010000,
    OPEN_ASYNC = 020000,
    OPEN_DIRECT = 040000,
    OPEN_LARGE = 0100000,
    OPEN_DIRECTORY = 0200000,
    OPEN_NO_FOLLOW = 0400000,
    OPEN_NO_ACCESSED = 01000000,
    OPEN_CLOSE_ON_EXEC = 02000000,
    OPEN_SYNC = 04010000,
    OPEN_PATH = 010000000,
    OPEN_TEMPORARY = 020200000,
    OPEN_UNCLAIMED = 0x40000000, /* the kernel's: who writes so keeps nobody from running it */
    /* What fcntl(F_SETFL) may change. */
    OPEN_STATUS = OPEN_APPEND | OPEN_NON_BLOCKING | OPEN_ASYNC | OPEN_DIRECT | OPEN_NO_ACCESSED,
};

static inline int open_reads(unsigned flags) {
    return !(flags & OPEN_WRITE_ONLY); /* nor with an access of 3 */
}

static inline int open_writes(unsigned flags) {
    return (flags & OPEN_ACCESS) == OPEN_WRITE_ONLY || (flags & OPEN_ACCESS) == OPEN_READ_WRITE;
}

enum { SEEK_TO_START, SEEK_TO_CURRENT, SEEK_TO_END, SEEK_TO_DATA, SEEK_TO_HOLE };

/* renameat2(2) */
enum { RENAME_KEEP = 1, RENAME_SWAP = 2, RENAME_WHITE = 4 };

/* fallocate(2) */
enum {
    ALLOCATE_KEEP_SIZE = 1,
    ALLOCATE_PUNCH = 2,
    ALLOCATE_COLLAPSE = 8,
    ALLOCATE_ZERO = 16,
    ALLOCATE_INSERT = 32,
};

/* Capabilities that file systems ask for. */
enum {
    CAPABILITY_CHOWN = 0,
    CAPABILITY_IGNORE_PERMISSIONS = 1, /* CAP_DAC_OVERRIDE */
    CAPABILITY_READ_AND_SEARCH = 2,    /* CAP_DAC_READ_SEARCH */
    CAPABILITY_OWNER = 3,              /* CAP_FOWNER */
    CAPABILITY_KEEP_SET_ID = 4,        /* CAP_FSETID */
    CAPABILITY_CHROOT = 18,
    CAPABILITY_ADMINISTRATOR = 21, /* CAP_SYS_ADMIN */
    CAPABILITY_RESOURCES = 24,     /* CAP_SYS_RESOURCE */
    CAPABILITY_MAKE_DEVICES = 27,  /* CAP_MKNOD */
    CAPABILITY_LEASE = 28,         /* CAP_LEASE */
};

#endif
