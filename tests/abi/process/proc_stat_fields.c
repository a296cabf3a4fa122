/* /proc/PID/stat, status, statm, maps, limits, io: how many fields, in which form. */
#include "abi.h"

#include <ctype.h>
#include <sys/prctl.h>

/* Numbers become '#', so that the form remains. */
static void form(const char *path, const char *only) {
    char text[8192], line[400];
    int fd = open(path, O_RDONLY), length = 0, got;
    if (fd < 0) {
        say("%s: %s", path, strerrorname_np(errno));
        return;
    }
    while ((got = read(fd, text + length, sizeof text - 1 - length)) > 0)
        length += got;
    text[length] = 0;
    close(fd);
    for (char *at = strtok(text, "\n"); at; at = strtok(NULL, "\n")) {
        if (only && strncmp(at, only, strlen(only)))
            continue;
        int out = 0;
        for (char *from = at; *from && out < 390; from++) {
            if (isdigit(*from) && out && line[out - 1] == '#')
                continue;
            if (*from == ' ' && out && line[out - 1] == ' ')
                continue;
            line[out++] = isdigit(*from) ? '#' : *from;
        }
        line[out] = 0;
        say("%s", line);
    }
}

int main(void) {
    prctl(PR_SET_NAME, "a (b) c");
    const char *text = get("/proc/self/stat");
    int fields = 1;
    for (const char *at = strrchr(text, ')'); *at; at++)
        fields += *at == ' ';
    is("fields behind the name", fields - 1, 50);
    say("%.*s", (int)(strrchr(text, ')') - strchr(text, '(') + 3), strchr(text, '('));
    say("%s", get("/proc/self/comm"));
    form("/proc/self/statm", NULL);
    const char *wanted[] = {
        "Name",       "Umask",    "State",     "Tgid",        "Pid",    "PPid",
        "TracerPid",  "Uid",      "Gid",       "FDSize",      "Groups", "VmPeak",
        "VmSize",     "VmRSS",    "VmExe",     "Threads",     "SigPnd", "SigBlk",
        "NoNewPrivs", "Seccomp:", "voluntary", "nonvoluntary"};
    for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        say("field %s", wanted[i]);
        form("/proc/self/status", wanted[i]);
    }
    form("/proc/self/limits", NULL);
    form("/proc/uptime", NULL);
    form("/proc/loadavg", NULL);
    form("/proc/sys/kernel/pid_max", NULL);
    form("/proc/sys/kernel/ostype", NULL);
    fails(ENOTDIR, open, "/proc/self/stat/x", O_RDONLY);
    fails(EISDIR, read, open("/proc/self", O_RDONLY), (char[8]){0}, 8);
}
