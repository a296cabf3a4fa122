/* What exec ends: mappings, locks of records, timers, threads' state; and what it keeps. */
#include "abi.h"

#include <sys/prctl.h>

static const char script[] =
    "echo nice `cut -d' ' -f19 /proc/self/stat`; umask; ulimit -c; "
    "grep -c shared_file /proc/self/maps; cat /proc/$$/comm; [ -e /proc/self/fd/33 ] && echo open";

static void becomes(void) {
    char *words[] = {"sh", "-c", (char *)script, NULL};
    struct rlimit core = {0, 512 * 100};
    setpriority(PRIO_PROCESS, 0, 3);
    setrlimit(RLIMIT_CORE, &core);
    umask(017);
    int fd = open("shared_file", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 4096);
    mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    dup2(fd, 33);
    prctl(PR_SET_NAME, "before");
    execv("/bin/sh", words);
}

static void locks(void) {
    int fd = open("locked", O_RDWR | O_CREAT, 0600);
    struct flock lock = {.l_type = F_WRLCK};
    fcntl(fd, F_SETLK, &lock);
    flock(fd, LOCK_EX);
    char *words[] = {"sh", "-c", "echo > locking; while [ ! -e seen ]; do sleep 0.01; done", NULL};
    execv("/bin/sh", words);
}

static void alarms(void) {
    struct itimerval soon = {.it_value.tv_usec = 50000};
    char *words[] = {"sleep", "100", NULL};
    setitimer(ITIMER_REAL, &soon, NULL);
    execv("/bin/sleep", words);
}

int main(void) {
    setpriority(PRIO_PROCESS, 0, 0); /* whatever it was started with */
    in_child("program", becomes);
    int child = start(locks);
    while (access("locking", F_OK))
        doze(1);
    int fd = open("locked", O_RDWR);
    struct flock asked = {.l_type = F_WRLCK};
    gives(0, fcntl, fd, F_GETLK, &asked);
    is("a record lock stays", asked.l_type == F_WRLCK && asked.l_pid == child, 1);
    fails(EAGAIN, flock, fd, LOCK_EX | LOCK_NB);
    put("seen", "");
    ended("locks", child);
    gives(0, flock, fd, LOCK_EX | LOCK_NB);
    in_child("an alarm goes on", alarms);
    int ends[2];
    pipe2(ends, O_CLOEXEC);
    child = vfork();
    if (!child) {
        execl("/bin/true", "true", NULL);
        _exit(1);
    }
    close(ends[1]);
    char byte;
    gives(0, read, ends[0], &byte, 1);
    waitpid(child, NULL, 0);
}
