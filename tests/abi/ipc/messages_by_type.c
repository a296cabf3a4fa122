/* msgrcv: the first, of a type, of other types, the least; cut and peeked at. */
#include "abi.h"

#include <sys/msg.h>

struct text {
    long type;
    char bytes[16];
};

static void get_one(int queue, long type) {
    struct text got = {};
    long length = msgrcv(queue, &got, sizeof got.bytes, type, IPC_NOWAIT);
    say("%ld: %ld bytes, type %ld, '%s'", type, length, got.type, got.bytes);
}

int main(void) {
    int queue = works(msgget, IPC_PRIVATE, 0600);
    static const long types[] = {5, 3, 9, 3};
    for (int i = 0; i < 4; i++) {
        struct text sent = {types[i]};
        snprintf(sent.bytes, sizeof sent.bytes, "%d", i);
        gives(0, msgsnd, queue, &sent, 2, 0);
    }
    get_one(queue, 3);
    get_one(queue, -4);
    get_one(queue, 0);
    struct text got;
    fails(ENOMSG, msgrcv, queue, &got, 16, 7, IPC_NOWAIT);
    fails(E2BIG, msgrcv, queue, &got, 1, 0, IPC_NOWAIT);
    gives(1, msgrcv, queue, &got, 1, 0, IPC_NOWAIT | MSG_NOERROR);
    fails(ENOMSG, msgrcv, queue, &got, 16, 0, IPC_NOWAIT);
    struct text wrong = {0};
    fails(EINVAL, msgsnd, queue, &wrong, 1, 0);
    fails(EINVAL, msgsnd, queue, &wrong, -1, 0);
    fails(EFAULT, msgsnd, queue, BAD, 1, 0);
    gives(0, msgctl, queue, IPC_RMID, NULL);
    fails(EINVAL, msgrcv, queue, &got, 16, 0, 0);
}
