/*
 * Many processes at the same shared memory, semaphores and queues: what each leaves behind is
 * counted, and must come to the same on every kernel, whoever was first.
 */
#include "say.h"

#include <fcntl.h>
#include <mqueue.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

enum { CHILDREN = 6 };

static struct shared {
    long plain, ids[64], sum, count;
    int go;
} * shared;

static pid_t children[CHILDREN];

static void begin(void (*fn)(int number)) {
    for (int i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            fn(i);
            _exit(0);
        }
    }
}

static int finish(void) {
    int failed = 0, status;
    for (int i = 0; i < CHILDREN; i++)
        failed += waitpid(children[i], &status, 0) != children[i] || status;
    return failed;
}

static void check(int right, const char *what) {
    if (!right)
        say("wrong: %s (%s)", what, strerrorname_np(errno));
}

static int change(int set, int number, int by, int flags) {
    struct sembuf one = {number, by, flags};
    return semop(set, &one, 1);
}

/* ---- a semaphore is a lock ---- */

static int set;

static void counts(int number) {
    for (int i = 0; i < 300; i++) {
        check(!change(set, 0, -1, i % 2 ? SEM_UNDO : 0), "lock");
        long seen = shared->plain;
        if (i % 16 == 0)
            sched_yield();
        shared->plain = seen + 1;
        check(!change(set, 0, 1, i % 2 ? SEM_UNDO : 0), "unlock");
    }
}

/* Takes two of three at once, each another pair, so that who waits for one may wait for the next.
 */
static void takes_pairs(int number) {
    int first = number % 3, second = (number + 1) % 3;
    for (int i = 0; i < 100; i++) {
        struct sembuf take[] = {{first, -1, SEM_UNDO}, {second, -1, SEM_UNDO}},
                      give[] = {{second, 1, SEM_UNDO}, {first, 1, SEM_UNDO}};
        check(!semop(set, take, 2), "take two");
        __atomic_add_fetch(&shared->count, 1, __ATOMIC_RELAXED);
        check(!semop(set, give, 2), "give two");
    }
}

static void is_killed_with_it(int number) {
    for (;;) {
        change(set, 0, -1, SEM_UNDO);
        shared->plain++;
        change(set, 0, 1, SEM_UNDO);
    }
}

static void semaphores(void) {
    set = semget(IPC_PRIVATE, 3, 0600);
    for (int i = 0; i < 3; i++)
        semctl(set, i, SETVAL, 1);
    begin(counts);
    int failed = finish();
    say("counting: %d failed, %ld", failed, shared->plain);
    begin(takes_pairs);
    failed = finish();
    say("pairs: %d failed, %ld", failed, shared->count);
    shared->plain = 0;
    begin(is_killed_with_it);
    while (*(volatile long *)&shared->plain < 200)
        sched_yield();
    for (int i = 0; i < CHILDREN; i++)
        kill(children[i], SIGKILL);
    failed = finish();
    say("killed: %d, left %d %d %d", failed, semctl(set, 0, GETVAL), semctl(set, 1, GETVAL),
        semctl(set, 2, GETVAL));
    say("nobody waits: %d", semctl(set, 0, GETNCNT));
}

/* Threads undo together, when the last of them has ended. */
static void *adds(void *unused) {
    for (int i = 0; i < 50; i++)
        change(set, 1, 1, SEM_UNDO);
    return NULL;
}

static void has_threads(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, adds, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    say("with threads: %d", semctl(set, 1, GETVAL));
}

/* ---- removing what others wait for ---- */

static int queue;

static void waits_until_it_goes(int number) {
    int result = number % 2 ? change(set, 0, -9, SEM_UNDO) : change(set, 2, 0, 0);
    check(result < 0 && (errno == EIDRM || errno == EINVAL), "waiting for a set");
    struct {
        long type;
        char text[8];
    } message;
    ssize_t got = msgrcv(queue, &message, 8, number % 3 ? number : 0, 0);
    check(got < 0 && (errno == EIDRM || errno == EINVAL), "waiting for a queue");
}

static void removing(void) {
    int failed = 0;
    for (int round = 0; round < 20; round++) {
        set = semget(IPC_PRIVATE, 3, 0600);
        queue = msgget(IPC_PRIVATE, 0600);
        semctl(set, 2, SETVAL, 1);
        begin(waits_until_it_goes);
        for (int i = 0; i < round; i++)
            sched_yield();
        failed += semctl(set, 0, IPC_RMID) || msgctl(queue, IPC_RMID, NULL);
        failed += finish();
    }
    say("removing: %d failed", failed);
}

/* ---- one key, many makers ---- */

static key_t key;

static void makes(int number) {
    while (!__atomic_load_n(&shared->go, __ATOMIC_ACQUIRE))
        sched_yield();
    shared->ids[number] = semget(key, 2, IPC_CREAT | 0600);
    int own = msgget(key, IPC_CREAT | IPC_EXCL | 0600);
    if (own >= 0)
        __atomic_add_fetch(&shared->sum, 1, __ATOMIC_RELAXED);
    else
        check(errno == EEXIST, "making a queue");
}

