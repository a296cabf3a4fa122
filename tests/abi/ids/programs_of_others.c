/* Programs that run as their owner or group: ids, capabilities, what stops it. */
#include "abi.h"

#include <sys/prctl.h>

/* grep's copy; it writes to the pipe that is read here, so that its lines come in order. */
static void run(const char *what, void (*before)(void)) {
    char text[2000] = "", line[300];
    int ends[2], length = 0, got;
    pipe(ends);
    int child = fork();
    if (!child) {
        dup2(ends[1], 1);
        close(ends[0]);
        if (before)
            before();
        char *words[] = {"shower", "-E", "^(Uid|Gid|CapEff|NoNewPrivs)", "/proc/self/status", NULL};
        abi_call(execve, "./shower", words, NULL);
        dprintf(1, "%s\n", strerrorname_np(errno));
        _exit(1);
    }
    close(ends[1]);
    while ((got = read(ends[0], text + length, sizeof text - 1 - length)) > 0)
        length += got;
    close(ends[0]);
    waitpid(child, NULL, 0);
    say("%s", what);
    for (char *at = strtok(text, "\n"); at; at = strtok(NULL, "\n"))
        if (strncmp(at, "CapEff", 6))
            say("  %s", at);
        else
            say("  capabilities: %s", strspn(at + 8, "0") == 16 ? "none" : "some");
}

static void somebody(void) {
    be(SOMEBODY);
}

static void no_new(void) {
    be(SOMEBODY);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static void own(const char *path, int user, int group, int mode) {
    chown(path, user, group);
    chmod(path, mode);
}

int main(void) {
    char data[8192];
    chmod(".", 0755);
    int from = open("/bin/grep", O_RDONLY), to = open("shower", O_WRONLY | O_CREAT, 0755), got;
    while ((got = read(from, data, sizeof data)) > 0)
        write(to, data, got);
    close(to);
    run("root", NULL);
    run("somebody", somebody);
    own("shower", 0, 0, 04755);
    run("somebody, root's program", somebody);
    own("shower", 55, 66, 04755);
    run("root, another's program", NULL);
    run("somebody, another's program", somebody);
    own("shower", 55, 66, 06755);
    run("and its group", somebody);
    own("shower", 55, 66, 02755);
    run("its group alone", somebody);
    own("shower", 55, 66, 02745);
    run("a group that may not run it", somebody);
    own("shower", 55, 66, 06755);
    run("no new rights", no_new);
    own("shower", 55, 66, 06644);
    run("not to be run", somebody);
    run("nor by root", NULL);
    own("shower", 55, 66, 0611);
    run("not to be read", somebody);
    own("shower", 0, 0, 0700);
    run("root's alone", somebody);
}
