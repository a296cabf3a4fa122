/* A filter that all threads of a process get at once. */
#include "abi.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>

#define TSYNC     SECCOMP_FILTER_FLAG_TSYNC
#define ESRCH_TOO (TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

/* One that refuses a call. */
static struct sock_fprog *refuses(int number) {
    static struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    static struct sock_fprog all = {4, program};
    program[1].k = (unsigned)number;
    return &all;
}

static pthread_barrier_t begun, done;
static int refused, filtered, without_privileges;
static volatile int its_tid, others_refused;

static void look(void) {
    bool is = abi_call(getppid) == -1 && errno == ENOTTY;
    __atomic_fetch_add(&refused, is, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&others_refused, abi_call(getgid) == -1, __ATOMIC_SEQ_CST);
    is = prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == SECCOMP_MODE_FILTER;
    __atomic_fetch_add(&filtered, is, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&without_privileges, prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0),
                       __ATOMIC_SEQ_CST);
}

static void *looks(void *) {
    pthread_barrier_wait(&begun);
    pthread_barrier_wait(&done);
    look();
    return NULL;
}

static void *has_its_own(void *) {
    abi_call(seccomp, SECCOMP_SET_MODE_FILTER, 0, refuses(SYS_getuid));
    its_tid = (int)abi_call(gettid);
    return looks(NULL);
}

/* Begins threads, and waits until all are there; ends_all() has them look, and waits for them. */
static pthread_t threads[3];

static void begin(unsigned count, void *(*fn)(void *)) {
    pthread_barrier_init(&begun, NULL, count + 1);
    pthread_barrier_init(&done, NULL, count + 1);
    for (unsigned i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, fn, NULL);
    pthread_barrier_wait(&begun);
}

static void end(unsigned count) {
    pthread_barrier_wait(&done);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    say("%d refused, %d others, %d filtered, %d without new privileges", refused, others_refused,
        filtered, without_privileges);
}

static void all_get_it(void) {
    begin(3, looks);
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, TSYNC, refuses(SYS_getppid));
    end(3);
}

static void with_privileges(void) {
    begin(3, looks);
    be(SOMEBODY);
    fails(EACCES, seccomp, SECCOMP_SET_MODE_FILTER, TSYNC, refuses(SYS_getppid));
    gives(0, prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, TSYNC, refuses(SYS_getppid));
    end(3);
}

/* Who has some of the caller's gets the others as well. */
static void older_ones(void) {
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, 0, refuses(SYS_getegid));
    begin(2, looks);
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, 0, refuses(SYS_getgid));
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, TSYNC, refuses(SYS_getppid));
    end(2);
}

/* Who has others keeps them, and nobody gets anything. */
static void other_ones(void) {
    begin(1, has_its_own);
    long result = abi_call(seccomp, SECCOMP_SET_MODE_FILTER, TSYNC, refuses(SYS_getppid));
    is("it says which thread", result == its_tid, 1);
    fails(ESRCH, seccomp, SECCOMP_SET_MODE_FILTER, ESRCH_TOO, refuses(SYS_getppid));
    is("its own mode", prctl(PR_GET_SECCOMP, 0, 0, 0, 0), SECCOMP_MODE_DISABLED);
    end(1);
}

static volatile int is_set, stops, missed, made;

static void *asks(void *) {
    bool must = is_set;
    if (abi_call(getppid) != -1 && must)
        missed++;
    return NULL;
}

static void *makes(void *) {
    while (!stops) {
        pthread_t thread;
        pthread_create(&thread, NULL, asks, NULL);
        pthread_join(thread, NULL);
        made++;
    }
    return NULL;
}

/* However many begin meanwhile. */
static void those_that_begin(void) {
    for (unsigned i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, makes, NULL);
    while (made < 5)
        sched_yield();
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, TSYNC, refuses(SYS_getppid));
    is_set = 1;
    for (int enough = made + 10; made < enough;)
        sched_yield();
    stops = 1;
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    is("missed", missed, 0);
}

int main(void) {
    in_child("all get it", all_get_it);
    in_child("with privileges", with_privileges);
    in_child("older ones", older_ones);
    in_child("other ones", other_ones);
    in_child("those that begin", those_that_begin);
}
