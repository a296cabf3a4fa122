/* What runs cannot be written to, and what is written to cannot be run. */
#include "abi.h"

/* As a linker: it writes by a mapping, which goes with it. */
static void links(void) {
    int fd = open("copy", O_RDWR);
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    at[7] = at[7];
}

static void runs(void) {
    char *arguments[] = {"copy", "-1", "nothing", NULL};
    dup2(open("/dev/null", O_WRONLY), 2);
    ends(execve, "copy", arguments, NULL);
}

/* What is in memory can be run by whoever wrote it, but not opened once more for writing. */
static void runs_from_memory(void) {
    char path[64], *some = malloc(1 << 16), *arguments[] = {"memory", "-1", "nothing", NULL};
    int fd = open("copy", O_RDONLY), memory = memfd_create("program", MFD_CLOEXEC), length;
    while ((length = read(fd, some, 1 << 16)) > 0)
        write(memory, some, length);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
    int writer = open(path, O_WRONLY);
    fails(ETXTBSY, execveat, memory, "", arguments, NULL, AT_EMPTY_PATH);
    close(writer);
    dup2(open("/dev/null", O_WRONLY), 2);
    ends(execveat, memory, "", arguments, NULL, AT_EMPTY_PATH);
}

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
    put("script", "#!./copy");
    chmod("script", 0755);
    int script = open("script", O_WRONLY);
    fails(ETXTBSY, execve, "script", arguments, NULL);
    close(script);
    for (int i = 0; i < 8; i++) {
        in_child("links", links);
        in_child("what it made", runs);
    }
    in_child("memory", runs_from_memory);
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
    fails(ETXTBSY, open, "copy", O_RDONLY | O_TRUNC);
    works(open, "copy", O_RDONLY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    works(open, "copy", O_WRONLY);
}
