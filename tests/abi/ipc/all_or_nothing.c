/* semop: several operations at once succeed together or not at all; undoing at the end. */
#include "abi.h"

#include <sys/sem.h>

static int set;

static void undoes(void) {
    struct sembuf give = {2, 5, SEM_UNDO};
    gives(0, semop, set, &give, 1);
    gives(5, semctl, set, 2, GETVAL, 0);
}

static void waits(void) {
    struct sembuf take = {0, -1, 0};
    gives(0, semop, set, &take, 1);
}

int main(void) {
    set = works(semget, IPC_PRIVATE, 3, 0600);
    struct sembuf take[2] = {{0, -1, IPC_NOWAIT}, {1, -1, IPC_NOWAIT}}, give = {0, 1, 0};
    gives(0, semop, set, &give, 1);
    fails(EAGAIN, semop, set, take, 2);
    gives(1, semctl, set, 0, GETVAL, 0);
    give.sem_num = 1;
    gives(0, semop, set, &give, 1);
    gives(0, semop, set, take, 2);
    gives(0, semctl, set, 0, GETVAL, 0);
    struct sembuf zero = {2, 0, 0};
    gives(0, semop, set, &zero, 1);
    in_child("undoes", undoes);
    gives(0, semctl, set, 2, GETVAL, 0);
    int child = start(waits);
    until_asleep(child);
    gives(1, semctl, set, 0, GETNCNT, 0);
    give.sem_num = 0;
    gives(0, semop, set, &give, 1);
    ended("waits", child);
    fails(EFBIG, semop, set, (&(struct sembuf){9, 1, 0}), 1);
    fails(E2BIG, semop, set, take, 10000);
    gives(0, semctl, set, 0, IPC_RMID, 0);
}
