/* What a program keeps of the one before: ignored and blocked signals, folder, mask, descriptors.
 */
#include "abi.h"

static void becomes(void) {
    char *words[] = {
        "sh", "-c",
        "grep -E '^(SigBlk|SigIgn|SigCgt|Umask)' /proc/self/status; [ -e /proc/self/fd/20 ] "
        "&& echo kept; [ -e /proc/self/fd/21 ] || echo closed; [ -e marker ] && echo here; "
        "echo $OF $0; kill -USR2 $$; echo ignored",
        "zero", NULL};
    char *variables[] = {"OF=environment", "PATH=/bin:/usr/bin", NULL};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR2, SIG_IGN);
    handle(SIGTERM, 0);
    umask(027);
    dup2(0, 20);
    dup3(0, 21, O_CLOEXEC);
    ends(execve, "/bin/sh", words, variables);
}

int main(void) {
    put("marker", "");
    in_child("program", becomes);
}
