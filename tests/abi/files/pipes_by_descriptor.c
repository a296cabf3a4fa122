/* A pipe without a name, opened once more through /proc: the other end is not waited for. */
#include "abi.h"

int main(void) {
    char from[32], to[32], some[8] = "";
    int ends[2];
    pipe(ends);
    snprintf(from, sizeof from, "/proc/self/fd/%d", ends[0]);
    write(ends[1], "word", 4);
    close(ends[1]);
    int again = works(open, from, O_RDONLY);
    gives(4, read, again, some, 8);
    gives(0, read, again, some, 8);
    int writes = works(open, from, O_WRONLY);
    gives(2, write, writes, "xy", 2);
    close(again), close(ends[0]);
    snprintf(to, sizeof to, "/proc/self/fd/%d", writes);
    works(open, to, O_WRONLY | O_TRUNC);
    again = works(open, to, O_RDONLY);
    gives(2, read, again, some, 8);
    return 0;
}
