/* shmctl and rights: who may see, change and remove segments; limits; /proc/sysvipc/shm. */
#include "abi.h"

#include <sys/shm.h>

static struct shmid_ds state;
static int id, key;

/* The line of a segment, without what differs from run to run. */
static void line_of(int segment) {
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    char line[512];
    fgets(line, sizeof line, file);
    say("%s", strtok(line, "\n"));
    while (fgets(line, sizeof line, file)) {
        int a, b, mode, size, creator, last, count, uid, gid, cuid, cgid;
        sscanf(line, "%d %d %o %d %d %d %d %d %d %d %d", &a, &b, &mode, &size, &creator, &last,
               &count, &uid, &gid, &cuid, &cgid);
        if (b == segment)
            say("%d: mode %o size %d attached %d of %d %d %d %d", a == key, mode, size, count, uid,
                gid, cuid, cgid);
    }
    fclose(file);
}

static void somebody(void) {
    be(SOMEBODY);
    works(shmget, key, 0, 0400);
    works(shmget, key, 0, 0004);
    fails(EACCES, shmget, key, 0, 0600);
    fails(EACCES, shmat, id, 0, 0);
    fails(EACCES, shmat, id, 0, SHM_RDONLY | SHM_EXEC);
    char *at = (char *)works(shmat, id, 0, SHM_RDONLY);
    gives(0, shmctl, id, IPC_STAT, (long)&state);
    fails(EPERM, shmctl, id, IPC_SET, (long)&state);
    fails(EPERM, shmctl, id, IPC_RMID, 0);
    fails(EPERM, shmctl, id, SHM_LOCK, 0);
    fails(EPERM, shmctl, id, SHM_UNLOCK, 0);
}

static void owner(void) {
    be(SOMEBODY);
    fails(EACCES, shmctl, id, IPC_STAT, (long)&state);
    fails(EACCES, shmget, key, 0, 0400);
    gives(0, shmctl, id, SHM_LOCK, 0);
    gives(0, shmctl, id, SHM_UNLOCK, 0);
    state.shm_perm.mode = 0777;
    gives(0, shmctl, id, IPC_SET, (long)&state);
    gives(0, shmctl, id, IPC_STAT, (long)&state);
    say("%o %d %d", state.shm_perm.mode, state.shm_perm.uid, state.shm_perm.cuid);
}

static void limits(void) {
    struct shminfo limits;
    struct shm_info all;
    works(shmctl, 0, IPC_INFO, (long)&limits);
    say("%lx %lu %lu %lu %lx", limits.shmmax, limits.shmmin, limits.shmmni, limits.shmseg,
        limits.shmall);
    int highest = works(shmctl, 0, SHM_INFO, (long)&all);
    is("some", all.used_ids > 0 && all.shm_tot > 0, 1);
    for (int at = 0; at <= highest; at++) {
        /* There may be others. */
        if (syscall(SYS_shmctl, at, SHM_STAT_ANY, &state) == id) {
            is("its number", works(shmctl, at, SHM_STAT_ANY, (long)&state) == id, 1);
            is("its number", works(shmctl, at, SHM_STAT, (long)&state) == id, 1);
            is("size", state.shm_segsz, 100);
            fails(EFAULT, shmctl, at, SHM_STAT, (long)BAD);
        }
    }
    fails(EINVAL, shmctl, 40000, SHM_STAT, (long)&state);
    say("%s", get("/proc/sys/kernel/shmmax"));
    say("%s", get("/proc/sys/kernel/shmall"));
    say("%s", get("/proc/sys/kernel/shmmni"));
    put("/proc/sys/kernel/shmmax", "4096\n");
    fails(EINVAL, shmget, IPC_PRIVATE, 4097, 0600);
    put("/proc/sys/kernel/shmmax", "18446744073692774399");
    put("/proc/sys/kernel/shmall", "1");
    fails(ENOSPC, shmget, IPC_PRIVATE, 4097, 0600);
    put("/proc/sys/kernel/shmall", "18446744073692774399");
    put("/proc/sys/kernel/shmmni", "0");
    fails(ENOSPC, shmget, IPC_PRIVATE, 4096, 0600);
    put("/proc/sys/kernel/shmmni", "4096");
}

int main(void) {
    key = 0x4b350000 + getpid() % 65536;
    id = works(shmget, key, 100, IPC_CREAT | 0604);
    line_of(id);
    in_child("somebody", somebody);
    gives(0, shmctl, id, SHM_LOCK, 0);
    gives(0, shmctl, id, IPC_STAT, (long)&state);
    say("%o", state.shm_perm.mode);
    line_of(id);
    gives(0, shmctl, id, SHM_UNLOCK, 0);
    state.shm_perm.uid = SOMEBODY;
    state.shm_perm.gid = 77;
    state.shm_perm.mode = 0070;
    gives(0, shmctl, id, IPC_SET, (long)&state);
    line_of(id);
    in_child("its owner", owner);
    line_of(id);
    state.shm_perm.uid = -1;
    fails(EINVAL, shmctl, id, IPC_SET, (long)&state);
    fails(EFAULT, shmctl, id, IPC_SET, (long)BAD);
    fails(EFAULT, shmctl, id, IPC_STAT, (long)BAD);
    fails(EFAULT, shmctl, id, IPC_INFO, (long)BAD);
    fails(EINVAL, shmctl, id, 77, 0);
    fails(EINVAL, shmctl, -1, IPC_STAT, (long)&state);
    fails(EINVAL, shmctl, id + 0x8000, IPC_STAT, (long)&state);
    limits();
    gives(0, shmctl, id, IPC_RMID, 0);
}
