/* splice, tee and vmsplice: amounts, offsets, and what they refuse. */
#include "abi.h"

int main(void) {
    int first[2], second[2], file = open("file", O_RDWR | O_CREAT, 0600);
    char bytes[32] = "";
    long offset = 2;
    pipe2(first, O_NONBLOCK);
    pipe2(second, O_NONBLOCK);
    write(file, "0123456789", 10);
    gives(5, splice, file, &offset, first[1], NULL, 5, 0);
    is("offset", offset, 7);
    gives(5, tee, first[0], second[1], 100, 0);
    gives(5, read, second[0], bytes, 32);
    say("%s", bytes);
    offset = 20;
    gives(5, splice, first[0], NULL, file, &offset, 100, 0);
    is("offset", offset, 25);
    fails(EAGAIN, splice, first[0], NULL, file, NULL, 1, SPLICE_F_NONBLOCK);
    fails(EAGAIN, tee, first[0], second[1], 1, SPLICE_F_NONBLOCK);
    fails(ESPIPE, splice, first[0], &offset, file, NULL, 1, 0);
    fails(EINVAL, splice, file, NULL, file, NULL, 1, 0);
    fails(EINVAL, splice, first[0], NULL, first[1], NULL, 1, 0);
    fails(EINVAL, tee, first[0], first[1], 1, 0);
    fails(EINVAL, tee, file, first[1], 1, 0);
    struct iovec vector = {"spliced", 7};
    gives(7, vmsplice, first[1], &vector, 1, 0);
    memset(bytes, 0, 32);
    gives(7, read, first[0], bytes, 32);
    say("%s", bytes);
    fails(EBADF, vmsplice, file, &vector, 1, 0);
    gives(0, splice, file, NULL, first[1], NULL, 0, 0);
}
