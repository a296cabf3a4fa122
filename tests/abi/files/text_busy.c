/* What runs cannot be written to, and what is written to cannot be run. */
/* Differs: what runs can be written to, and the other way round. */
#include "abi.h"

int main(void) {
    char program[PATH_MAX];
    int fd = open("/proc/self/exe", O_RDONLY), copy = open("copy", O_WRONLY | O_CREAT, 0755),
        length;
    char *some = malloc(1 << 16);
    while ((length = read(fd, some, 1 << 16)) > 0)
        write(copy, some, length);
    char *arguments[] = {"copy", "-1", "none", NULL};
    fails(ETXTBSY, execve, "copy", arguments, NULL);
    fails(ETXTBSY, execveat, AT_FDCWD, "copy", arguments, NULL, 0);
    close(copy);
    int ends[2];
    pipe(ends);
    int child = fork();
    if (!child) {
        /* It waits for a case of this name to be told over. */
        execl("./copy", "copy", "-1", "files/sleeping_beauty", NULL);
        _exit(9);
    }
    until_asleep(child);
    doze(100);
    readlink("/proc/self/exe", program, sizeof program);
    while (1) {
        char path[64], target[PATH_MAX] = "";
        snprintf(path, sizeof path, "/proc/%d/exe", child);
        readlink(path, target, sizeof target - 1);
        if (strstr(target, "/copy"))
            break;
        doze(1);
    }
    fails(ETXTBSY, open, "copy", O_WRONLY);
    fails(ETXTBSY, openat, AT_FDCWD, "copy", O_RDWR);
    fails(ETXTBSY, creat, "copy", 0755);
    fails(ETXTBSY, truncate, "copy", 0);
    fails(ETXTBSY, openat2, AT_FDCWD, "copy", (uint64_t[]){O_RDWR, 0, 0}, 24);
    works(open, "copy", O_RDONLY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    works(open, "copy", O_WRONLY);
}
