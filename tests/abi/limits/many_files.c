/* As many descriptors as a limit allows, in order of their numbers. */
#include "abi.h"

int main(void) {
    struct rlimit limit = {1000, 1000};
    gives(0, setrlimit, RLIMIT_NOFILE, &limit);
    int count = 0, fd, last = 0;
    while ((fd = dup(0)) >= 0) {
        if (fd <= last && count)
            give_up("not the next number");
        last = fd;
        count++;
    }
    is("error", errno, EMFILE);
    is("last", last, 999);
    close(500);
    close(10);
    is("the lowest", dup(0), 10);
    is("then the other", dup(0), 500);
    fails(EMFILE, open, "/dev/null", O_RDONLY);
    gives(0, close_range, 3, ~0u, 0);
    is("from the beginning", dup(0), 3);
}
