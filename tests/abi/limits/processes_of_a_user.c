/* RLIMIT_NPROC: how many an ordinary user may have; root is not asked. */
#include "abi.h"

#define USER 4321

static void waiting(void) {
    pause();
}

static void user(void) {
    struct rlimit limit = {3, 3};
    be(USER);
    setrlimit(RLIMIT_NPROC, &limit);
    int one = fork();
    if (!one)
        waiting();
    int two = fork();
    if (!two)
        waiting();
    is("two children", one > 0 && two > 0, 1);
    fails(EAGAIN, fork);
    fails(EAGAIN, vfork);
    fails(EAGAIN, clone, SIGCHLD, 0, 0, 0, 0);
    kill(one, SIGKILL);
    waitpid(one, NULL, 0);
    one = fork();
    if (!one)
        waiting();
    is("one more", one > 0, 1);
    kill(one, SIGKILL);
    kill(two, SIGKILL);
    while (wait(NULL) > 0)
        ;
}

int main(void) {
    in_child("user", user);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_NPROC, &none);
    int child = fork();
    if (!child)
        _exit(0);
    is("root", child > 0, 1);
    waitpid(child, NULL, 0);
}
