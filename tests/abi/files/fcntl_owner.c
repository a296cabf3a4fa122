/* fcntl: who is told of input, and by which signal. */
/* Differs: owners and signals of files are not kept, since nothing sends them. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    gives(0, fcntl, fd, F_GETOWN);
    gives(0, fcntl, fd, F_SETOWN, getpid());
    is("owner", abi_call(fcntl, fd, F_GETOWN) == getpid(), 1);
    gives(0, fcntl, fd, F_GETSIG);
    gives(0, fcntl, fd, F_SETSIG, SIGUSR1);
    gives(SIGUSR1, fcntl, fd, F_GETSIG);
    fails(EINVAL, fcntl, fd, F_SETSIG, 65);
}
