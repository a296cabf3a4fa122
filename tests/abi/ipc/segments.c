/* shmget, shmat, shmdt, shmctl: what they do, and how long segments last. */
#include "abi.h"

#include <sys/shm.h>

static struct shmid_ds state;
static int id;
static char *at;

static int attached(void) {
    gives(0, shmctl, id, IPC_STAT, (long)&state);
    return (int)state.shm_nattch;
}

static void writes_and_detaches(void) {
    at[0] = 'c';
    is("attached twice", attached(), 2);
    gives(0, shmdt, (long)at);
    is("once again", attached(), 1);
    fails(EINVAL, shmdt, (long)at);
}

static void just_ends(void) {
}

static void runs_another(void) {
    execl("/bin/true", "true", NULL);
}

static void lifetimes(void) {
    at = (char *)works(shmat, id, 0, 0);
    is("zero", at[4999], 0);
    at[0] = 'p';
    is("attached", attached(), 1);
    is("by whom", state.shm_lpid == getpid(), 1);
    is("made by", state.shm_cpid == getpid(), 1);
    is("never detached", state.shm_dtime, 0);
    in_child("a child", writes_and_detaches);
    is("written", at[0], 'c');
    in_child("which ends", just_ends);
    is("after an end", attached(), 1);
    is("of the last", state.shm_lpid != getpid(), 1);
    in_child("which runs another program", runs_another);
    is("after another program", attached(), 1);
    char *again = (char *)works(shmat, id, 0, SHM_RDONLY);
    is("the same bytes", again[0], 'c');
    is("twice", attached(), 2);
    fails(EACCES, mprotect, (long)again, 4096, PROT_READ | PROT_WRITE);
    gives(0, shmdt, (long)again);
    gives(0, shmctl, id, IPC_RMID, 0);
    is("to end", attached(), 1);
    is("mode", state.shm_perm.mode, 01640);
    is("key", state.shm_perm.__key, 0);
    again = (char *)works(shmat, id, 0, 0);
    gives(0, shmdt, (long)again);
    gives(0, shmdt, (long)at);
    fails(EINVAL, shmctl, id, IPC_STAT, (long)&state);
    fails(EINVAL, shmat, id, 0, 0);
}

/* What a mapping of it is called. */
static void name(void) {
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[256], *found;
    while (fgets(line, sizeof line, maps))
        if ((found = strstr(line, "/SYSV")))
            say("%s", found);
    fclose(maps);
}

static void places(void) {
    id = works(shmget, IPC_PRIVATE, 3 * 4096, 0600);
    char *room = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(EINVAL, shmat, id, (long)room, 0);
    fails(EINVAL, shmat, id, (long)room + 1, 0);
    fails(EINVAL, shmat, id, 0, SHM_REMAP);
    fails(EINVAL, shmat, id, 100, SHM_RND | SHM_REMAP);
    is("there", works(shmat, id, (long)room, SHM_REMAP) == (long)room, 1);
    char *second = (char *)works(shmat, id, (long)room + 4097, SHM_REMAP | SHM_RND);
    is("a page on", second == room + 4096, 1);
    is("both", attached(), 2);
    room[4096] = 7;
    is("the first page", room[4096], 7);
    room[0] = 9;
    is("the same", room[4096], 9);
    gives(0, shmdt, (long)room + 4096);
    is("a piece", attached(), 1);
    gives(0, shmdt, (long)room);
    is("none", attached(), 0);
    room = (char *)works(shmat, id, 0, SHM_EXEC);
    name();
    gives(0, mprotect, (long)room + 4096, 4096, PROT_READ);
    is("three parts", attached(), 3);
    gives(0, munmap, (long)room + 4096, 4096);
    is("two parts", attached(), 2);
    fails(EINVAL, shmdt, (long)room + 4096);
    gives(0, shmdt, (long)room);
    is("no part", attached(), 0);
    fails(EINVAL, shmdt, 0x1001);
    gives(0, shmctl, id, IPC_RMID, 0);
    fails(EINVAL, shmctl, id, IPC_RMID, 0);
    fails(EINVAL, shmat, id, 0, 0);
    fails(EINVAL, shmat, -1, 0, 0);
}

int main(void) {
    int key = 0x4b340000 + getpid() % 65536;
    fails(ENOENT, shmget, key, 5000, 0);
    fails(EINVAL, shmget, key, 0, IPC_CREAT | 0600);
    fails(EINVAL, shmget, IPC_PRIVATE, 0, 0600);
    fails(EINVAL, shmget, IPC_PRIVATE, -1, 0600);
    id = works(shmget, key, 5000, IPC_CREAT | IPC_EXCL | 0640);
    is("the same", works(shmget, key, 0, 0) == id, 1);
    is("the same", works(shmget, key, 5000, IPC_CREAT) == id, 1);
    fails(EINVAL, shmget, key, 5001, 0);
    fails(EEXIST, shmget, key, 100, IPC_CREAT | IPC_EXCL);
    is("not attached", attached(), 0);
    is("size", state.shm_segsz, 5000);
    is("permissions", state.shm_perm.mode, 0640);
    is("has the key", state.shm_perm.__key == key, 1);
    is("made now", time(NULL) - state.shm_ctime < 3, 1);
    lifetimes();
    fails(ENOENT, shmget, key, 5000, 0);
    places();
}
