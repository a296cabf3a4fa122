/* Objects of System V: found by key, private ones not; removed while used; rights by mode. */
#include "abi.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

static int key, segment;

static void somebody(void) {
    be(SOMEBODY);
    fails(EACCES, shmget, key, 4096, 0600);
    works(shmget, key, 4096, 0);
    fails(EACCES, shmat, segment, NULL, 0);
    fails(EPERM, shmctl, segment, IPC_RMID, NULL);
}

int main(void) {
    key = 0x5000000 + getpid();
    segment = works(shmget, key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    is("found", abi_call(shmget, key, 4096, 0600) == segment, 1);
    fails(EEXIST, shmget, key, 4096, IPC_CREAT | IPC_EXCL | 0600);
    fails(EINVAL, shmget, key, 8192, 0600);
    in_child("somebody", somebody);
    char *at = (char *)works(shmat, segment, NULL, 0);
    strcpy(at, "kept");
    gives(0, shmctl, segment, IPC_RMID, NULL);
    fails(ENOENT, shmget, key, 4096, 0600);
    is("still there", strcmp(at, "kept"), 0);
    gives(0, shmdt, at);
    fails(EINVAL, shmat, segment, NULL, 0);
    int one = works(semget, IPC_PRIVATE, 1, 0600), two = works(semget, IPC_PRIVATE, 1, 0600);
    is("two", one != two, 1);
    gives(0, semctl, one, 0, IPC_RMID, 0);
    gives(0, semctl, two, 0, IPC_RMID, 0);
    int queue = works(msgget, key, IPC_CREAT | 0600);
    is("found", abi_call(msgget, key, 0600) == queue, 1);
    gives(0, msgctl, queue, IPC_RMID, NULL);
    fails(EINVAL, msgctl, queue, IPC_RMID, NULL);
}
