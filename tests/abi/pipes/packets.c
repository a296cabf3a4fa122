/* Pipes of packets (O_DIRECT): a read gives one write's bytes. */
/* Differs: all pipes are streams. */
#include "abi.h"

int main(void) {
    int ends[2];
    char data[16];
    gives(0, pipe2, ends, O_DIRECT | O_NONBLOCK);
    gives(2, write, ends[1], "ab", 2);
    gives(2, write, ends[1], "cd", 2);
    gives(2, read, ends[0], data, 10);
    gives(1, read, ends[0], data, 1);
}
