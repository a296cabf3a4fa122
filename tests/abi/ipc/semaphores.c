/* semget, semop, semtimedop: numbers that are changed together, or waited for. */
#include "abi.h"

#include <sys/sem.h>

static int id, key;
static struct sembuf many[501];

static void values(void) {
    unsigned short now[3] = {0};
    gives(0, semctl, id, 0, GETALL, (long)now);
    say("%d %d %d", now[0], now[1], now[2]);
}

static void waits(int what, int expected) {
    for (int i = 0; i < 500 && syscall(SYS_semctl, id, 0, what, 0) != expected; i++)
        doze(10);
    gives(expected, semctl, id, 0, what, 0);
}

static void takes(void) {
    gives(0, semop, id, (long)(struct sembuf[]){{0, -2}, {1, 1}}, 2);
}

static void waits_for_zero(void) {
    gives(0, semop, id, (long)(struct sembuf[]){{0, 0}, {2, 5}}, 2);
}

static void waits_in_vain(void) {
    handle(SIGALRM, SA_RESTART);
    alarm_in(100);
    fails(EINTR, semop, id, (long)(struct sembuf[]){{0, -9}}, 1);
    handle(SIGALRM, SA_RESTART);
    alarm_in(100);
    fails(EINTR, semtimedop, id, (long)(struct sembuf[]){{0, -9}}, 1,
          (long)(struct timespec[]){{9}});
}

static void waits_until_it_goes(void) {
    fails(EIDRM, semop, id, (long)(struct sembuf[]){{0, -9}}, 1);
}

static void waits_long_until_it_goes(void) {
    struct timespec long_time = {100};
    fails(EIDRM, semtimedop, id, (long)(struct sembuf[]){{0, -9}}, 1, (long)&long_time);
}

static void undoes(void) {
    gives(0, semop, id, (long)(struct sembuf[]){{0, 3, SEM_UNDO}, {1, -1, SEM_UNDO}}, 2);
    gives(0, semop, id, (long)(struct sembuf[]){{2, 7, SEM_UNDO}}, 1);
    values();
    gives(0, semctl, id, 2, SETVAL, 40);
    fails(ERANGE, semop, id, (long)(struct sembuf[]){{0, 32767, SEM_UNDO}}, 1);
}

static void undoes_to_zero(void) {
    gives(0, semop, id, (long)(struct sembuf[]){{0, 5, SEM_UNDO}}, 1);
    gives(0, semop, id, (long)(struct sembuf[]){{0, -4}}, 1);
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EACCES, semop, id, (long)(struct sembuf[]){{0, 1}}, 1);
    gives(0, semop, id, (long)(struct sembuf[]){{1, 0}}, 1);
    fails(EACCES, semtimedop, id, (long)(struct sembuf[]){{0, 1}}, 1, 0);
    fails(EACCES, semget, key, 0, 0200);
}

static void errors(void) {
    struct sembuf one = {0, -9, IPC_NOWAIT};
    struct timespec soon = {0, 20000000}, wrong = {0, -1};
    fails(EAGAIN, semop, id, (long)&one, 1);
    fails(EAGAIN, semtimedop, id, (long)&one, 1, 0);
    one.sem_flg = 0;
    fails(EAGAIN, semtimedop, id, (long)&one, 1, (long)&soon);
    fails(EINVAL, semtimedop, id, (long)&one, 1, (long)&wrong);
    fails(EFAULT, semtimedop, id, (long)&one, 1, (long)BAD);
    fails(EFAULT, semtimedop, id, (long)BAD, 1, (long)&soon);
    fails(EFAULT, semop, id, (long)BAD, 1);
    fails(EINVAL, semop, id, (long)&one, 0);
    fails(EINVAL, semop, -1, (long)&one, 1);
    fails(EINVAL, semop, id + 0x8000, (long)&one, 1);
    fails(EINVAL, semtimedop, -1, (long)&one, 1, (long)&soon);
    fails(E2BIG, semop, id, (long)many, 501);
    fails(E2BIG, semtimedop, id, (long)many, 501, (long)&soon);
    one.sem_num = 3;
    fails(EFBIG, semop, id, (long)&one, 1);
    fails(EFBIG, semtimedop, id, (long)&one, 1, (long)&soon);
    fails(ERANGE, semop, id, (long)(struct sembuf[]){{1, 1}, {0, 32767}, {0, 1}}, 3);
    fails(ERANGE, semtimedop, id, (long)(struct sembuf[]){{0, 32767}, {0, 1}}, 2, (long)&soon);
    for (int i = 0; i < 500; i++)
        many[i] = (struct sembuf){i % 3, i % 2 ? 1 : 0, IPC_NOWAIT};
    fails(EAGAIN, semop, id, (long)many, 500);
    values();
}

static void removal(void) {
    int first = start(waits_until_it_goes), second = start(waits_long_until_it_goes);
    waits(GETNCNT, 2);
    gives(0, semctl, id, 0, IPC_RMID, 0);
    ended("one who waits", first);
    ended("and another", second);
    fails(EINVAL, semop, id, (long)many, 1);
    fails(ENOENT, semget, key, 3, 0);
}

int main(void) {
    key = 0x4b360000 + getpid() % 65536;
    fails(ENOENT, semget, key, 3, 0);
    fails(EINVAL, semget, key, 0, IPC_CREAT | 0600);
    fails(EINVAL, semget, key, -1, IPC_CREAT | 0600);
    fails(EINVAL, semget, key, 32001, IPC_CREAT | 0600);
    id = works(semget, key, 3, IPC_CREAT | IPC_EXCL | 0604);
    is("the same", works(semget, key, 0, 0) == id, 1);
    fails(EINVAL, semget, key, 4, 0);
    fails(EEXIST, semget, key, 3, IPC_CREAT | IPC_EXCL);
    values();
    errors();
    int child = start(takes);
    waits(GETNCNT, 1);
    gives(0, semop, id, (long)(struct sembuf[]){{0, 1}}, 1);
    waits(GETNCNT, 1);
    gives(0, semop, id, (long)(struct sembuf[]){{0, 1}}, 1);
    ended("one who takes two", child);
    values();
    gives(0, semop, id, (long)(struct sembuf[]){{0, 1}}, 1);
    child = start(waits_for_zero);
    waits(GETZCNT, 1);
    gives(0, semtimedop, id, (long)(struct sembuf[]){{0, -1}}, 1, 0);
    ended("one who waits for nothing", child);
    values();
    in_child("one who waits in vain", waits_in_vain);
    waits(GETNCNT, 0);
    in_child("one who ends", undoes);
    values();
    in_child("one who cannot take back all", undoes_to_zero);
    values();
    gives(0, semctl, id, 1, SETVAL, 0);
    in_child("somebody", somebody);
    put("/proc/sys/kernel/sem", "32000\t0\t500\t32000\n");
    fails(ENOSPC, semget, IPC_PRIVATE, 3, 0600);
    put("/proc/sys/kernel/sem", "32000\t1024000000\n");
    say("%s", get("/proc/sys/kernel/sem"));
    removal();
}
