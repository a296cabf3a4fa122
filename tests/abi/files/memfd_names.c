/* memfd_create: names and flags; a file without a place. */
#include "abi.h"

#include <sys/vfs.h>

#define EXECUTE    0x10 /* since Linux 6.3 */
#define NO_EXECUTE 8
#define SEAL_EXEC  0x20

static void say_name(int fd) {
    char path[64], name[300] = "";
    sprintf(path, "/proc/self/fd/%d", fd);
    works(readlink, path, name, sizeof name - 1);
    say("%s", name);
}

static void what_can_be_run(void) {
    int fd = works(memfd_create, "x", EXECUTE);
    struct stat seen;
    fstat(fd, &seen);
    say("%o", seen.st_mode & 07777);
    gives(F_SEAL_SEAL, fcntl, fd, F_GET_SEALS);
    gives(0, fchmod, fd, 0600);
    fd = works(memfd_create, "x", NO_EXECUTE);
    fstat(fd, &seen);
    say("%o", seen.st_mode & 07777);
    gives(SEAL_EXEC, fcntl, fd, F_GET_SEALS);
    fails(EPERM, fchmod, fd, 0700);
    gives(0, fchmod, fd, 0640);
    fd = works(memfd_create, "x", MFD_ALLOW_SEALING);
    gives(0, fcntl, fd, F_ADD_SEALS, SEAL_EXEC);
    gives(0x3e, fcntl, fd, F_GET_SEALS);
    fails(EPERM, write, fd, "x", 1);
    fails(EPERM, fchmod, fd, 0600);
}

int main(void) {
    char name[300];
    memset(name, 'n', sizeof name);
    name[250] = 0;
    fails(EINVAL, memfd_create, name, 0);
    name[249] = 0;
    works(memfd_create, name, 0);
    fails(EFAULT, memfd_create, BAD, 0);
    fails(EINVAL, memfd_create, "x", 0x800);
    fails(EINVAL, memfd_create, "x", 1u << 26);
    fails(EINVAL, memfd_create, "x", EXECUTE | NO_EXECUTE);
    fails(EFAULT, memfd_create, BAD, 0);
    fails(EINVAL, memfd_create, BAD, 0x800);
    name[4] = 0;
    say_name(works(memfd_create, name, 0));
    say_name(works(memfd_create, "", 0));
    say_name(works(memfd_create, "a b/c", 0));
    memset(name, 'n', 249);
    say_name(works(memfd_create, name, 0));
    int fd = works(memfd_create, "x", MFD_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, fd, F_GETFD);
    gives(5, write, fd, "12345", 5);
    gives(0, ftruncate, fd, 3);
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    at[1] = 'X';
    char data[8] = "";
    gives(3, pread64, fd, data, sizeof data, 0);
    say("%s", data);
    struct stat seen;
    gives(0, fstat, fd, &seen);
    say("%o %d", seen.st_mode & S_IFMT, (int)seen.st_nlink);
    struct statfs counts;
    gives(0, fstatfs, fd, &counts);
    say("%lx", (long)counts.f_type);
    what_can_be_run();
}
