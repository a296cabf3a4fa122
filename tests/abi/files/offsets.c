/* lseek, read and write: offsets that are shared, ends, limits, whence, on each kind of file. */
#include "abi.h"

#include <sys/eventfd.h>

static long told(int fd, long offset, int whence) {
    long result = abi_call(lseek, fd, offset, whence);
    return result < 0 ? -errno : result;
}

static void all(const char *what, int fd) {
    char line[300] = "";
    const struct {
        long offset;
        int whence;
    } seeks[] = {{5, SEEK_SET}, {-2, SEEK_CUR}, {0, SEEK_CUR},  {-100, SEEK_CUR},
                 {0, SEEK_SET}, {5, 9},         {-1, SEEK_SET}, {0, -1}};
    for (unsigned i = 0; i < sizeof seeks / sizeof *seeks; i++)
        sprintf(line + strlen(line), " %ld", told(fd, seeks[i].offset, seeks[i].whence));
    say("%s:%s", what, line);
}

static int shared;

static void child(void) {
    char byte;
    gives(1, read, shared, &byte, 1);
    say("%c", byte);
}

int main(void) {
    char data[64] = "";
    int ends[2];
    put("file", "0123456789");
    shared = open("file", O_RDWR);
    all("file", shared);
    all("null", open("/dev/null", O_RDWR));
    all("zero", open("/dev/zero", O_RDWR));
    pipe(ends);
    all("pipe", ends[0]);
    all("counter", eventfd(0, 0));
    all("text of the kernel's", open("/proc/self/status", O_RDONLY));
    all("memory", memfd_create("x", 0));
    all("path", open("file", O_PATH));
    all("closed", 99);
    lseek(shared, 4, SEEK_SET);
    in_child("child", child);
    gives(5, lseek, shared, 0, SEEK_CUR);
    int copy = dup(shared), own = open("file", O_RDWR);
    gives(7, lseek, copy, 2, SEEK_CUR);
    gives(7, lseek, shared, 0, SEEK_CUR);
    gives(0, lseek, own, 0, SEEK_CUR);
    gives(2, pread64, shared, data, 2, 1);
    gives(2, pwrite64, shared, "ab", 2, 1);
    gives(7, lseek, shared, 0, SEEK_CUR);
    gives(3, read, shared, data, 64);
    gives(0, read, shared, data, 64);
    gives(15, lseek, shared, 5, SEEK_END);
    gives(0, read, shared, data, 64);
    gives(1, write, shared, "z", 1);
    gives(16, lseek, shared, 0, SEEK_END);
    gives(16, pread64, shared, data, 64, 0);
    is("a hole", data[12], 0);
    gives(0, pread64, shared, data, 64, 16);
    gives(0, pread64, shared, data, 64, 1l << 40);
    fails(EINVAL, pread64, shared, data, 64, -1);
    fails(EINVAL, pwrite64, shared, data, 64, -1);
    fails(ESPIPE, pread64, ends[0], data, 1, 0);
    fails(ESPIPE, pwrite64, ends[1], data, 1, 0);
    gives(1l << 40, lseek, shared, 1l << 40, SEEK_SET);
    gives(0, write, shared, "", 0);
    gives(16, lseek, own, 0, SEEK_END);
    int appends = open("file", O_RDWR | O_APPEND);
    gives(0, lseek, appends, 0, SEEK_CUR);
    gives(4, read, appends, data, 4);
    gives(1, write, appends, "!", 1);
    gives(17, lseek, appends, 0, SEEK_CUR);
    gives(3, lseek, appends, 3, SEEK_SET);
    gives(1, read, appends, data, 1);
    say("%c", data[0]);
}
