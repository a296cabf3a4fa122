/*
 * The interface `space`: the address space of a program. It finds the region of an address, and
 * region, FCM and HAT do the rest. The Linux personality is its client.
 *
 * Addresses and lengths are whole pages; lengths are rounded up by the caller. Methods do not wait:
 * where something is in transit they answer -K42_WAIT with the key of whatever it is, after which
 * the same call is made again and goes on with what is left to do. Errors are those of Linux's
 * mmap family.
 */
#ifndef KERNEL_SPACE_H
#define KERNEL_SPACE_H

#include <k42/object.h>

#define SPACE_INTERFACE_VERSION 4

#define SPACE_LOWEST 0x10000ul /* nothing is mapped below: mmap_min_addr */

struct copy;
struct space;
struct user_table;

enum space_protection {
    SPACE_READ = 1, /* the values of PROT_READ, PROT_WRITE and PROT_EXEC */
    SPACE_WRITE = 2,
    SPACE_EXECUTE = 4,
};

enum space_flags {
    SPACE_SHARED = 1,      /* writes reach the object and everyone who maps it; otherwise private */
    SPACE_FIXED = 2,       /* there and nowhere else, replacing what is there */
    SPACE_NO_REPLACE = 4,  /* with SPACE_FIXED: -EEXIST when something is there */
    SPACE_GROWS_DOWN = 8,  /* a stack: grows at a fault below it, down to its limit */
    SPACE_KEEP = 32,       /* may not be changed by the program: page 0 of the vDSO's data */
    SPACE_NO_FORK = 64,    /* a child does not get it */
    SPACE_WIPE_FORK = 128, /* a child gets zeros */
    SPACE_LOW = 256,       /* somewhere in the lowest 2 GiB */
    SPACE_LARGE = 512,     /* large pages wherever they fit (madvise) */
    SPACE_NO_LARGE = 1024, /* none */
    SPACE_ANONYMOUS = 2048,   /* of a mapping that is shared: its object ends with the last one */
    SPACE_LOCKED = 4096,      /* its pages stay in memory; a child's do not */
    SPACE_ON_FAULT = 8192,    /* with that: pages that are touched; the others are not brought in */
    SPACE_POLICY = 0x3f0000,  /* where its memory is to come from, as the personality has it */
    SPACE_WATCHED = 0x400000, /* pages that it lacks are its watcher's to bring: watch() */
    SPACE_SECRET = 0x800000,  /* peek() and poke() do not reach it */
    SPACE_OF_MEMORY = 0x1000000, /* its object is no file that has a place: pages count as such */
};

/* What to map. */
struct space_request {
    uintptr_t address; /* where, or where from to look */
    size_t length;
    unsigned protection, flags;
    unsigned most;      /* the most protection that may be asked for later */
    k42_ref fcm;        /* what; K42_NULL_REF: zeroed memory (shared: with children) */
    uint64_t first;     /* the first page of it */
    k42_ref file;       /* held by the mapping while it lasts, for its name; or K42_NULL_REF */
    k42_ref watcher;    /* with SPACE_WATCHED */
    k42_ref name;       /* what it is called, a file of that kind; likewise */
    size_t limit;       /* SPACE_GROWS_DOWN: the most it may grow to; 0: the space's limit */
    size_t most_locked; /* bytes that the space may have locked; 0: as last told */
};

/* One mapping, for /proc and for whoever must know. */
struct space_mapping {
    uintptr_t start, end;
    unsigned protection, flags, most;
    uint64_t first;
    k42_ref fcm, file, watcher, name;
    size_t limit;
    uint64_t present; /* pages of it that are mapped; 0 when not asked for */
};

struct space_usage {
    uint64_t mapped;   /* pages of address space: VmSize */
    uint64_t resident; /* pages that are mapped: VmRSS */
    uint64_t out;      /* and that are in the swap: VmSwap */
    uint64_t tables;   /* frames of page tables */
    uint64_t regions;
    uintptr_t data_start, data_end;   /* set by space.mark */
    uint64_t locked;                  /* pages of address space that are locked: VmLck */
    uint64_t data, stack, executable; /* and of these kinds: VmData, VmStk, VmExe with VmLib */
};

/* Pages that are mapped, by whose they are, and those in the swap: as enum hat_kind. */
struct space_census {
    uint64_t private, of_files, of_memory, out;
};

/* Where the parts of a program lie, for brk and /proc. */
struct space_marks {
    uintptr_t code_start, code_end, data_start, data_end;
    uintptr_t break_start, break_end;
    uintptr_t stack_start, arguments_start, arguments_end, environment_start, environment_end;
};

/* As enum hat_page. */
enum space_page {
    SPACE_PAGE_HERE = 1,
    SPACE_PAGE_PRIVATE = 2,
    SPACE_PAGE_ALONE = 4,
    SPACE_PAGE_DIRTY = 8,
    SPACE_PAGE_ACCESSED = 16,
    SPACE_PAGE_OF_BLOCK = 32,
    SPACE_PAGE_OUT = 64,
};

