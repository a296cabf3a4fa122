/*
 * The file system calls of the kernel beside those of the machine the test runs on: the same random
 * sequence of calls, in a ramfs of ours and in a tmpfs of its, must give the same results, errors
 * included, and leave the same trees.
 *
 *   test_files_like_linux [SEED [STEPS]]
 *
 * Meanwhile every object of ours is swapped to its own class, again and again.
 *
 * Without a tmpfs at /dev/shm there is nothing to compare with, and the test is skipped.
 */
#define _GNU_SOURCE
#include "calls.h"
#include "storm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { FILES = 6, MOST = 20000 };

static uint64_t state;
static unsigned long step_number;
static int trace;
static int ours[FILES], theirs[FILES]; /* descriptors that mean the same; -1: none */
static char said[512];

static uint32_t pick(uint32_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 20) % below;
}

static const char *pick_name(void) {
    static const char *const names[] = {
        "a",      "b",     "c",       "a/b",   "a/c",    "b/a",
        "b/b",    "a/b/c", "a/b/b",   "./a",   "a/",     "b/",
        "a/../b", "a//b",  "l",       "l/a",   "m",      "a/l",
        "l/",     ".",     "..",      "a/.",   "a/b/..", "a/b/../../c",
        "b/c/./", "",      "a/b/l/c", "m/b/c", "b/l",    "a/b/../c/../b/a",
        "c/b",
    };
    return names[pick(sizeof names / sizeof *names)];
}

static long linux_call_raw(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                           uint64_t e, uint64_t f) {
    long result = syscall(number, a, b, c, d, e, f);
    return result < 0 ? -errno : result;
}

static void differ(const char *what, long our, long their) {
    fprintf(stderr, "step %lu: %s: we say %ld (%s), Linux %ld (%s)\n", step_number, said, our,
            our < 0 ? strerror((int)-our) : what, their, their < 0 ? strerror((int)-their) : what);
    abort();
}

static void compare(long our, long their) {
    if (trace)
        fprintf(stderr, "%lu: %s = %ld\n", step_number, said, their);
    if (our != their)
        differ("result", our, their);
}

#define SAY(...) snprintf(said, sizeof said, __VA_ARGS__)

/* The same call on both sides, whose arguments are the same. */
static long both(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e) {
    long our = call_linux(number, a, b, c, d, e, 0);
    long their = linux_call_raw(number, a, b, c, d, e, 0);
    compare(our, their);
    return our;
}

#define BOTH(number, a, b, c, d, e)                                                                \
    both(number, (uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e))
#define OUR(number, ...) CALL(number, __VA_ARGS__)

/* ---- calls on paths ---- */

static void do_mkdir(void) {
    const char *name = pick_name();
    SAY("mkdir(%s)", name);
    BOTH(SYS_mkdir, name, 0755, 0, 0, 0);
}

static void do_rmdir(void) {
    const char *name = pick_name();
    SAY("rmdir(%s)", name);
    BOTH(SYS_rmdir, name, 0, 0, 0, 0);
}

static void do_unlink(void) {
    const char *name = pick_name();
    SAY("unlink(%s)", name);
    BOTH(SYS_unlink, name, 0, 0, 0, 0);
}

