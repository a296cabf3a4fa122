/* semop: whom a change lets go on has gone on, whatever becomes of the set right afterwards. */
#include "abi.h"

#include <sys/ipc.h>
#include <sys/sem.h>

#define WAITERS 6

static int set;

static void change(int number, int by) {
    struct sembuf one = {.sem_num = (unsigned short)number, .sem_op = (short)by};
    if (semop(set, &one, 1))
        give_up("semop");
}

static void for_zero(void) {
    struct sembuf one = {.sem_num = 0};
    gives(0, semop, set, &one, 1);
}

static void for_more(void) {
    struct sembuf one = {.sem_num = 1, .sem_op = -1};
    gives(0, semop, set, &one, 1);
}

/* The first lets the second go on, which lets the third. */
static void hands_on(void) {
    struct sembuf two[] = {{.sem_num = 1, .sem_op = -1}, {.sem_num = 2, .sem_op = 1}};
    gives(0, semop, set, two, 2);
}

static void is_handed(void) {
    struct sembuf one = {.sem_num = 2, .sem_op = -1};
    gives(0, semop, set, &one, 1);
}

/* It needs two semaphores, of which the other is in the way after the first. */
static void needs_both(void) {
    struct sembuf two[] = {{.sem_num = 1, .sem_op = -1}, {.sem_num = 2, .sem_op = -1}};
    gives(0, semop, set, two, 2);
}

static void waits_in_vain(void) {
    struct sembuf one = {.sem_num = 2, .sem_op = -1};
    fails(EIDRM, semop, set, &one, 1);
}

static int begin(void (*fn)(void)) {
    int child = start(fn);
    until_asleep(child);
    return child;
}

static void make(void) {
    set = semget(IPC_PRIVATE, 3, 0600);
    change(0, 1);
}

int main(void) {
    int children[WAITERS];
    make();
    for (int i = 0; i < WAITERS; i++)
        children[i] = begin(i % 2 ? for_more : for_zero);
    is("wait for zero", semctl(set, 0, GETZCNT), WAITERS / 2);
    is("wait for more", semctl(set, 1, GETNCNT), WAITERS / 2);
    change(0, -1);
    change(1, WAITERS / 2);
    is("taken", semctl(set, 1, GETVAL), 0);
    semctl(set, 0, IPC_RMID);
    for (int i = 0; i < WAITERS; i++)
        ended("waiter", children[i]);

    make();
    children[0] = begin(is_handed);
    children[1] = begin(hands_on);
    change(1, 1);
    semctl(set, 0, IPC_RMID);
    ended("handed", children[0]);
    ended("hands on", children[1]);

    make();
    children[0] = begin(needs_both);
    is("for the first", semctl(set, 1, GETNCNT), 1);
    change(1, 1);
    is("not for the first", semctl(set, 1, GETNCNT), 0);
    is("for the second", semctl(set, 2, GETNCNT), 1);
    change(2, 1);
    is("the first", semctl(set, 1, GETVAL), 0);
    ended("both", children[0]);
    children[0] = begin(waits_in_vain);
    semctl(set, 0, IPC_RMID);
    ended("in vain", children[0]);
    return 0;
}
