/* Seals of a file in memory: what each forbids, by every call that could do it. */
#include "abi.h"

#define PAGE 4096l

static int sealed(int seals, int size) {
    int fd = works(memfd_create, "sealed", MFD_ALLOW_SEALING);
    gives(0, ftruncate, fd, size);
    gives(0, fcntl, fd, F_ADD_SEALS, seals);
    gives(seals, fcntl, fd, F_GET_SEALS);
    return fd;
}

static long size_of(int fd) {
    struct stat seen;
    fstat(fd, &seen);
    return seen.st_size;
}

static void shrinking(void) {
    int fd = sealed(F_SEAL_SHRINK, 2 * PAGE);
    char path[64];
    fails(EPERM, ftruncate, fd, 0);
    fails(EPERM, ftruncate, fd, 2 * PAGE - 1);
    gives(0, ftruncate, fd, 2 * PAGE);
    sprintf(path, "/proc/self/fd/%d", fd);
    fails(EPERM, truncate, path, 1);
    fails(EPERM, open, path, O_RDWR | O_TRUNC);
    gives(0, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
    gives(0, ftruncate, fd, 3 * PAGE);
    gives(1, pwrite64, fd, "x", 1, 4 * PAGE);
    is("size", size_of(fd), 4 * PAGE + 1);
    close(fd);
}

static void growing(void) {
    static char data[3 * PAGE];
    struct iovec parts[2] = {{data, PAGE}, {data, PAGE}};
    int fd = sealed(F_SEAL_GROW, 2 * PAGE - 10), source = works(memfd_create, "source", 0);
    int64_t from = 0, to = 0;
    write(source, data, sizeof data);
    fails(EPERM, ftruncate, fd, 2 * PAGE);
    fails(EPERM, fallocate, fd, 0, PAGE, PAGE);
    fails(EPERM, fallocate, fd, FALLOC_FL_KEEP_SIZE, PAGE, PAGE);
    gives(0, fallocate, fd, 0, 0, 2 * PAGE - 10);
    /* Page by page: what a whole page of can be written is written. */
    gives(PAGE, pwrite64, fd, data, sizeof data, 0);
    gives(PAGE, pwritev, fd, parts, 2, 0, 0);
    gives(PAGE, copy_file_range, source, &from, fd, &to, 3 * PAGE, 0);
    fails(EPERM, pwrite64, fd, data, 11, 2 * PAGE - 20);
    gives(10, pwrite64, fd, data, 10, 2 * PAGE - 20);
    fails(EPERM, pwrite64, fd, "x", 1, 5 * PAGE);
    gives(0, pwrite64, fd, "", 0, 5 * PAGE);
    fcntl(fd, F_SETFL, O_APPEND);
    fails(EPERM, write, fd, "x", 1);
    is("size", size_of(fd), 2 * PAGE - 10);
    /* Smaller it may get, and stays so. */
    gives(0, ftruncate, fd, PAGE);
    fails(EPERM, ftruncate, fd, PAGE + 1);
    close(fd);
    close(source);
}

static void writing(int seal) {
    int fd = sealed(seal, 2 * PAGE), ends[2], source = works(memfd_create, "source", 0);
    struct iovec part = {"x", 1};
    int64_t from = 0, to = 0;
    char data[4] = "";
    write(source, "0123", 4);
    pipe(ends);
    write(ends[1], "abc", 3);
    fails(EPERM, write, fd, "x", 1);
    gives(0, write, fd, "x", 0);
    fails(EPERM, pwrite64, fd, "x", 1, 0);
    fails(EPERM, pwrite64, fd, "x", 1, 9 * PAGE);
    fails(EPERM, writev, fd, &part, 1);
    fails(EPERM, pwritev2, fd, &part, 1, 0, 0, 0);
    fails(EPERM, copy_file_range, source, &from, fd, &to, 4, 0);
    fails(EPERM, sendfile, fd, source, &from, 4);
    /* What is not taken stays in the pipe. */
    fails(EPERM, splice, ends[0], NULL, fd, &to, 3, 0);
    gives(3, read, ends[0], data, sizeof data);
    fails(EPERM, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
    /* That is what the file has, not how long it is. */
    gives(0, fallocate, fd, 0, 0, 2 * PAGE);
    gives(0, ftruncate, fd, 3 * PAGE);
    gives(0, ftruncate, fd, PAGE);
    gives(4, pread64, fd, data, 4, 0);
    close(fd);
    close(source);
}

static void mappings(int seal) {
    int fd = works(memfd_create, "mapped", MFD_ALLOW_SEALING);
    gives(0, ftruncate, fd, 2 * PAGE);
    char *before = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    before[0] = 'b';
    if (seal == F_SEAL_WRITE) {
        fails(EBUSY, fcntl, fd, F_ADD_SEALS, seal);
        /* Half of it, and not writable now, but it could be again. */
        mprotect(before, 2 * PAGE, PROT_READ);
        munmap(before, PAGE);
        fails(EBUSY, fcntl, fd, F_ADD_SEALS, seal);
        gives(0, fcntl, fd, F_GET_SEALS);
        munmap(before + PAGE, PAGE);
    }
    gives(0, fcntl, fd, F_ADD_SEALS, seal);
    if (seal == F_SEAL_FUTURE_WRITE) {
        before[0] = 'm';
        gives(0, mprotect, before, PAGE, PROT_READ);
        gives(0, mprotect, before, PAGE, PROT_READ | PROT_WRITE);
        before[0] = 'n';
        fails(EBUSY, fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
        munmap(before, 2 * PAGE);
        gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE);
    }
    fails(EPERM, mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    fails(EPERM, mmap, 0, PAGE, PROT_WRITE, MAP_SHARED, fd, 0);
    /* Since Linux 6.7; before, what is sealed against writing was not mapped shared at all. */
    char *after = (char *)works(mmap, 0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    fails(EACCES, mprotect, after, PAGE, PROT_READ | PROT_WRITE);
    private[0] = 'p';
    say("%c %c", after[0], private[0]);
    char *later = (char *)works(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    later[0] = 'l';
    say("%c %c", after[0], later[0]);
    close(fd);
}

/* Another opening of the file has them, too; a child's mapping counts as any. */
static void shared(void) {
    char path[64];
    int fd = works(memfd_create, "shared", MFD_ALLOW_SEALING), ends[2];
    gives(0, ftruncate, fd, PAGE);
    sprintf(path, "/proc/self/fd/%d", fd);
    int reader = open(path, O_RDONLY), writer = open(path, O_RDWR);
    fails(EPERM, fcntl, reader, F_ADD_SEALS, F_SEAL_GROW);
    gives(0, fcntl, reader, F_GET_SEALS);
    /* Not open for writing, it may not be written to later, either. */
    char *seen = (char *)works(mmap, 0, PAGE, PROT_READ, MAP_SHARED, reader, 0);
    fails(EACCES, mprotect, seen, PAGE, PROT_READ | PROT_WRITE);
    char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, writer, 0);
    pipe(ends);
    int child = fork();
    if (!child) {
        char byte;
        close(ends[1]);
        read(ends[0], &byte, 1);
        at[0] = 'c';
        _exit(0);
    }
    munmap(at, PAGE);
    fails(EBUSY, fcntl, writer, F_ADD_SEALS, F_SEAL_WRITE);
    close(ends[1]);
    waitpid(child, NULL, 0);
    gives(0, fcntl, writer, F_ADD_SEALS, F_SEAL_WRITE);
    fails(EPERM, write, fd, "x", 1);
    gives(F_SEAL_WRITE, fcntl, reader, F_GET_SEALS);
    say("%c", seen[0]);
    gives(0, fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK);
    fails(EPERM, fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK);
    fails(EPERM, fcntl, fd, F_ADD_SEALS, 0);
    gives(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_WRITE, fcntl, fd, F_GET_SEALS);
}

static void what_takes_none(void) {
    int ends[2], fd = open("/proc/self/comm", O_RDWR), path = open("/proc/self/comm", O_PATH);
    pipe(ends);
    fails(EINVAL, fcntl, fd, F_GET_SEALS);
    fails(EINVAL, fcntl, fd, F_ADD_SEALS, F_SEAL_GROW);
    fails(EINVAL, fcntl, ends[1], F_GET_SEALS);
    fails(EINVAL, fcntl, ends[1], F_ADD_SEALS, F_SEAL_GROW);
    fails(EPERM, fcntl, ends[0], F_ADD_SEALS, F_SEAL_GROW);
    fails(EBADF, fcntl, path, F_GET_SEALS);
    int folder = open(".", O_RDONLY);
    fails(EINVAL, fcntl, folder, F_GET_SEALS);
    fails(EPERM, fcntl, folder, F_ADD_SEALS, F_SEAL_GROW);
}

int main(void) {
    shrinking();
    growing();
    writing(F_SEAL_WRITE);
    writing(F_SEAL_FUTURE_WRITE);
    mappings(F_SEAL_WRITE);
    mappings(F_SEAL_FUTURE_WRITE);
    shared();
    what_takes_none();
}