static void do_rename(void) {
    const char *from = pick_name(), *to = pick_name();
    unsigned flags = pick(4) ? 0 : pick(4);
    SAY("renameat2(%s, %s, %u)", from, to, flags);
    BOTH(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void do_link(void) {
    const char *from = pick_name(), *to = pick_name();
    unsigned flags = pick(2) ? AT_SYMLINK_FOLLOW : 0;
    SAY("linkat(%s, %s, %u)", from, to, flags);
    BOTH(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void do_symlink(void) {
    static const char *const targets[] = {"a",    "b",       "a/b", "l",    "m",
                                          "../c", "nowhere", "b/",  "./l/x"};
    const char *target = targets[pick(9)], *name = pick(2) ? pick(2) ? "l" : "m" : pick_name();
    SAY("symlink(%s, %s)", target, name);
    BOTH(SYS_symlink, target, name, 0, 0, 0);
}

static void do_mknod(void) {
    static const unsigned modes[] = {S_IFREG | 0644, S_IFIFO | 0600, S_IFSOCK | 0640, 0600,
                                     S_IFDIR | 0755};
    const char *name = pick_name();
    unsigned mode = modes[pick(5)];
    SAY("mknod(%s, %o)", name, mode);
    BOTH(SYS_mknod, name, mode, 0, 0, 0);
}

static void do_readlink(void) {
    char our[64] = {0}, their[64] = {0};
    const char *name = pick_name();
    unsigned size = pick(8) ? sizeof our : pick(4);
    SAY("readlink(%s, %u)", name, size);
    long result = OUR(SYS_readlink, name, our, size);
    compare(result, linux_call_raw(SYS_readlink, (uint64_t)name, (uint64_t)their, size, 0, 0, 0));
    if (memcmp(our, their, sizeof our))
        differ(our, 0, 1);
}

static void do_access(void) {
    const char *name = pick_name();
    unsigned mode = pick(8);
    SAY("access(%s, %u)", name, mode);
    BOTH(SYS_access, name, mode, 0, 0, 0);
}

static void do_chmod(void) {
    static const unsigned modes[] = {0644, 0755, 0700, 04755, 02755, 01777, 0, 0555, 02644};
    const char *name = pick_name();
    unsigned mode = modes[pick(9)];
    SAY("chmod(%s, %o)", name, mode);
    BOTH(SYS_chmod, name, mode, 0, 0, 0);
}

static void do_chown(void) {
    const char *name = pick_name();
    unsigned uid = pick(3) ? ~0u : pick(2) * 1000, gid = pick(3) ? ~0u : pick(2) * 1000;
    SAY("lchown(%s, %d, %d)", name, (int)uid, (int)gid);
    BOTH(SYS_lchown, name, uid, gid, 0, 0);
}

static void do_truncate(void) {
    const char *name = pick_name();
    long size = pick(4) ? (long)pick(3 * 4096) : -1;
    SAY("truncate(%s, %ld)", name, size);
    BOTH(SYS_truncate, name, size, 0, 0, 0);
}

static void do_utimes(void) {
    struct timespec times[2] = {{pick(1000000), (long)pick(1000000000)}, {pick(100), 5}};
    if (!pick(4))
        times[pick(2)].tv_nsec = pick(2) ? UTIME_OMIT : 1000000000;
    const char *name = pick_name();
    int flags = pick(2) ? AT_SYMLINK_NOFOLLOW : 0;
    SAY("utimensat(%s, %ld.%ld, %d)", name, times[0].tv_sec, times[0].tv_nsec, flags);
    BOTH(SYS_utimensat, AT_FDCWD, name, times, flags, 0);
}

/* ---- what stat says ---- */

static void compare_stat(const struct stat *our, const struct stat *their) {
    compare(our->st_mode, their->st_mode);
    compare((long)our->st_nlink, (long)their->st_nlink);
    compare(our->st_uid, their->st_uid);
    compare(our->st_gid, their->st_gid);
    compare(our->st_blksize, their->st_blksize);
    if (!S_ISDIR(our->st_mode))
        compare(our->st_size, their->st_size);
    if (S_ISREG(our->st_mode))
        compare(our->st_blocks, their->st_blocks);
    if (our->st_atime < 2000000 || their->st_atime < 2000000) {
        compare(our->st_atim.tv_sec, their->st_atim.tv_sec);
        compare(our->st_atim.tv_nsec, their->st_atim.tv_nsec);
    }
    if (our->st_mtime < 2000000 || their->st_mtime < 2000000)
        compare(our->st_mtim.tv_sec, their->st_mtim.tv_sec);
}

static void stat_name(const char *name, int flags) {
    struct stat our = {0}, their = {0};
    SAY("fstatat(%s, %d)", name, flags);
    long result = OUR(SYS_newfstatat, AT_FDCWD, name, &our, flags);
    compare(result, linux_call_raw(SYS_newfstatat, (uint64_t)AT_FDCWD, (uint64_t)name,
                                   (uint64_t)&their, (uint64_t)flags, 0, 0));
    if (result == 0)
        compare_stat(&our, &their);
}

static void do_stat(void) {
    stat_name(pick_name(), pick(2) ? AT_SYMLINK_NOFOLLOW : 0);
}

/* ---- descriptors ---- */

static void do_open(void) {
    static const int more[] = {O_TRUNC, O_APPEND, O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_CREAT};
    int flags = (int)pick(3), at = (int)pick(FILES);
    if (pick(2))
        flags |= O_CREAT;
    while (pick(2))
        flags |= more[pick(7)];
    const char *name = pick_name();
    /* A FIFO would wait for its other end. */
    flags |= O_NONBLOCK;
    SAY("open(%s, %o)", name, (unsigned)flags);
    long our = OUR(SYS_open, name, flags, 0640);
    long their = linux_call_raw(SYS_open, (uint64_t)name, (uint64_t)flags, 0640, 0, 0, 0);
    compare(our < 0 ? our : 0, their < 0 ? their : 0);
    if (our < 0)
        return;
    if (ours[at] >= 0) {
        OUR(SYS_close, ours[at]);
        close(theirs[at]);
    }
    ours[at] = (int)our;
    theirs[at] = (int)their;
}

static void do_close(void) {
    unsigned at = pick(FILES);
    SAY("close(%u)", at);
    if (ours[at] < 0)
        return;
    compare(OUR(SYS_close, ours[at]),
            linux_call_raw(SYS_close, (uint64_t)theirs[at], 0, 0, 0, 0, 0));
    ours[at] = theirs[at] = -1;
}

static unsigned pick_open(void) {
    unsigned at = pick(FILES);
    for (unsigned n = 0; n < FILES && ours[at] < 0; n++)
        at = (at + 1) % FILES;
    return at;
}

/* A call whose first argument is a descriptor. */
static long both_file(unsigned number, unsigned at, uint64_t b, uint64_t c, uint64_t d) {
    long our = OUR(number, ours[at], b, c, d);
    compare(our, linux_call_raw(number, (uint64_t)theirs[at], b, c, d, 0, 0));
    return our;
}

static void do_read(void) {
    static char our[10000], their[10000];
    unsigned at = pick_open(), size = pick(sizeof our);
    int64_t offset = pick(2) ? (int64_t)pick(12000) : -1 - (int64_t)pick(2);
    memset(our, 1, sizeof our);
    memset(their, 1, sizeof their);
    SAY("read(%u, %u, %ld)", at, size, offset);
    unsigned number = offset == -1 ? SYS_read : SYS_pread64;
    long result = OUR(number, ours[at], our, size, offset);
    compare(result, linux_call_raw(number, (uint64_t)theirs[at], (uint64_t)their, size,
                                   (uint64_t)offset, 0, 0));
    if (memcmp(our, their, sizeof our))
        differ("other bytes", 0, 1);
}

static void do_write(void) {
    static char bytes[9000];
    unsigned at = pick_open(), size = pick(sizeof bytes);
    int64_t offset = pick(2) ? (int64_t)pick(60000) : -1;
    for (unsigned n = 0; n < size; n += 7)
        bytes[n] = (char)pick(256);
    SAY("write(%u, %u, %ld)", at, size, offset);
    both_file(offset == -1 ? SYS_write : SYS_pwrite64, at, (uint64_t)bytes, size, (uint64_t)offset);
}

static void do_seek(void) {
    unsigned at = pick_open();
    int whence = (int)pick(6);
    long offset = (long)pick(70000) - 100;
    SAY("lseek(%u, %ld, %d)", at, offset, whence);
    /* Where a directory's cursors lie is each file system's own. */
    struct stat stat;
    if (ours[at] >= 0 && fstat(theirs[at], &stat) == 0 && S_ISDIR(stat.st_mode))
        return;
    both_file(SYS_lseek, at, (uint64_t)offset, (uint64_t)whence, 0);
}

static void do_ftruncate(void) {
    unsigned at = pick_open();
    long size = pick(8) ? (long)pick(60000) : -1;
    SAY("ftruncate(%u, %ld)", at, size);
    both_file(SYS_ftruncate, at, (uint64_t)size, 0, 0);
}

static void do_punch(void) {
    unsigned at = pick_open();
    long offset = (long)pick(50000), length = (long)pick(30000);
    SAY("fallocate(%u, punch, %ld, %ld)", at, offset, length);
    both_file(SYS_fallocate, at, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (uint64_t)offset,
              (uint64_t)length);
}

static void do_fstat(void) {
    struct stat our = {0}, their = {0};
    unsigned at = pick_open();
    SAY("fstat(%u)", at);
    long result = OUR(SYS_fstat, ours[at], &our);
    compare(result, linux_call_raw(SYS_fstat, (uint64_t)theirs[at], (uint64_t)&their, 0, 0, 0, 0));
    if (result == 0)
        compare_stat(&our, &their);
}

static void do_flags(void) {
    unsigned at = pick_open(), number = pick(2) ? F_GETFD : F_GETFL;
    SAY("fcntl(%u, %u)", at, number);
    both_file(SYS_fcntl, at, number, 0, 0);
}

static void do_set_flags(void) {
    unsigned at = pick_open();
    unsigned flags = (pick(2) ? O_APPEND : 0) | O_NONBLOCK;
    SAY("fcntl(%u, F_SETFL, %o)", at, flags);
    both_file(SYS_fcntl, at, F_SETFL, flags, 0);
}

static void do_dup(void) {
    unsigned from = pick_open(), to = pick_open();
    SAY("dup2(%u, %u)", from, to);
    if (ours[from] < 0 || ours[to] < 0)
        return;
    long our = OUR(SYS_dup2, ours[from], ours[to]);
    long their = linux_call_raw(SYS_dup2, (uint64_t)theirs[from], (uint64_t)theirs[to], 0, 0, 0, 0);
    compare(our < 0 ? our : 0, their < 0 ? their : 0);
}

static void do_fchdir(void) {
    unsigned at = pick_open();
    SAY("fchmod(%u)", at);
    both_file(SYS_fchmod, at, 0711, 0, 0);
}

static void do_sync(void) {
    unsigned at = pick_open();
    SAY("fsync(%u)", at);
    both_file(SYS_fsync, at, 0, 0, 0);
}

static void do_copy_range(void) {
    unsigned from = pick_open(), to = pick_open(), size = pick(20000);
    SAY("copy_file_range(%u, %u, %u)", from, to, size);
    if (ours[from] < 0 || ours[to] < 0)
        return;
    long our = OUR(SYS_copy_file_range, ours[from], 0, ours[to], 0, size, 0);
    compare(our, linux_call_raw(SYS_copy_file_range, (uint64_t)theirs[from], 0,
                                (uint64_t)theirs[to], 0, size, 0));
}

/* As another user, who may less. */
static void do_user(void) {
    static int is_root = 1;
    is_root = !is_root;
    calls_become(is_root ? 0 : 1000);
    syscall(SYS_setresuid, -1, is_root ? 0 : 1000, -1);
}

/* ---- whole directories ---- */

enum { ENTRIES = 64 };

static int by_text(const void *a, const void *b) {
    return strcmp(a, b);
}

static int names_in(char (*names)[260], long (*list)(int, void *, unsigned), int fd) {
    static char bytes[4096];
    int count = 0;
    for (long got; (got = list(fd, bytes, pick(2) ? 120 : sizeof bytes)) > 0;)
        for (long at = 0; at < got;) {
            struct dirent64 *entry = (void *)(bytes + at);
            snprintf(names[count], sizeof *names, "%s %d", entry->d_name, entry->d_type);
            at += entry->d_reclen;
            if (++count == ENTRIES)
                return count;
        }
    qsort(names, (size_t)count, sizeof *names, by_text);
    return count;
}

static long our_list(int fd, void *to, unsigned size) {
    return OUR(SYS_getdents64, fd, to, size);
}

static long their_list(int fd, void *to, unsigned size) {
    return syscall(SYS_getdents64, fd, to, size);
}

static void do_list(void) {
    static char our[ENTRIES][260], their[ENTRIES][260];
    const char *name = pick_name();
    SAY("list %s", name);
    long our_fd = OUR(SYS_open, name, O_RDONLY | O_DIRECTORY, 0);
    long their_fd = linux_call_raw(SYS_open, (uint64_t)name, O_RDONLY | O_DIRECTORY, 0, 0, 0, 0);
    compare(our_fd < 0 ? our_fd : 0, their_fd < 0 ? their_fd : 0);
    if (our_fd < 0)
        return;
    int count = names_in(our, our_list, (int)our_fd);
    compare(count, names_in(their, their_list, (int)their_fd));
    for (int n = 0; n < count; n++) {
        SAY("list %.99s: %.99s, %.99s", name, our[n], their[n]);
        compare(strcmp(our[n], their[n]), 0);
    }
    OUR(SYS_close, our_fd);
    close((int)their_fd);
}

static void (*const actions[])(void) = {
    do_mkdir,  do_mkdir,   do_rmdir,      do_unlink,    do_rename, do_rename, do_rename,
    do_link,   do_symlink, do_mknod,      do_readlink,  do_access, do_chmod,  do_truncate,
    do_utimes, do_stat,    do_stat,       do_open,      do_open,   do_open,   do_close,
    do_read,   do_read,    do_write,      do_write,     do_seek,   do_seek,   do_ftruncate,
    do_punch,  do_fstat,   do_flags,      do_set_flags, do_dup,    do_fchdir, do_sync,
    do_list,   do_chown,   do_copy_range,
};

static void run(uint64_t seed, unsigned long steps, int with_user) {
    state = seed * 0x9e3779b97f4a7c15ul + 1;
    for (int n = 0; n < FILES; n++)
        ours[n] = theirs[n] = -1;
    for (step_number = 0; step_number < steps; step_number++) {
        if (with_user && !pick(50))
            do_user();
        actions[pick(sizeof actions / sizeof *actions)]();
    }
    for (unsigned n = 0; n < FILES; n++)
        if (ours[n] >= 0) {
            OUR(SYS_close, ours[n]);
            close(theirs[n]);
        }
}

int main(int count, char **arguments) {
    char folder[] = "/dev/shm/k42-files-XXXXXX", command[64];
    struct statfs statfs_;
    uint64_t seed = count > 1 ? strtoul(arguments[1], NULL, 0) : 1;
    unsigned long steps = count > 2 ? strtoul(arguments[2], NULL, 0) : MOST;
    trace = getenv("FILES_TRACE") != NULL;
    if (statfs("/dev/shm", &statfs_) < 0 || statfs_.f_type != 0x01021994 || !mkdtemp(folder)) {
        printf("no tmpfs to compare with\n");
        return 77;
    }
    chmod(folder, 0777);
    umask(0);
    calls_open();
    OUR(SYS_mkdir, "/place", 0777);
    OUR(SYS_mkdir, "/place/here", 0777);
    OUR(SYS_chdir, "/place/here");
    if (chdir(folder) < 0 || mkdir("here", 0777) < 0 || chdir("here") < 0)
        return 1;
    storm_begin();
    run(seed, steps, geteuid() == 0);
    unsigned long swaps = storm_end();
    calls_become(0);
    syscall(SYS_setresuid, -1, 0, -1);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    OUR(SYS_chdir, "/");
    int removed = chdir("/") == 0 ? system(command) : 1;
    printf("%lu calls gave the same during %lu swaps (seed %lu)\n", steps, swaps, seed);
    return removed != 0;
}
