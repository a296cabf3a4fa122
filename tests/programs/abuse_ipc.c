/*
 * What abuse uses of System V and of POSIX: a segment that comes and goes, semaphores that are
 * changed and undone, messages.
 */
#include "abuse.h"

#include <mqueue.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static uint64_t *segment;
static int segment_id, set, queue;
static mqd_t named;

void open_ipc(void) {
    segment_id = shmget(IPC_PRIVATE, 8192, 0600);
    fail_if(segment_id < 0, "shmget");
    segment = shmat(segment_id, NULL, 0);
    fail_if(segment == (void *)-1 || shmctl(segment_id, IPC_RMID, NULL), "shmat");
    set = semget(IPC_PRIVATE, 2, 0600);
    queue = msgget(IPC_PRIVATE, 0600);
    fail_if(set < 0 || queue < 0, "semget, msgget");
    named = mq_open("/abuse", O_RDWR | O_CREAT, 0600, NULL);
    fail_if(named < 0 || mq_unlink("/abuse"), "mq_open");
}

void close_ipc(void) {
    fail_if(semctl(set, 0, IPC_RMID) || msgctl(queue, IPC_RMID, NULL), "IPC_RMID");
}

static void use_segment(uint64_t turn) {
    struct shmid_ds state;
    uint64_t *again = shmat(segment_id, NULL, 0);
    fail_if(again == (void *)-1, "shmat");
    again[turn % 1024] = turn;
    if (segment[turn % 1024] != turn)
        say("a word of a segment is lost");
    if (shmctl(segment_id, IPC_STAT, &state) || state.shm_nattch != 2)
        say("a segment is attached %d times", (int)state.shm_nattch);
    fail_if(shmdt(again), "shmdt");
}

/* A child takes what its parent gives it, and gives one back by ending. */
static void use_set(void) {
    struct sembuf give = {0, 1}, take[] = {{0, -1}, {1, 1, SEM_UNDO}}, undone = {1, 0};
    pid_t child = fork();
    if (!child)
        _exit(semop(set, take, 2) != 0);
    fail_if(child < 0 || semop(set, &give, 1), "semop");
    int status;
    fail_if(waitpid(child, &status, 0) != child, "waitpid");
    if (status || semop(set, &undone, 1) || semctl(set, 0, GETVAL) != 0)
        say("a semaphore is wrong: %d", status);
}

static void use_queue(uint64_t turn) {
    struct {
        long type;
        uint64_t word;
    } sent = {1 + turn % 7, turn}, got = {0};
    if (msgsnd(queue, &sent, 8, 0) || msgrcv(queue, &got, 8, sent.type, 0) != 8 || got.word != turn)
        say("a message is lost");
}

static void use_named(uint64_t turn) {
    char got[8192];
    uint64_t other = ~turn;
    unsigned priority;
    if (mq_send(named, (char *)&turn, 8, 1) || mq_send(named, (char *)&other, 8, 2) ||
        mq_receive(named, got, sizeof got, &priority) != 8 || memcmp(got, &other, 8) ||
        priority != 2 || mq_receive(named, got, sizeof got, &priority) != 8 ||
        memcmp(got, &turn, 8) || priority != 1)
        say("a message with a priority is lost");
}

void use_ipc(uint64_t turn) {
    use_segment(turn);
    use_named(turn);
    use_queue(turn);
    if (turn % 10 == 0)
        use_set();
}
