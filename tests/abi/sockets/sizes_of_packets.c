/* Packets and datagrams: cut, whole, empty, too long; FIONREAD of each. */
#include "abi.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

static void kind(const char *name, int type) {
    int ends[2], waiting;
    char bytes[16];
    say("%s", name);
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends);
    gives(6, sendto, ends[0], "longer", 6, 0, NULL, 0);
    gives(3, sendto, ends[0], "one", 3, 0, NULL, 0);
    gives(0, ioctl, ends[1], FIONREAD, &waiting);
    say("waiting %d", waiting);
    gives(4, recvfrom, ends[1], bytes, 4, 0, NULL, NULL);
    gives(3, recvfrom, ends[1], bytes, 16, 0, NULL, NULL);
    gives(0, sendto, ends[0], "", 0, 0, NULL, 0);
    gives(0, recvfrom, ends[1], bytes, 16, 0, NULL, NULL);
    fails(EAGAIN, recvfrom, ends[1], bytes, 16, 0, NULL, NULL);
    gives(6, sendto, ends[0], "longer", 6, 0, NULL, 0);
    gives(6, recvfrom, ends[1], bytes, 2, MSG_TRUNC, NULL, NULL);
    static char much[400000];
    fails(EMSGSIZE, sendto, ends[0], much, sizeof much, 0, NULL, 0);
}

int main(void) {
    kind("packets", SOCK_SEQPACKET);
    kind("datagrams", SOCK_DGRAM);
}
