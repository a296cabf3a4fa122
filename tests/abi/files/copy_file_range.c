/* copy_file_range: within and between files, and everything refused. */
#include "abi.h"

int main(void) {
    put("from", "0123456789");
    int from = open("from", O_RDWR), to = open("to", O_RDWR | O_CREAT, 0644), ends[2];
    int64_t in = 2, out = 5;
    gives(4, copy_file_range, from, &in, to, &out, 4, 0);
    say("%ld %ld", (long)in, (long)out);
    gives(10, copy_file_range, from, NULL, to, NULL, 100, 0);
    gives(0, copy_file_range, from, NULL, to, NULL, 100, 0);
    say("%s", get("to"));
    in = 100;
    gives(0, copy_file_range, from, &in, to, NULL, 5, 0);
    fails(EINVAL, copy_file_range, from, NULL, to, NULL, 5, 1);
    fails(EBADF, copy_file_range, -1, NULL, to, NULL, 5, 0);
    fails(EBADF, copy_file_range, from, NULL, -1, NULL, 5, 0);
    int reads = open("to", O_RDONLY), appends = open("to", O_WRONLY | O_APPEND);
    fails(EBADF, copy_file_range, from, NULL, reads, NULL, 5, 0);
    fails(EBADF, copy_file_range, from, NULL, appends, NULL, 5, 0);
    int folder = open(".", O_RDONLY);
    fails(EISDIR, copy_file_range, folder, NULL, to, NULL, 5, 0);
    pipe(ends);
    fails(EINVAL, copy_file_range, ends[0], NULL, to, NULL, 5, 0);
    in = 0;
    out = 3;
    fails(EINVAL, copy_file_range, from, &in, from, &out, 6, 0);
    in = 1;
    fails(EOVERFLOW, copy_file_range, from, &in, to, NULL, -1L, 0);
    struct rlimit limit = {20, 20};
    setrlimit(RLIMIT_FSIZE, &limit);
    signal(SIGXFSZ, SIG_IGN);
    in = 0;
    out = 20;
    fails(EFBIG, copy_file_range, from, &in, to, &out, 6, 0);
}