static void one_key(void) {
    int different = 0, rounds = 20, failed = 0;
    shared->sum = 0;
    key = 0x4b400000 + getpid() % 65536;
    for (int round = 0; round < rounds; round++) {
        __atomic_store_n(&shared->go, 0, __ATOMIC_RELEASE);
        begin(makes);
        __atomic_store_n(&shared->go, 1, __ATOMIC_RELEASE);
        failed += finish();
        for (int i = 1; i < CHILDREN; i++)
            different += shared->ids[i] != shared->ids[0] || shared->ids[i] < 0;
        failed += semctl((int)shared->ids[0], 0, IPC_RMID) != 0;
        failed += msgctl(msgget(key, 0), IPC_RMID, NULL) != 0;
    }
    say("one key: %d failed, %d different, %ld made", failed, different, shared->sum);
}

/* ---- segments that go while they are attached ---- */

static int segment;

static void attaches(int number) {
    /* While anybody has it attached, others may attach it, also when it is to end. */
    while (!__atomic_load_n(&shared->go, __ATOMIC_ACQUIRE)) {
        long *at = shmat(segment, NULL, number % 2 ? SHM_RDONLY : 0);
        if (at == (void *)-1) {
            check(errno == EINVAL || errno == EIDRM, "attaching");
            return;
        }
        check(at[0] == 42, "bytes");
        if (number % 3 == 0 && fork() == 0)
            _exit(0);
        check(!shmdt(at), "detaching");
        while (number % 3 == 0 && waitpid(-1, NULL, 0) > 0)
            continue;
    }
}

static void segments(void) {
    int failed = 0, left = 0;
    for (int round = 0; round < 10; round++) {
        struct shmid_ds state;
        segment = shmget(IPC_PRIVATE, 10000, 0600);
        long *at = shmat(segment, NULL, 0);
        at[0] = 42;
        __atomic_store_n(&shared->go, 0, __ATOMIC_RELEASE);
        begin(attaches);
        usleep(10000);
        failed += shmctl(segment, IPC_RMID, NULL) != 0;
        failed += shmdt(at) != 0;
        usleep(1000);
        __atomic_store_n(&shared->go, 1, __ATOMIC_RELEASE);
        failed += finish();
        left += shmctl(segment, IPC_STAT, &state) == 0;
    }
    say("segments: %d failed, %d left", failed, left);
}

/* ---- messages ---- */

struct number {
    long type;
    long value;
};

enum { EACH = 200 };

/* Half send to the others, by type, who answer by types of their own. */
static void passes(int number) {
    struct number message;
    for (long i = 0; i < EACH; i++) {
        if (number % 2) {
            message = (struct number){number, i};
            check(!msgsnd(queue, &message, sizeof(long), 0), "asking");
            check(msgrcv(queue, &message, sizeof(long), 100 + number, 0) == sizeof(long),
                  "answered");
            check(message.value == i + 1, "the answer");
        } else {
            check(msgrcv(queue, &message, sizeof(long), number + 1, 0) == sizeof(long), "asked");
            message = (struct number){100 + number + 1, message.value + 1};
            check(!msgsnd(queue, &message, sizeof(long), 0), "answering");
        }
    }
}

static void fills(int number) {
    static struct {
        long type;
        char text[3000];
    } message;
    for (int i = 0; i < EACH; i++) {
        message.type = 1 + i % 3;
        size_t size = (size_t)(i * 37 % 3000);
        if (number % 2)
            check(!msgsnd(queue, &message, size, 0), "filling");
        else
            check(msgrcv(queue, &message, 3000, number ? 0 : -9, 0) >= 0, "emptying");
    }
}

static void messages(void) {
    struct msqid_ds state;
    queue = msgget(IPC_PRIVATE, 0600);
    begin(passes);
    say("passing: %d failed", finish());
    begin(fills);
    int failed = finish();
    msgctl(queue, IPC_STAT, &state);
    say("filling: %d failed, %lu left of %lu bytes", failed, state.msg_qnum, state.__msg_cbytes);
    msgctl(queue, IPC_RMID, NULL);
}

static mqd_t named;

static void passes_named(int number) {
    long value;
    unsigned priority;
    for (long i = 0; i < EACH; i++) {
        if (number % 2) {
            value = number * 1000 + i;
            check(!mq_send(named, (char *)&value, sizeof value, (unsigned)(i % 5)), "mq_send");
        } else {
            check(mq_receive(named, (char *)&value, sizeof value, &priority) == sizeof value &&
                      priority == value % 1000 % 5,
                  "mq_receive");
            __atomic_add_fetch(&shared->sum, value, __ATOMIC_RELAXED);
        }
    }
}

static void named_messages(void) {
    struct mq_attr few = {.mq_maxmsg = 4, .mq_msgsize = sizeof(long)};
    char name[32];
    sprintf(name, "/k42-ipc-%d", getpid());
    named = mq_open(name, O_RDWR | O_CREAT, 0600, &few);
    check(named >= 0, "mq_open");
    shared->sum = 0;
    begin(passes_named);
    int failed = finish();
    mq_getattr(named, &few);
    say("by priority: %d failed, sum %ld, %ld left", failed, shared->sum, few.mq_curmsgs);
    mq_unlink(name);
    mq_close(named);
}

int main(void) {
    int id = shmget(IPC_PRIVATE, sizeof *shared, 0600);
    shared = shmat(id, NULL, 0);
    shmctl(id, IPC_RMID, NULL);
    check(shared != (void *)-1, "shmat");
    semaphores();
    in_child("threads", has_threads);
    say("after threads: %d", semctl(set, 1, GETVAL));
    semctl(set, 0, IPC_RMID);
    removing();
    one_key();
    segments();
    messages();
    named_messages();
}
