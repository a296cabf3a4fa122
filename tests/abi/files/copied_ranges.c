/* copy_file_range: offsets, ends, overlaps, kinds of files, and everything refused. */
#include "abi.h"

int main(void) {
    loff_t in = 2, out = 20;
    put("from", "0123456789");
    put("to", "");
    int from = open("from", O_RDWR), to = open("to", O_RDWR), ends[2];
    int reads = open("to", O_RDONLY), writes = open("from", O_WRONLY),
        appends = open("to", O_WRONLY | O_APPEND), folder = open(".", O_RDONLY);
    pipe(ends);
    gives(10, copy_file_range, from, NULL, to, NULL, 100, 0);
    is("both moved", lseek(from, 0, SEEK_CUR) + lseek(to, 0, SEEK_CUR), 20);
    gives(0, copy_file_range, from, NULL, to, NULL, 100, 0);
    gives(3, copy_file_range, from, &in, to, &out, 3, 0);
    say("%ld %ld", (long)in, (long)out);
    struct stat seen;
    fstat(to, &seen);
    is("a hole before it", seen.st_size, 23);
    is("its own place stays", lseek(to, 0, SEEK_CUR), 10);
    in = 10;
    gives(0, copy_file_range, from, &in, to, NULL, 5, 0);
    in = 1000;
    gives(0, copy_file_range, from, &in, to, NULL, 5, 0);
    gives(0, copy_file_range, from, NULL, to, NULL, 0, 0);
    in = 0;
    out = 5;
    gives(5, copy_file_range, from, &in, from, &out, 5, 0);
    say("%s", get("from"));
    in = 0;
    out = 3;
    fails(EINVAL, copy_file_range, from, &in, from, &out, 5, 0);
    fails(EINVAL, copy_file_range, from, NULL, to, NULL, 5, 1);
    fails(EBADF, copy_file_range, writes, NULL, to, NULL, 5, 0);
    fails(EBADF, copy_file_range, from, NULL, reads, NULL, 5, 0);
    fails(EBADF, copy_file_range, from, NULL, appends, NULL, 5, 0);
    fails(EBADF, copy_file_range, 99, NULL, to, NULL, 5, 0);
    fails(EISDIR, copy_file_range, folder, NULL, to, NULL, 5, 0);
    fails(EINVAL, copy_file_range, ends[0], NULL, to, NULL, 5, 0);
    fails(EINVAL, copy_file_range, from, NULL, ends[1], NULL, 5, 0);
    fails(EFAULT, copy_file_range, from, BAD, to, NULL, 5, 0);
    char *much = calloc(1, 300000);
    memset(much, 'm', 300000);
    pwrite(from, much, 300000, 0);
    in = out = 0;
    long done = 0, got;
    while ((got = abi_call(copy_file_range, from, &in, to, &out, 1 << 20, 0)) > 0)
        done += got;
    is("all of much", done, 300000);
    is("the same", pread(to, much, 300000, 0) == 300000 && much[299999] == 'm', 1);
    struct rlimit small = {1000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    in = 0;
    out = 990;
    gives(10, copy_file_range, from, &in, to, &out, 100, 0);
    fails(EFBIG, copy_file_range, from, &in, to, &out, 100, 0);
}
