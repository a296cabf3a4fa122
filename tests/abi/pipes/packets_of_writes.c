/* O_DIRECT pipes: each write is read by itself. */
#include "abi.h"

int main(void) {
    int ends[2];
    char bytes[16];
    gives(0, pipe2, ends, O_DIRECT | O_NONBLOCK);
    gives(3, write, ends[1], "one", 3);
    gives(5, write, ends[1], "three", 5);
    gives(3, read, ends[0], bytes, 16);
    gives(2, read, ends[0], bytes, 2);
    fails(EAGAIN, read, ends[0], bytes, 16);
    gives(1, write, ends[1], "x", 1);
    gives(1, write, ends[1], "y", 1);
    gives(1, read, ends[0], bytes, 16);
    gives(1, read, ends[0], bytes, 16);
}
