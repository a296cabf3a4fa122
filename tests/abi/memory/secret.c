/* memfd_secret: reached by mapping it and in no other way, and counted as locked. */
#include "abi.h"

static int fd;

static void no_descriptor(void) {
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0});
    fails(EMFILE, memfd_secret, 0);
}

static void may_lock_little(void) {
    setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){4096, 4096});
    be(SOMEBODY);
    fails(EAGAIN, mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    works(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

static const char *locked(void) {
    static char line[64];
    const char *at = strstr(get("/proc/self/status"), "VmLck:");
    sscanf(at ? at : "", "%63[^\n]", line);
    return line;
}

int main(void) {
    char text[32] = "", name[32], link[64] = "";
    fails(EINVAL, memfd_secret, 1);
    fails(EINVAL, memfd_secret, O_NONBLOCK);
    in_child("no descriptor", no_descriptor);
    is("on exec", fcntl(works(memfd_secret, O_CLOEXEC), F_GETFD), FD_CLOEXEC);
    fd = works(memfd_secret, 0);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    readlink(name, link, sizeof link - 1);
    say("%s", link);
    struct stat stat;
    fstat(fd, &stat);
    is("mode", stat.st_mode, S_IFREG | 0600);
    is("flags", fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
    fails(EINVAL, write, fd, "x", 1);
    fails(EINVAL, read, fd, text, 1);
    fails(ESPIPE, pread64, fd, text, 1, 0);
    fails(ESPIPE, lseek, fd, 0, 0);
    gives(0, ftruncate, fd, 8192);
    fails(EINVAL, ftruncate, fd, 4096);
    fails(EINVAL, ftruncate, fd, 8192);
    fails(EOPNOTSUPP, fallocate, fd, 0, 0, 4096);
    fails(EINVAL, mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    say("%s", locked());
    char *secret = (char *)works(mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    say("%s", locked());
    in_child("somebody", may_lock_little);

    /* By its own accesses and by calls that it makes. */
    strcpy(secret, "secret");
    int ends[2];
    pipe(ends);
    gives(6, write, ends[1], secret, 6);
    gives(6, read, ends[0], secret + 4096, 6);
    is("written and read", memcmp(secret + 4096, "secret", 6), 0);
    char *again = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    is("the same", strcmp(again, "secret"), 0);
    int child = fork();
    if (!child)
        _exit(strcmp(secret, "secret"));
    int status;
    waitpid(child, &status, 0);
    is("a child's", status, 0);

    /* As somebody's memory it is not there. */
    struct iovec to = {text, 6}, from = {secret, 6};
    fails(EFAULT, process_vm_readv, getpid(), &to, 1, &from, 1, 0);
    fails(EFAULT, process_vm_writev, getpid(), &to, 1, &from, 1, 0);
    int memory = open("/proc/self/mem", O_RDWR);
    fails(EIO, pread64, memory, text, 6, secret);
    fails(EIO, pwrite64, memory, "x", 1, secret);
    is("as it was", strcmp(secret, "secret"), 0);
    fails(EINVAL, madvise, secret, 4096, MADV_DONTNEED);
    munmap(again, 8192);
    munmap(secret, 8192);
    say("%s", locked());
}