/* What a program may have, in bytes; the personality sets them from its limits. */
struct space_limits {
    size_t size;    /* of all mappings: RLIMIT_AS */
    size_t data;    /* of private writable ones: RLIMIT_DATA */
    size_t stack;   /* that a stack may grow to: RLIMIT_STACK */
    uint64_t count; /* of mappings */
    uintptr_t top;  /* new mappings are placed below */
};

enum space_access {
    SPACE_ACCESS_READ,
    SPACE_ACCESS_WRITE,
    SPACE_ACCESS_EXECUTE,
    SPACE_ACCESS_KINDS = 3, /* mask of these */
    /* With one of them, a hint: the processor found nothing mapped there. */
    SPACE_ACCESS_ABSENT = 4,
    /* The same: a debugger's, which private memory cannot refuse. */
    SPACE_ACCESS_FORCE = 8,
    /* The same: the program's own, and not that of a call. */
    SPACE_ACCESS_PROGRAM = 16,
};

enum space_resize_flags {
    SPACE_MAY_MOVE = 1,
    SPACE_MOVE_TO = 2, /* to new_address, and nowhere else */
    SPACE_LEAVE = 4,   /* the old range stays mapped, empty */
};

struct space_move {
    uintptr_t address, new_address;
    size_t length, new_length;
    unsigned flags;
    size_t most_locked; /* as in struct space_request */
};

/* What lock_all() is about. */
enum space_lock_which {
    SPACE_LOCK_PRESENT = 1, /* what is mapped now */
    SPACE_LOCK_FUTURE = 2,  /* what will be; without it that is no longer so */
};

/* What a word of memory is to all who share it: the same for the same word wherever it is mapped.
 */
struct space_identity {
    k42_id object; /* the FCM's, or the space's for private memory */
    uintptr_t key; /* byte within it */
};

struct space_ops {
    struct k42_object_ops object;

    /* Maps something; the address is the word. 1: it is locked, and to be brought in by the caller.
     * Errors: -ENOMEM, -EINVAL, -EEXIST, -EACCES; -EAGAIN, too much would be locked. */
    K42_METHOD_PAIR(map)(struct space *self, K42_IN const struct space_request *request);

    /* Unmaps what is there. Errors: -EINVAL, -ENOMEM, -K42_WAIT. */
    K42_METHOD(unmap)(struct space *self, uintptr_t address, size_t length);

    /* mprotect. Errors: -ENOMEM (a gap; what lies before it is changed), -EACCES. */
    K42_METHOD(protect)
    (struct space *self, uintptr_t address, size_t length, unsigned protection);

    /* mremap; the address is the word. 1: what it grew by is to be brought in. Errors: -EFAULT,
     * -EINVAL, -ENOMEM; -EAGAIN, too much would be locked. */
    K42_METHOD_PAIR(resize)(struct space *self, K42_IN const struct space_move *move);

    /* madvise, with Linux's numbers. Errors: -EINVAL, -ENOMEM. */
    K42_METHOD(advise)(struct space *self, uintptr_t address, size_t length, int advice);

    /* msync: writes shared pages back. Errors: -ENOMEM, -K42_WAIT, -EIO. */
    K42_METHOD(sync)(struct space *self, uintptr_t address, size_t length, unsigned durable);

    /*
     * A program or a copy touched an address. 0: make the access again. Errors: -EFAULT, nothing is
     * mapped there; -EACCES, not so; -ENXIO, beyond the end of the file, -EIO (both SIGBUS);
     * -ENOMEM; -K42_WAIT.
     */
    K42_METHOD(fault)(struct space *self, uintptr_t address, unsigned access);

    /* A copy for a child, charged to `pm`. The caller's program runs only this thread meanwhile, or
     * others see memory of some moment during the call. Errors: -ENOMEM. */
    K42_METHOD(fork)(struct space *self, k42_ref pm, K42_OUT k42_ref *child);

    /* What the processor loads. It stays until the space is destroyed. */
    K42_METHOD(table)(struct space *self, K42_LOCAL struct user_table **table);

    /* The first mapping that ends above `address`. `count` also asks how much is present. Errors:
     * -ENOENT. */
    K42_METHOD(find)
    (struct space *self, uintptr_t address, unsigned count, K42_OUT struct space_mapping *mapping);

    /* What is known of each page, a byte with the bits of enum space_page. Errors: -ENOMEM. */
    K42_METHOD(resident)
    (struct space *self, uintptr_t address, size_t length,
     K42_OUT K42_BUF(size, 4096) uint8_t *bytes, size_t size);

    /* Forgets which pages of a range were used lately: SPACE_PAGE_ACCESSED. Errors: -EINVAL. */
    K42_METHOD(forget_used)(struct space *self, uintptr_t address, size_t length);

