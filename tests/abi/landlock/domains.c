/* Domains: who may take one on, how layers add up, who has them, and what they forbid altogether.
 */
#include "landlock.h"

#include <pthread.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>

#define READ  LANDLOCK_ACCESS_FS_READ_FILE
#define WRITE LANDLOCK_ACCESS_FS_WRITE_FILE

static void layer(uint64_t handled, uint64_t rights, const char *path) {
    int ruleset = ruleset_of(handled);
    if (rights)
        allow(ruleset, rights, path);
    gives(0, landlock_restrict_self, ruleset, 0);
    close(ruleset);
}

static void reads(const char *path) {
    int file = open(path, O_RDONLY);
    say("%s: %s", path, file < 0 ? strerror(errno) : "read");
    if (file >= 0)
        close(file);
}

static void fails_so(void) {
    int ruleset = ruleset_of(READ), file = open("file", O_RDONLY);
    fails(EINVAL, landlock_restrict_self, ruleset, 1u << 30);
    fails(EBADF, landlock_restrict_self, 99, 0);
    fails(EBADFD, landlock_restrict_self, file, 0);
    be(SOMEBODY);
    fails(EPERM, landlock_restrict_self, 99, 1u << 30);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gives(0, landlock_restrict_self, ruleset, 0);
    fails(EINVAL, landlock_restrict_self, ruleset, 1u << 30);
}

static void layers(void) {
    reads("a/b/c");
    layer(READ, READ, "a");
    reads("a/b/c");
    reads("file");
    layer(READ | WRITE, READ | WRITE, "a/b");
    reads("a/b/c");
    reads("a/other");
    layer(WRITE, 0, "");
    reads("a/b/c");
    is("writing", open("a/b/c", O_WRONLY), -1);
    layer(READ, READ, "a/b/c");
    reads("a/b/c");
    reads("a/b/d");
}

static void sixteen(void) {
    int ruleset = ruleset_of(WRITE), failures = 0;
    for (int n = 0; n < 16; n++)
        failures += abi_call(landlock_restrict_self, ruleset, 0) != 0;
    is("failures", failures, 0);
    fails(E2BIG, landlock_restrict_self, ruleset, 0);
}

/* What is added to a ruleset afterwards does not count for who has it already. */
static void later(void) {
    int ruleset = ruleset_of(READ);
    allow(ruleset, READ, "a/b");
    gives(0, landlock_restrict_self, ruleset, 0);
    allow(ruleset, READ, ".");
    reads("file");
    reads("a/b/c");
}

/* A rule is about the folder, not its name. */
static void renamed(void) {
    layer(READ, READ, "a/b");
    rename("a/b", "a/moved");
    mkdir("a/b", 0755);
    put("a/b/c", "new");
    reads("a/b/c");
    reads("a/moved/c");
}

/* A file with two names counts where it is looked for. */
static void two_names(void) {
    layer(READ, READ, "a/b");
    reads("a/b/linked");
    reads("linked");
}

static void *thread(void *) {
    reads("file");
    layer(READ, 0, "");
    reads("a/b/c");
    return NULL;
}

static void child(void) {
    char *const words[] = {"sh", "-c", "cat file || echo refused; cat a/b/c", NULL};
    reads("file");
    ends(execve, "/bin/sh", words, environ);
}

static void inherited(void) {
    pthread_t one;
    int ruleset = ruleset_of(READ);
    allow(ruleset, READ, "a");
    allow(ruleset, READ, "/usr");
    allow(ruleset, READ, "/lib");
    allow(ruleset, READ, "/bin");
    allow(ruleset, READ, "/etc");
    close(2);
    gives(0, landlock_restrict_self, ruleset, 0);
    in_child("child", child);
    pthread_create(&one, NULL, thread, NULL);
    pthread_join(one, NULL);
    reads("a/b/c");
}

