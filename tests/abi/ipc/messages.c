/* msgget, msgsnd, msgrcv: messages, by type and in the order of coming. */
#include "abi.h"

#include <sys/msg.h>

static int id, key;
static struct {
    long type;
    char text[10000];
} message;

static void sends(long type, const char *text) {
    message.type = type;
    strcpy(message.text, text);
    gives(0, msgsnd, id, (long)&message, strlen(text), 0);
}

static void receives(long type, int flags) {
    memset(&message, 0, sizeof message);
    works(msgrcv, id, (long)&message, 100, type, flags | IPC_NOWAIT);
    say("%ld: '%s'", message.type, message.text);
}

static void waits_for_seven(void) {
    is("length", works(msgrcv, id, (long)&message, 100, 7, 0), 5);
    say("%.5s", message.text);
}

static void waits_for_any(void) {
    is("length", works(msgrcv, id, (long)&message, 100, 0, 0), 3);
}

static void waits_for_less(void) {
    is("length", works(msgrcv, id, (long)&message, 100, -5, 0), 4);
}

static void waits_for_room(void) {
    message.type = 9;
    gives(0, msgsnd, id, (long)&message, 8000, 0);
}

static void waits_in_vain(void) {
    handle(SIGALRM, SA_RESTART);
    alarm_in(100);
    fails(EINTR, msgrcv, id, (long)&message, 100, 77, 0);
    while (syscall(SYS_msgsnd, id, &message, 8000, IPC_NOWAIT) == 0)
        continue;
    message.type = 1;
    alarm_in(100);
    fails(EINTR, msgsnd, id, (long)&message, 8192, 0);
}

static void waits_until_it_goes(void) {
    fails(EIDRM, msgrcv, id, (long)&message, 100, 5, 0);
}

static void sends_until_it_goes(void) {
    message.type = 1;
    fails(EIDRM, msgsnd, id, (long)&message, 8192, 0);
}

static void somebody(void) {
    be(SOMEBODY);
    message.type = 1;
    fails(EACCES, msgsnd, id, (long)&message, 1, 0);
    fails(ENOMSG, msgrcv, id, (long)&message, 1, 99, IPC_NOWAIT);
    fails(EACCES, msgget, key, 0600);
    struct msqid_ds state;
    gives(0, msgctl, id, IPC_STAT, (long)&state);
    fails(EPERM, msgctl, id, IPC_SET, (long)&state);
    fails(EPERM, msgctl, id, IPC_RMID, 0);
}

static void order(void) {
    sends(3, "three");
    sends(1, "one");
    sends(2, "two");
    sends(1, "one again");
    receives(0, 0);
    receives(2, 0);
    receives(1, 0);
    fails(ENOMSG, msgrcv, id, (long)&message, 100, 5, IPC_NOWAIT);
    receives(5, MSG_EXCEPT);
    sends(5, "five");
    sends(3, "three");
    sends(4, "four");
    receives(-4, 0);
    fails(ENOMSG, msgrcv, id, (long)&message, 100, -3, IPC_NOWAIT);
    is("second", works(msgrcv, id, (long)&message, 100, 1, IPC_NOWAIT | MSG_COPY), 4);
    fails(ENOMSG, msgrcv, id, (long)&message, 100, 2, IPC_NOWAIT | MSG_COPY);
    fails(EINVAL, msgrcv, id, (long)&message, 100, 1, MSG_COPY);
    fails(EINVAL, msgrcv, id, (long)&message, 100, 1, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT);
    fails(E2BIG, msgrcv, id, (long)&message, 3, 0, 0);
    fails(E2BIG, msgrcv, id, (long)&message, 3, 0, MSG_COPY | IPC_NOWAIT);
    fails(EINVAL, msgrcv, id, (long)&message, 3, 1, MSG_COPY | IPC_NOWAIT | MSG_NOERROR);
    is("cut", works(msgrcv, id, (long)&message, 3, 0, MSG_NOERROR), 3);
    say("%.3s", message.text);
    receives(LONG_MIN, 0);
    sends(1, "");
    receives(0, 0);
}

static void waiting(void) {
    int seven = start(waits_for_seven);
    until_asleep(seven);
    sends(6, "no");
    sends(7, "seven");
    ended("one who waits for a type", seven);
    receives(0, 0);
    int any = start(waits_for_any);
    until_asleep(any);
    sends(1, "any");
    ended("one who waits for any", any);
    int less = start(waits_for_less);
    until_asleep(less);
    sends(6, "more");
    sends(4, "less");
    ended("one who waits for less", less);
    receives(0, 0);
    message.type = 8;
    gives(0, msgsnd, id, (long)&message, 8192, 0);
    gives(0, msgsnd, id, (long)&message, 8192, IPC_NOWAIT);
    fails(EAGAIN, msgsnd, id, (long)&message, 1, IPC_NOWAIT);
    int room = start(waits_for_room);
    until_asleep(room);
    is("large", works(msgrcv, id, (long)&message, 9000, 0, 0), 8192);
    ended("one who waits for room", room);
    is("large", works(msgrcv, id, (long)&message, 9000, 0, 0), 8192);
    is("large", works(msgrcv, id, (long)&message, 9000, 0, 0), 8000);
    in_child("one who waits in vain", waits_in_vain);
}

static void removal(void) {
    int first = start(waits_until_it_goes), second = start(sends_until_it_goes);
    until_asleep(first), until_asleep(second);
    gives(0, msgctl, id, IPC_RMID, 0);
    ended("a reader", first);
    ended("a writer", second);
    fails(EINVAL, msgsnd, id, (long)&message, 1, 0);
    fails(EINVAL, msgrcv, id, (long)&message, 1, 0, 0);
}

int main(void) {
    key = 0x4b380000 + getpid() % 65536;
    fails(ENOENT, msgget, key, 0);
    id = works(msgget, key, IPC_CREAT | IPC_EXCL | 0604);
    is("the same", works(msgget, key, IPC_CREAT) == id, 1);
    fails(EEXIST, msgget, key, IPC_CREAT | IPC_EXCL);
    order();
    message.type = 0;
    fails(EINVAL, msgsnd, id, (long)&message, 1, 0);
    message.type = 1;
    fails(EINVAL, msgsnd, id, (long)&message, 8193, 0);
    fails(EINVAL, msgsnd, id, (long)&message, -1, 0);
    fails(EINVAL, msgsnd, -1, (long)&message, 1, 0);
    fails(EINVAL, msgsnd, id + 0x8000, (long)&message, 1, 0);
    fails(EFAULT, msgsnd, id, (long)BAD, 1, 0);
    long *last = (long *)(page_end() - 8);
    *last = 1;
    fails(EFAULT, msgsnd, id, (long)last, 1, 0);
    fails(EINVAL, msgrcv, id, (long)&message, -1, 0, 0);
    fails(EINVAL, msgrcv, -1, (long)&message, 1, 0, 0);
    sends(1, "lost");
    fails(EFAULT, msgrcv, id, (long)BAD, 10, 0, 0);
    fails(ENOMSG, msgrcv, id, (long)&message, 10, 0, IPC_NOWAIT);
    in_child("somebody", somebody);
    waiting();
    removal();
    put("/proc/sys/kernel/msgmni", "0");
    fails(ENOSPC, msgget, IPC_PRIVATE, 0600);
    put("/proc/sys/kernel/msgmni", "32000");
}
