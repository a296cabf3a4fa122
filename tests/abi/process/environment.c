/* What a new program has of words and environment: those that are given, in order. */
#include "abi.h"

int main(void) {
    char *words[] = {"sh", "-c", "echo $0 $1 $2 $#; echo $ONE-$TWO-$NONE", "zero", "a b", "", NULL};
    char *environment[] = {"TWO=2", "ONE=1", "ODD", NULL};
    int ends[2];
    pipe(ends);
    int child = fork();
    if (!child) {
        dup2(ends[1], 1);
        execve("/bin/sh", words, environment);
        _exit(99);
    }
    close(ends[1]);
    char text[100] = "";
    for (long got, at = 0; (got = read(ends[0], text + at, 99 - at)) > 0; at += got)
        ;
    int status;
    waitpid(child, &status, 0);
    is("status", WEXITSTATUS(status), 0);
    say("%s", text);
}
