/* Sleeps for another case (text_busy), and not for long when it is run by itself. */
#include "abi.h"

int main(int count, char **words) {
    char program[PATH_MAX] = "";
    readlink("/proc/self/exe", program, sizeof program - 1);
    while (strstr(program, "/copy"))
        pause();
    say("slept");
}
