/* Whoever has seen that a process has ended, and left it there, finds its descriptor readable. */
#include "abi.h"

#include <poll.h>

int main(void) {
    int unreadable = 0;
    for (int round = 0; round < 300; round++) {
        int child = fork();
        if (!child)
            _exit(0);
        int process = abi_call(pidfd_open, child, 0);
        waitid(P_PID, child, NULL, WEXITED | WNOWAIT);
        unreadable += poll(&(struct pollfd){process, POLLIN}, 1, 0) != 1;
        close(process);
        waitpid(child, NULL, 0);
    }
    is("seen, but not readable", unreadable, 0);
}