    /* What a word is to all who share it: for futexes. Errors: -EFAULT. */
    K42_METHOD(identify)
    (struct space *self, uintptr_t address, K42_OUT struct space_identity *identity);

    /*
     * Copies between another program's memory and a cursor, for /proc/PID/mem, ptrace and
     * process_vm_readv. Returns how many bytes. Errors: -EFAULT, -K42_WAIT, those of copy.
     */
    K42_METHOD(peek)(struct space *self, uintptr_t address, K42_LOCAL struct copy *copy);

    /* The other way; `force` also writes to what is read-only (a breakpoint in private text). */
    K42_METHOD(poke)
    (struct space *self, uintptr_t address, K42_LOCAL struct copy *copy, unsigned force);

    /* Says where the program's parts lie. */
    K42_METHOD(mark)(struct space *self, K42_IN const struct space_marks *marks);

    /* Where they lie. */
    K42_METHOD(marks)(struct space *self, K42_OUT struct space_marks *marks);

    /* Moves the end of the data segment; answers where it is then. 1: what came is to be brought
     * in. Errors: -ENOMEM. */
    K42_METHOD_PAIR(set_break)(struct space *self, uintptr_t end);

    /* Says what it may have from now on; more than that stays. At first there are no limits. */
    K42_METHOD(limit)(struct space *self, K42_IN const struct space_limits *limits);

    /* Counts. */
    K42_METHOD(usage)(struct space *self, K42_OUT struct space_usage *usage);

    /* Counts pages, as the HAT's. */
    K42_METHOD(census)(struct space *self, K42_OUT struct space_census *census);

    /* Sets and clears flags of what is mapped in a range: those of madvise, and SPACE_POLICY.
     * Errors: -ENOMEM (a gap; the others are changed), -K42_WAIT. */
    K42_METHOD(set_flags)
    (struct space *self, uintptr_t address, size_t length, unsigned set, unsigned clear);

    /*
     * Gives what is mapped in a range a name, or with the null ref none. Errors: -ENOMEM (a gap;
     * the others have it), -EBADF (an object; what lies before it has it), -K42_WAIT.
     */
    K42_METHOD(rename)(struct space *self, uintptr_t address, size_t length, k42_ref name);

    /*
     * Locks a range, with `flags` SPACE_LOCKED and perhaps SPACE_ON_FAULT, or with 0 unlocks it.
     * Pages that are there stay from then on, those of objects once they were touched again; the
     * caller brings them in. `most` is how many bytes may be locked. Errors: -ENOMEM: too much, and
     * nothing has changed, or a gap, and what lies before it has; -K42_WAIT.
     */
    K42_METHOD(lock)
    (struct space *self, uintptr_t address, size_t length, unsigned flags, size_t most);

    /* The same for everything, as `which` says (enum space_lock_which). */
    K42_METHOD(lock_all)(struct space *self, unsigned flags, unsigned which, size_t most);

    /* As hat.page_out, but that what is locked stays. */
    K42_METHOD_PAIR(page_out)(struct space *self, uint64_t wanted, k42_ref pm);

    /*
     * Whoever lacks a page of what is mapped in a range waits from now on until the watcher brings
     * it: a file, which is told (FILE_PAGE_MISSING), and which the mappings name (FILE_WATCHED).
     * With the null ref nobody does any more. Gaps are skipped. Errors: -ENOMEM, nothing is mapped
     * from there on, -EINVAL, nor in the range; -EBUSY, another one has some of it; -K42_WAIT.
     */
    K42_METHOD(watch)(struct space *self, uintptr_t address, size_t length, k42_ref watcher);

    /*
     * Brings a page that a watched mapping lacks: of the next bytes of a cursor, or with NULL of
     * zeros. How many bytes, 0: to be tried again. Errors: -ENOENT, it is not watched; -EEXIST, it
     * is there; -EFAULT, beyond the object's end; -ENOMEM, -K42_WAIT, those of copy_in().
     */
    K42_METHOD(provide)(struct space *self, uintptr_t address, K42_LOCAL struct copy *copy);
};

#define SPACE_LOCKS (SPACE_LOCKED | SPACE_ON_FAULT)

struct space {
    const struct space_ops *ops;
};
K42_DECLARE_REF(space);
extern const struct k42_interface space_interface;

/* Makes an empty one, charged to a PM. Active callers. Errors: -ENOMEM, -K42_WAIT. k42_destroy()
 * ends it. */
K42_MUST_CHECK
k42_result space_create(k42_ref pm, space_ref *space);

/*
 * The space of the thread that runs, whose faults (and those of its copies) it resolves: set by the
 * personality, in the thread itself, when it gets one; after user_context_open() and its like.
 */
space_ref space_current(void);
void space_set_current(space_ref space);

/* Has copies that lack a page (copy.h), and waits for one, ask the program's space. Once, at boot.
 */
void spaces_open(void);

#endif
