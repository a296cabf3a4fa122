/* Many children that end at the same time: each is told of, none is left. */
#include "abi.h"

int main(void) {
    int ends[2], children = 0, statuses = 0;
    pipe(ends);
    for (int i = 0; i < 20; i++) {
        int child = fork();
        if (!child) {
            char byte;
            close(ends[1]);
            read(ends[0], &byte, 1);
            _exit(i);
        }
        children++;
    }
    close(ends[1]);
    for (int status; waitpid(-1, &status, 0) > 0; children--)
        statuses += WEXITSTATUS(status);
    is("left", children, 0);
    is("sum", statuses, 190);
    fails(ECHILD, wait4, -1, NULL, 0, NULL);
}