static void without_names(void) {
    int pipes[2], memory = (int)syscall(SYS_memfd_create, "memory", 0);
    char path[64];
    pipe(pipes);
    layer(READ | WRITE, 0, "");
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    is("memory", open(path, O_RDWR) >= 0, 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", pipes[0]);
    is("pipe", open(path, O_RDWR) >= 0, 1);
    is("what is open", read(pipes[0], path, 0), 0);
}

/* What was removed, or never had a name, is where it was. */
static void removed(void) {
    char path[64];
    mkdir("gone", 0755);
    put("gone/file", "x");
    put("elsewhere", "x");
    int file = open("gone/file", O_RDONLY), other = open("elsewhere", O_RDONLY);
    int unnamed = open("gone", O_RDWR | O_TMPFILE, 0600);
    unlink("gone/file");
    unlink("elsewhere");
    layer(READ | WRITE | LANDLOCK_ACCESS_FS_MAKE_REG, READ | LANDLOCK_ACCESS_FS_MAKE_REG, "gone");
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    is("read", open(path, O_RDONLY) >= 0, 1);
    is("written", open(path, O_WRONLY) < 0 ? errno : 0, EACCES);
    snprintf(path, sizeof path, "/proc/self/fd/%d", other);
    is("read", open(path, O_RDONLY) < 0 ? errno : 0, EACCES);
    snprintf(path, sizeof path, "/proc/self/fd/%d", unnamed);
    is("read", open(path, O_RDONLY) >= 0, 1);
    gives(0, linkat, AT_FDCWD, path, AT_FDCWD, "gone/named", AT_SYMLINK_FOLLOW);
    fails(EACCES, linkat, AT_FDCWD, "gone/named", AT_FDCWD, "named", 0);
}

static void mounts(void) {
    mkdir("m", 0755);
    mount("none", "m", "tmpfs", 0, NULL);
    put("m/file", "below");
    int context = (int)syscall(SYS_fsopen, "tmpfs", 0);
    layer(READ, READ, "m");
    reads("m/file");
    reads("file");
    fails(EPERM, mount, "none", "a", "tmpfs", 0, 0);
    fails(EPERM, mount, "a", "m", "", MS_BIND, 0);
    fails(ENOENT, mount, "none", "nowhere", "tmpfs", 0, 0);
    fails(EPERM, mount, "", "m", "", MS_REMOUNT, 0);
    fails(EPERM, umount2, "m", 0);
    fails(EPERM, move_mount, AT_FDCWD, "m", AT_FDCWD, "a", 0);
    fails(EPERM, pivot_root, "m", "m");
    gives(0, fsconfig, context, 6, 0, 0, 0);
}

/* Below the folder that something is mounted on there is nothing; above it there is. */
static void through_mounts(void) {
    mkdir("m", 0755);
    layer(READ, READ, "m");
    reads("m/file");
}

static void mounted_on(void) {
    mkdir("m", 0755);
    int ruleset = ruleset_of(READ), other = ruleset_of(READ);
    allow(ruleset, READ, "m");
    allow(other, READ, ".");
    mount("none", "m", "tmpfs", 0, NULL);
    put("m/file", "below");
    gives(0, landlock_restrict_self, other, 0);
    reads("m/file");
    gives(0, landlock_restrict_self, ruleset, 0);
    reads("m/file");
}

static void waits(void) {
    pause();
}

static void wishes(void) {
    layer(READ, 0, "");
    gives(0, ptrace, PTRACE_TRACEME, 0, 0, 0);
}

static void traced(void) {
    int before = start(waits);
    layer(READ, READ, "/");
    int after = start(waits);
    fails(EPERM, ptrace, PTRACE_ATTACH, before, 0, 0);
    gives(0, ptrace, PTRACE_SEIZE, after, 0, 0);
    struct iovec here = {&after, 1}, there = {&before, 1};
    fails(EPERM, process_vm_readv, before, &here, 1, &there, 1, 0);
    gives(1, process_vm_readv, after, &here, 1, &there, 1, 0);
    in_child("its wish", wishes);
    kill(before, SIGKILL);
    kill(after, SIGKILL);
    waitpid(before, NULL, 0);
    waitpid(after, NULL, 0);
}

static void refused_wish(void) {
    layer(READ, READ, "/");
    if (fork()) {
        layer(READ, READ, "/");
        kill(getppid(), 0);
        wait(NULL);
        _exit(0);
    }
    doze(200);
    fails(EPERM, ptrace, PTRACE_TRACEME, 0, 0, 0);
}

int main(void) {
    mkdir("a", 0755);
    mkdir("a/b", 0755);
    put("file", "file\n");
    put("a/other", "other\n");
    put("a/b/c", "c\n");
    put("a/b/d", "d\n");
    chmod(".", 0755);
    link("a/b/c", "linked");
    link("linked", "a/b/linked");
    in_child("fails", fails_so);
    in_child("layers", layers);
    in_child("sixteen", sixteen);
    in_child("later", later);
    in_child("two names", two_names);
    in_child("inherited", inherited);
    in_child("without names", without_names);
    in_child("removed", removed);
    in_child("traced", traced);
    in_child("refused wish", refused_wish);
    in_child("mounted on", mounted_on);
    umount2("m", MNT_DETACH);
    in_child("mounts", mounts);
    in_child("through mounts", through_mounts);
    umount2("m", MNT_DETACH);
    in_child("renamed", renamed);
    return 0;
}
