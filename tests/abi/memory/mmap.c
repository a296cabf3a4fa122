/* mmap and munmap: kinds of mappings, and everything refused. */
#include "abi.h"

#define PAGE 4096

int main(void) {
    put("file", "text in a file");
    int fd = open("file", O_RDWR), reads = open("file", O_RDONLY), writes = open("file", O_WRONLY);
    int folder = open(".", O_RDONLY), ends[2];
    pipe(ends);
    char *shared = (char *)works(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *private = (char *)works(mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, reads, 0);
    shared[0] = 'T';
    say("%s", private);
    private[1] = 'E';
    say("%s", get("file"));
    is("behind the end", shared[100], 0);
    char *anonymous = (char *)works(mmap, 0, 4 * PAGE, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    is("zero", anonymous[5000], 0);
    gives(0, munmap, anonymous + PAGE, PAGE);
    gives(0, munmap, anonymous + PAGE, PAGE);
    is("the same place",
       works(mmap, anonymous + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) == (long)anonymous + PAGE,
       1);
    fails(EEXIST, mmap, anonymous, PAGE, PROT_READ,
          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    fails(EINVAL, mmap, 0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(EINVAL, mmap, 0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0);
    fails(EINVAL, mmap, 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fails(EINVAL, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, fd, 1);
    fails(ENOMEM, mmap, 0, 1ul << 48, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(ENOMEM, mmap, 0, -1ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(EOVERFLOW, mmap, 0, 2 * PAGE, PROT_READ, MAP_PRIVATE, fd, -(long)PAGE);
    fails(EBADF, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, -1, 0);
    fails(EBADF, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, 100, 0);
    fails(EACCES, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, writes, 0);
    fails(EACCES, mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, reads, 0);
    fails(ENODEV, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, folder, 0);
    fails(ENODEV, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0);
    fails(EOPNOTSUPP, mmap, 0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 1 << 25, fd, 0);
    gives(0, munmap, shared, PAGE);
    fails(EINVAL, munmap, anonymous + 1, PAGE);
    fails(EINVAL, munmap, anonymous, 0);
    fails(EINVAL, munmap, 1ul << 47, PAGE);
    gives(0, munmap, anonymous, 4 * PAGE);
    struct rlimit limit = {64 << 20, 64 << 20};
    setrlimit(RLIMIT_AS, &limit);
    fails(ENOMEM, mmap, 0, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    be(SOMEBODY);
    fails(EPERM, mmap, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}
