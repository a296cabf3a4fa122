/* /proc/self: links, and what is in a few of its files. */
#include "abi.h"

int main(void) {
    char target[PATH_MAX] = "", here[PATH_MAX];
    getcwd(here, sizeof here);
    works(readlink, "/proc/self/cwd", target, sizeof target);
    is("cwd", strcmp(target, here), 0);
    put("file", "x");
    int fd = open("file", O_RDONLY);
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(target, 0, sizeof target);
    works(readlink, path, target, sizeof target);
    is("file", strcmp(strrchr(target, '/'), "/file"), 0);
    unlink("file");
    memset(target, 0, sizeof target);
    works(readlink, path, target, sizeof target);
    is("deleted", !!strstr(target, "(deleted)"), 1);
    int ends[2];
    pipe(ends);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    memset(target, 0, sizeof target);
    works(readlink, path, target, sizeof target);
    say("%.6s", target);
    memset(target, 0, sizeof target);
    works(readlink, "/proc/self/root", target, sizeof target);
    say("%s", target);
    const char *stat = get("/proc/self/stat");
    is("its number", atoi(stat) == getpid(), 1);
    is("runs", strrchr(stat, ')')[2], 'R');
    fails(ENOENT, open, "/proc/self/nothing", O_RDONLY);
    fails(ENOENT, open, "/proc/99999/stat", O_RDONLY);
    is("stays", unlink("/proc/self/stat"), -1);
}
