/* vfork: the parent sleeps until the child ends. */
#include "abi.h"

int main(void) {
    volatile int seen = 0;
    int child = vfork(), status;
    if (!child) {
        seen = 1;
        _exit(3);
    }
    is("seen", seen, 1);
    shown(vfork);
    waitpid(child, &status, 0);
    say("%x", status);
}
