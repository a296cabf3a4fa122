/* poll() of pipes: what each end is ready for, empty, full, alone. */
#include "abi.h"

#include <poll.h>

static void show(const char *what, const int *ends) {
    struct pollfd both[2] = {{ends[0], POLLIN | POLLOUT | POLLRDNORM | POLLHUP},
                             {ends[1], POLLIN | POLLOUT | POLLWRNORM}};
    poll(both, 2, 0);
    say("%s: %x %x", what, both[0].revents, both[1].revents);
}

int main(void) {
    int ends[2];
    static char page[65536];
    pipe2(ends, O_NONBLOCK);
    show("empty", ends);
    write(ends[1], "x", 1);
    show("one byte", ends);
    while (write(ends[1], page, sizeof page) > 0)
        ;
    show("full", ends);
    read(ends[0], page, 4096);
    show("a page less", ends);
    int copy = dup(ends[1]);
    close(ends[1]);
    ends[1] = copy;
    show("another holder", ends);
    close(ends[0]);
    ends[0] = -1;
    show("nobody reads", ends);
    pipe2(ends, O_NONBLOCK);
    write(ends[1], "x", 1);
    close(ends[1]);
    ends[1] = -1;
    show("nobody writes", ends);
    read(ends[0], page, 1);
    show("and it is empty", ends);
}
