/* Those who ask a listener, those who answer, signals in between, and its end. */
#include "../seccomp/asked.h"

#include <pthread.h>
#include <sys/ioctl.h>

enum { ASKING = 3, ANSWERING = 2, ENOUGH = 150, HIGH = 50 };
#define BASE (1L << 40) /* no number of a process */

static volatile int listener = -1, answers, wrong, tids[ASKING];

/* The first has the filter, and the others begin with it. */
static void *asks(void *which) {
    long own = (long)which;
    pthread_t other;
    if (!own)
        listener = (int)abi_call(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                                 &filter);
    if (own + 1 < ASKING)
        pthread_create(&other, NULL, asks, (void *)(own + 1));
    tids[own] = (int)abi_call(gettid);
    for (;;) {
        long result = abi_call(getpgid, own);
        if (result >= BASE && result != BASE + own)
            __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
        else if (result > 2 && result < HIGH)
            close((int)result);
    }
    return NULL;
}

static void answer(const struct seccomp_notif *told, unsigned turn) {
    struct seccomp_notif_resp value = {.id = told->id, .val = BASE + (long)told->data.args[0]};
    struct seccomp_notif_addfd add = {.id = told->id, .srcfd = 0};
    if (turn % 4 == 1) { /* this is the answer */
        add.flags = SECCOMP_ADDFD_FLAG_SEND;
    } else if (turn % 4 == 2) { /* in one of a few places, besides the answer */
        add.flags = SECCOMP_ADDFD_FLAG_SETFD;
        add.newfd = HIGH + turn % 3;
    }
    if (turn % 4 == 3)
        value =
            (struct seccomp_notif_resp){.id = told->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    if (add.flags)
        ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &value);
}

static void *answering(void *) {
    for (unsigned turn = 0;; turn++) {
        struct seccomp_notif told = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &told) < 0)
            continue;
        answer(&told, turn);
        __atomic_fetch_add(&answers, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

/* All others go with the process, wherever they are. */
static void race(void) {
    pthread_t asking, others[ANSWERING];
    handle(SIGUSR1, SA_RESTART);
    pthread_create(&asking, NULL, asks, NULL);
    while (listener < 0)
        sched_yield();
    for (int i = 0; i < ANSWERING; i++)
        pthread_create(&others[i], NULL, answering, NULL);
    for (int turn = 0; answers < ENOUGH; turn++) {
        if (tids[turn % ASKING])
            abi_call(tgkill, getpid(), tids[turn % ASKING], SIGUSR1);
        doze(1);
    }
    is("wrong answers", wrong, 0);
}

static void ends_in_between(void) {
    pthread_t asking, others[ANSWERING];
    pthread_create(&asking, NULL, asks, NULL);
    while (listener < 0)
        sched_yield();
    for (int i = 0; i < ANSWERING; i++)
        pthread_create(&others[i], NULL, answering, NULL);
    while (answers < ENOUGH / 10)
        sched_yield();
}

int main(void) {
    in_child("race", race);
    for (int i = 0; i < 3; i++)
        in_child("ends in between", ends_in_between);
    return 0;
}
