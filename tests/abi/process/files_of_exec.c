/* What of files a new program has: those without close-on-exec, at their places. */
#include "abi.h"

int main(void) {
    char words[3][8], *none[] = {NULL};
    int kept = open("/dev/null", O_RDONLY), file, closed;
    put("file", "0123456789");
    file = open("file", O_RDONLY);
    closed = open("file", O_RDONLY | O_CLOEXEC);
    lseek(file, 4, SEEK_SET);
    char command[200];
    snprintf(command, sizeof command,
             "head -c 2 <&%d; echo; test -e /proc/self/fd/%d && echo kept; "
             "test -e /proc/self/fd/%d || echo closed",
             file, kept, closed);
    int ends[2];
    pipe(ends);
    int child = fork();
    if (!child) {
        dup2(ends[1], 1);
        execl("/bin/sh", "sh", "-c", command, NULL);
        _exit(99);
    }
    close(ends[1]);
    char text[100] = "";
    for (long got, at = 0; (got = read(ends[0], text + at, 99 - at)) > 0; at += got)
        ;
    int status;
    is("waited", waitpid(child, &status, 0) == child, 1);
    is("status", WEXITSTATUS(status), 0);
    say("%s", text);
}
