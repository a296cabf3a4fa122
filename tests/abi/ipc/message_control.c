/* msgctl: what is told and what may be set; rights; limits; /proc/sysvipc/msg. */
#include "abi.h"

#include <sys/msg.h>

static int id, key;
static struct msqid_ds state;
static struct {
    long type;
    char text[100];
} message = {1, "text"};

/* The line of a queue, without what differs from run to run. */
static void line_of(int queue) {
    FILE *file = fopen("/proc/sysvipc/msg", "r");
    char line[512];
    fgets(line, sizeof line, file);
    say("%s", strtok(line, "\n"));
    while (fgets(line, sizeof line, file)) {
        int a, b, mode, bytes, count, sender, receiver, uid, gid, cuid, cgid;
        sscanf(line, "%d %d %o %d %d %d %d %d %d %d %d", &a, &b, &mode, &bytes, &count, &sender,
               &receiver, &uid, &gid, &cuid, &cgid);
        if (b == queue)
            say("%d: mode %o, %d bytes in %d by %d and %d, of %d %d %d %d", a == key, mode, bytes,
                count, sender == getpid(), receiver == getpid(), uid, gid, cuid, cgid);
    }
    fclose(file);
}

static void owner(void) {
    be(SOMEBODY);
    fails(EACCES, msgctl, id, IPC_STAT, (long)&state);
    state.msg_perm.mode = 0622;
    state.msg_qbytes = 16385;
    fails(EPERM, msgctl, id, IPC_SET, (long)&state);
    state.msg_qbytes = 200;
    gives(0, msgctl, id, IPC_SET, (long)&state);
    gives(0, msgctl, id, IPC_STAT, (long)&state);
    say("%o %d %d %lu", state.msg_perm.mode, state.msg_perm.uid, state.msg_perm.cuid,
        state.msg_qbytes);
}

static void somebody(void) {
    be(SOMEBODY + 1);
    fails(EPERM, msgctl, id, IPC_RMID, 0);
    fails(EACCES, msgctl, id, IPC_STAT, (long)&state);
    gives(0, msgsnd, id, (long)&message, 4, 0);
    fails(EACCES, msgrcv, id, (long)&message, 4, 0, 0);
}

static void limits(void) {
    struct msginfo info;
    works(msgctl, 0, IPC_INFO, (long)&info);
    say("%d %d %d %d %d %d %d %d", info.msgpool, info.msgmap, info.msgmax, info.msgmnb, info.msgmni,
        info.msgssz, info.msgtql, info.msgseg);
    int highest = works(msgctl, 0, MSG_INFO, (long)&info);
    is("some", info.msgpool > 0 && info.msgmap > 0 && info.msgtql > 3, 1);
    for (int at = 0; at <= highest; at++) {
        /* There may be others. */
        if (syscall(SYS_msgctl, at, MSG_STAT_ANY, &state) == id) {
            is("its number", works(msgctl, at, MSG_STAT_ANY, (long)&state) == id, 1);
            is("its number", works(msgctl, at, MSG_STAT, (long)&state) == id, 1);
        }
    }
    fails(EINVAL, msgctl, 40000, MSG_STAT, (long)&state);
    fails(EFAULT, msgctl, 0, IPC_INFO, (long)BAD);
    say("%s", get("/proc/sys/kernel/msgmax"));
    say("%s", get("/proc/sys/kernel/msgmnb"));
    say("%s", get("/proc/sys/kernel/msgmni"));
    put("/proc/sys/kernel/msgmax", "50");
    fails(EINVAL, msgsnd, id, (long)&message, 51, 0);
    put("/proc/sys/kernel/msgmax", "8192");
}

int main(void) {
    key = 0x4b390000 + getpid() % 65536;
    id = works(msgget, key, IPC_CREAT | 0600);
    line_of(id);
    gives(0, msgctl, id, IPC_STAT, (long)&state);
    is("never", state.msg_stime | state.msg_rtime | state.msg_lspid | state.msg_lrpid, 0);
    is("made now", time(NULL) - state.msg_ctime < 3, 1);
    is("most", state.msg_qbytes, 16384);
    gives(0, msgsnd, id, (long)&message, 60, 0);
    gives(0, msgsnd, id, (long)&message, 4, 0);
    is("all of it", works(msgrcv, id, (long)&message, 100, 0, 0), 60);
    line_of(id);
    gives(0, msgctl, id, IPC_STAT, (long)&state);
    say("%lu messages, %lu bytes", state.msg_qnum, state.__msg_cbytes);
    is("now", time(NULL) - state.msg_stime < 3 && time(NULL) - state.msg_rtime < 3, 1);
    state.msg_perm.uid = SOMEBODY;
    state.msg_perm.mode = 0;
    state.msg_qbytes = 15000;
    gives(0, msgctl, id, IPC_SET, (long)&state);
    gives(0, msgctl, id, IPC_STAT, (long)&state);
    is("less", state.msg_qbytes, 15000);
    in_child("its owner", owner);
    in_child("somebody", somebody);
    limits();
    fails(EINVAL, msgctl, id, 77, 0);
    fails(EINVAL, msgctl, -1, IPC_STAT, (long)&state);
    fails(EINVAL, msgctl, id + 0x8000, IPC_STAT, (long)&state);
    fails(EFAULT, msgctl, id, IPC_STAT, (long)BAD);
    fails(EFAULT, msgctl, id, IPC_SET, (long)BAD);
    state.msg_perm.uid = -1;
    fails(EINVAL, msgctl, id, IPC_SET, (long)&state);
    gives(0, msgctl, id, IPC_RMID, 0);
    fails(EINVAL, msgctl, id, IPC_RMID, 0);
}
