/* semctl: what is told and what may be set; rights; /proc/sysvipc/sem. */
#include "abi.h"

#include <sys/sem.h>

static int id, key;
static struct semid_ds state;

/* The line of a set, without what differs from run to run. */
static void line_of(int set) {
    FILE *file = fopen("/proc/sysvipc/sem", "r");
    char line[512];
    fgets(line, sizeof line, file);
    say("%s", strtok(line, "\n"));
    while (fgets(line, sizeof line, file)) {
        int a, b, mode, count, uid, gid, cuid, cgid;
        long changed;
        sscanf(line, "%d %d %o %d %d %d %d %d %ld", &a, &b, &mode, &count, &uid, &gid, &cuid, &cgid,
               &changed);
        if (b == set)
            say("%d: mode %o count %d of %d %d %d %d changed %d, length %d", a == key, mode, count,
                uid, gid, cuid, cgid, changed != 0, (int)strlen(line));
    }
    fclose(file);
}

static void somebody(void) {
    unsigned short values[2] = {1, 2};
    be(SOMEBODY);
    gives(7, semctl, id, 0, GETVAL, 0);
    gives(0, semctl, id, 0, GETALL, (long)values);
    gives(0, semctl, id, 0, IPC_STAT, (long)&state);
    fails(EACCES, semctl, id, 0, SETVAL, 1);
    fails(EACCES, semctl, id, 0, SETALL, (long)values);
    fails(EPERM, semctl, id, 0, IPC_SET, (long)&state);
    fails(EPERM, semctl, id, 0, IPC_RMID, 0);
    struct sembuf one = {0, 1};
    fails(EACCES, semop, id, (long)&one, 1);
}

static void owner(void) {
    be(SOMEBODY);
    fails(EACCES, semctl, id, 0, GETVAL, 0);
    fails(EACCES, semctl, id, 0, IPC_STAT, (long)&state);
    state.sem_perm.mode = 0606;
    gives(0, semctl, id, 0, IPC_SET, (long)&state);
    gives(0, semctl, id, 0, SETVAL, 1);
}

static void limits(void) {
    struct seminfo limits;
    works(semctl, 0, 0, IPC_INFO, (long)&limits);
    say("%d %d %d %d %d %d %d %d %d %d", limits.semmap, limits.semmni, limits.semmns, limits.semmnu,
        limits.semmsl, limits.semopm, limits.semume, limits.semusz, limits.semvmx, limits.semaem);
    int highest = works(semctl, 0, 0, SEM_INFO, (long)&limits);
    is("some", limits.semusz > 0 && limits.semaem > 1, 1);
    for (int at = 0; at <= highest; at++) {
        /* There may be others. */
        if (syscall(SYS_semctl, at, 0, SEM_STAT_ANY, &state) == id) {
            is("its number", works(semctl, at, 0, SEM_STAT_ANY, (long)&state) == id, 1);
            is("its number", works(semctl, at, 0, SEM_STAT, (long)&state) == id, 1);
            is("semaphores", state.sem_nsems, 2);
        }
    }
    fails(EINVAL, semctl, 40000, 0, SEM_STAT, (long)&state);
    fails(EFAULT, semctl, 0, 0, IPC_INFO, (long)BAD);
}

static void errors(void) {
    unsigned short values[2] = {1, 32768};
    fails(ERANGE, semctl, id, 0, SETVAL, 32768);
    fails(ERANGE, semctl, id, 0, SETVAL, -1);
    fails(ERANGE, semctl, id, 0, SETALL, (long)values);
    fails(EINVAL, semctl, id, 2, SETVAL, 0);
    fails(EINVAL, semctl, id, -1, GETVAL, 0);
    fails(EINVAL, semctl, id, 2, GETPID, 0);
    fails(EINVAL, semctl, id, 0, 77, 0);
    fails(EINVAL, semctl, -1, 0, GETVAL, 0);
    fails(EINVAL, semctl, id + 0x8000, 0, GETVAL, 0);
    fails(EFAULT, semctl, id, 0, GETALL, (long)BAD);
    fails(EFAULT, semctl, id, 0, SETALL, (long)BAD);
    fails(EFAULT, semctl, id, 0, IPC_STAT, (long)BAD);
    fails(EFAULT, semctl, id, 0, IPC_SET, (long)BAD);
}

int main(void) {
    unsigned short values[2] = {7, 32767};
    key = 0x4b370000 + getpid() % 65536;
    id = works(semget, key, 2, IPC_CREAT | 0604);
    line_of(id);
    gives(0, semctl, id, 0, IPC_STAT, (long)&state);
    is("never changed", state.sem_otime, 0);
    is("made now", time(NULL) - state.sem_ctime < 3, 1);
    gives(0, semctl, id, 1, GETPID, 0);
    gives(0, semctl, id, 0, SETALL, (long)values);
    gives(32767, semctl, id, 1, GETVAL, 0);
    is("set by", works(semctl, id, 1, GETPID, 0) == getpid(), 1);
    gives(0, semctl, id, 1, GETNCNT, 0);
    gives(0, semctl, id, 1, GETZCNT, 0);
    struct sembuf one = {1, -1};
    gives(0, semop, id, (long)&one, 1);
    gives(0, semctl, id, 0, IPC_STAT, (long)&state);
    is("changed now", time(NULL) - state.sem_otime < 3, 1);
    errors();
    in_child("somebody", somebody);
    state.sem_perm.uid = SOMEBODY;
    state.sem_perm.gid = 77;
    state.sem_perm.mode = 0070;
    gives(0, semctl, id, 0, IPC_SET, (long)&state);
    line_of(id);
    in_child("its owner", owner);
    line_of(id);
    state.sem_perm.gid = -1;
    fails(EINVAL, semctl, id, 0, IPC_SET, (long)&state);
    limits();
    gives(0, semctl, id, 0, IPC_RMID, 0);
    fails(EINVAL, semctl, id, 0, IPC_RMID, 0);
    fails(EINVAL, semctl, id, 0, GETVAL, 0);
}
