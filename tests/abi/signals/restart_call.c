/* restart_syscall, made by a program itself: there is nothing to go on with. */
#include "abi.h"

int main(void) {
    fails(EINTR, restart_syscall);
}
