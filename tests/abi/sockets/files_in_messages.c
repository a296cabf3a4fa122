/* SCM_RIGHTS: several files, room for fewer, those closed meanwhile, and of peeking. */
#include "abi.h"

#include <sys/socket.h>

static char control[256];

static long pass(int fd, const int *files, int count) {
    struct iovec vector = {"x", 1};
    struct msghdr message = {NULL, 0, &vector, 1, control, CMSG_SPACE(count * 4)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){CMSG_LEN(count * 4), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(header), files, count * 4);
    return sendmsg(fd, &message, 0);
}

static int take(int fd, int *files, int room, int flags) {
    char byte;
    struct iovec vector = {&byte, 1};
    struct msghdr message = {NULL, 0, &vector, 1, control, CMSG_LEN(room * 4)};
    if (recvmsg(fd, &message, flags) != 1)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int count = header ? (header->cmsg_len - CMSG_LEN(0)) / 4 : 0;
    memcpy(files, CMSG_DATA(header), count * 4);
    say("flags %x", message.msg_flags);
    return count;
}

int main(void) {
    int ends[2], files[3], got[4];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    put("file", "shared");
    for (int i = 0; i < 3; i++)
        files[i] = open("file", O_RDONLY);
    is("sent", pass(ends[0], files, 3), 1);
    for (int i = 0; i < 3; i++)
        close(files[i]);
    is("came", take(ends[1], got, 3, 0), 3);
    char byte;
    gives(1, read, got[0], &byte, 1);
    is("what", byte, 's');
    is("apart", got[0] != got[1] && got[1] != got[2], 1);
    pass(ends[0], got, 3);
    is("room for one", take(ends[1], got, 1, 0), 1);
    pass(ends[0], got, 1);
    is("peeked", take(ends[1], got, 1, MSG_PEEK), 1);
    is("taken", take(ends[1], got, 1, 0), 1);
    pass(ends[0], got, 1);
    gives(1, read, ends[1], &byte, 1);
    pass(ends[0], &ends[0], 1);
    is("itself", take(ends[1], got, 1, 0), 1);
    gives(1, write, got[0], "y", 1);
    gives(1, read, ends[1], &byte, 1);
}
