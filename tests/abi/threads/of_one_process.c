/* What threads share and what each has: ids, credentials, folders, limits, names, masks. */
#include "abi.h"

#include <linux/capability.h>
#include <pthread.h>
#include <sys/prctl.h>

static int first, stage;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;

static void until(int wanted) {
    pthread_mutex_lock(&lock);
    while (stage < wanted)
        pthread_cond_wait(&moved, &lock);
    pthread_mutex_unlock(&lock);
}

static void next(void) {
    pthread_mutex_lock(&lock);
    stage++;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static void *other(void *) {
    char name[16], here[PATH_MAX];
    uint64_t mask = 0;
    is("one process", getpid() == first, 1);
    is("another number", gettid() != first, 1);
    is("one parent", getppid() == getppid(), 1);
    is("one group", getpgrp() == getpgid(first), 1);
    prctl(PR_GET_NAME, name);
    say("named %s", name);
    prctl(PR_SET_NAME, "second");
    abi_call(rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    say("mask %lx", mask);
    mask = 2;
    abi_call(rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
    /* These calls, made raw, change one thread. */
    gives(0, setresgid, 5, 5, 5);
    gives(0, setresuid, 1000, 1000, 1000);
    gives(0, chdir, "folder");
    gives(022, umask, 077);
    struct rlimit files = {100, 100};
    gives(0, setrlimit, RLIMIT_NOFILE, &files);
    gives(0, prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gives(0, setpriority, PRIO_PROCESS, 0, 5);
    abi_call(close, 50);
    next();
    until(2);
    return NULL;
}

static void *unshares(void *) {
    gives(0, unshare, CLONE_FS | CLONE_FILES);
    chdir("..");
    close(51);
    next();
    return NULL;
}

int main(void) {
    char name[16], here[PATH_MAX];
    uint64_t mask = 1;
    pthread_t thread;
    struct rlimit files;
    first = getpid();
    setpriority(PRIO_PROCESS, 0, 0); /* whatever it was started with */
    mkdir("folder", 0755);
    dup2(0, 50);
    dup2(0, 51);
    prctl(PR_SET_NAME, "first");
    abi_call(rt_sigprocmask, SIG_SETMASK, &mask, NULL, 8);
    pthread_create(&thread, NULL, other, NULL);
    until(1);
    prctl(PR_GET_NAME, name);
    say("named %s", name);
    abi_call(rt_sigprocmask, SIG_BLOCK, NULL, &mask, 8);
    say("mask %lx", mask);
    say("user %ld, group %ld", abi_call(geteuid), abi_call(getegid));
    getcwd(here, sizeof here);
    say("folder %s", strrchr(here, '/'));
    gives(077, umask, 022);
    getrlimit(RLIMIT_NOFILE, &files);
    say("files %ld", (long)files.rlim_cur);
    gives(0, prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    gives(20, getpriority, PRIO_PROCESS, 0);
    fails(EBADF, fcntl, 50, F_GETFD);
    next();
    pthread_join(thread, NULL);
    stage = 0;
    pthread_create(&thread, NULL, unshares, NULL);
    until(1);
    pthread_join(thread, NULL);
    getcwd(here, sizeof here);
    say("folder %s", strrchr(here, '/'));
    gives(0, fcntl, 51, F_GETFD);
    fails(EINVAL, unshare, CLONE_THREAD | 1);
}
