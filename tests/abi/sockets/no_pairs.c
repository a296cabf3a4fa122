/* socketpair: families that have none. */
#include "abi.h"

#include <netinet/in.h>
#include <sys/socket.h>

int main(void) {
    int ends[2];
    fails(EOPNOTSUPP, socketpair, AF_INET, SOCK_STREAM, 0, ends);
    fails(EOPNOTSUPP, socketpair, AF_INET, SOCK_DGRAM, 0, ends);
    fails(EOPNOTSUPP, socketpair, AF_INET, SOCK_STREAM, IPPROTO_TCP, ends);
    fails(EOPNOTSUPP, socketpair, AF_INET6, SOCK_DGRAM, IPPROTO_UDP, ends);
    fails(EOPNOTSUPP, socketpair, AF_NETLINK, SOCK_RAW, 0, ends);
    fails(EPROTONOSUPPORT, socketpair, AF_INET, SOCK_STREAM, IPPROTO_UDP, ends);
    fails(ESOCKTNOSUPPORT, socketpair, AF_INET, SOCK_RDM, 0, ends);
    fails(EINVAL, socketpair, AF_INET, SOCK_STREAM | 0x100, 0, ends);
    fails(EAFNOSUPPORT, socketpair, 45, SOCK_STREAM, 0, ends);
    fails(EAFNOSUPPORT, socketpair, -1, SOCK_STREAM, 0, ends);
}
