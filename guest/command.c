/*
 * Runs one command and delivers what comes of it.
 *
 * Four processes stand around it. Three pumps carry frames between a port and a pipe each, so that
 * the command has pipes, as it would in a shell, and can be ended without losing bytes on their
 * way. The keeper starts everything, waits for the command, ends whatever it left running, waits
 * until all output is delivered, and then reports: so the launcher has every byte before the
 * status. The input's pump reads on to the end of its stream, also when nobody wants it: the next
 * command's input begins behind it.
 *
 * Fails: what cannot be started has the status a shell would give it, 127 or 126, and a message.
 */
#include "agent.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define NOT_FOUND      127
#define NOT_EXECUTABLE 126
#define PASSES         2000 /* in search of processes left running */

static void pump_input(int port, int pipe) {
    static char bytes[MOST_BYTES];
    struct frame frame;
    bool wanted = true;
    while (read_all(port, &frame, sizeof frame) && frame.length) {
        if (frame.length > sizeof bytes || !read_all(port, bytes, frame.length))
            break;
        wanted = wanted && write_all(pipe, bytes, frame.length);
        if (!wanted && pipe >= 0) {
            close(pipe);
            pipe = -1;
        }
    }
    _exit(0);
}

static void pump_output(int pipe, int port) {
    static struct {
        struct frame frame;
        char bytes[MOST_BYTES];
    } out = {.frame.kind = KIND_BYTES};
    for (;;) {
        ssize_t n = read(pipe, out.bytes, sizeof out.bytes);
        if (n < 0 && errno == EINTR)
            continue;
        out.frame.length = n > 0 ? (uint32_t)n : 0;
        if (!write_all(port, &out, sizeof out.frame + out.frame.length) || n <= 0)
            _exit(0);
    }
}

static void take_terminal(const struct command *command) {
    int fd = open(console_name(), O_RDWR);
    if (fd < 0)
        _exit(NOT_EXECUTABLE);
    struct winsize size = {.ws_row = command->rows, .ws_col = command->columns};
    (void)ioctl(fd, TIOCSCTTY, 1);
    (void)ioctl(fd, TIOCSWINSZ, &size);
    for (int i = 0; i < 3; i++)
        dup2(fd, i);
    if (fd > 2)
        close(fd);
    (void)tcsetpgrp(0, getpid());
}

void command_become(const struct command *command, int streams[3], int control) {
    setsid();
    if (command->terminal) {
        take_terminal(command);
        if (control >= 0)
            send_frame(control, KIND_LISTENS, NULL, 0);
    } else {
        for (int i = 0; i < 3; i++)
            dup2(streams[i], i);
    }
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    environ = command->environment;
    if (chdir(command->folder) == 0)
        execvp(command->arguments[0], command->arguments);
    else
        command->arguments[0] = (char *)command->folder;
    int status = errno == ENOENT ? NOT_FOUND : NOT_EXECUTABLE;
    dprintf(2, "k42: %s: %s\n", command->arguments[0], strerror(errno));
    _exit(status);
}

/* Neither of the kernel nor already over. */
static bool is_running_program(const char *pid, const pid_t *spared) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    char state = 'Z', *end = strrchr(text, ')');
    int parent = 0;
    if (!end || sscanf(end + 1, " %c %d", &state, &parent) != 2)
        return false;
    for (unsigned i = 0; i < SERVICES; i++)
        if (spared[i] && (parent == spared[i] || atoi(pid) == spared[i]))
            return false;
    return state != 'Z' && state != 'X' && parent != 2 && atoi(pid) != 2;
}

static unsigned kill_all_but(const pid_t *services, const pid_t *spared, unsigned count) {
    unsigned found = 0;
    DIR *folder = opendir("/proc");
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!isdigit((unsigned char)entry->d_name[0]) ||
            !is_running_program(entry->d_name, services))
            continue;
        pid_t pid = atoi(entry->d_name);
        bool spare = pid == 1 || pid == getpid();
        for (unsigned i = 0; i < count; i++)
            spare |= pid == spared[i];
        if (!spare)
            found += kill(pid, SIGKILL) == 0;
    }
    closedir(folder);
    return found;
}

/* A process that is killed may have started another meanwhile. */
static void end_what_is_left(pid_t command, const pid_t *services, const pid_t *pumps,
                             unsigned count) {
    kill(-command, SIGKILL);
    for (unsigned pass = 0; pass < PASSES && kill_all_but(services, pumps, count); pass++)
        usleep(1000);
}

struct keeper {
    int streams[3], pipes[3]; /* the command's ends, the pumps' ends */
    pid_t pumps[3];
};

static bool start_pumps(struct keeper *keeper, const int ports[PORT_COUNT]) {
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC))
            return false;
        keeper->streams[i] = ends[i != 0];
        keeper->pipes[i] = ends[i == 0];
    }
    for (int i = 0; i < 3; i++) {
        keeper->pumps[i] = fork();
        if (keeper->pumps[i] < 0)
            return false;
        if (keeper->pumps[i])
            continue;
        for (int j = 0; j < 3; j++) {
            close(keeper->streams[j]);
            if (j != i)
                close(keeper->pipes[j]);
        }
        if (i == 0)
            pump_input(ports[PORT_INPUT], keeper->pipes[0]);
        pump_output(keeper->pipes[i], ports[PORT_INPUT + i]);
    }
    for (int i = 0; i < 3; i++)
        close(keeper->pipes[i]);
    return true;
}

static void wait_for(pid_t pid, int *status) {
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        continue;
}

static void keep(const struct command *command, const int ports[PORT_COUNT], int tell) {
    struct keeper keeper = {0};
    signal(SIGCHLD, SIG_DFL);
    int status = NOT_EXECUTABLE << 8;
    unsigned pumps = command->terminal ? 0 : 3;
    if (pumps && !start_pumps(&keeper, ports))
        _exit(1);
    pid_t pid = fork();
    if (pid == 0)
        command_become(command, keeper.streams, ports[PORT_CONTROL]);
    for (unsigned i = 0; i < pumps; i++)
        close(keeper.streams[i]);
    (void)!write(tell, &pid, sizeof pid);
    if (pid > 0) {
        wait_for(pid, &status);
        end_what_is_left(pid, command->spared, keeper.pumps, pumps);
    }
    for (unsigned i = 1; i < pumps; i++)
        wait_for(keeper.pumps[i], NULL);
    uint32_t word = (uint32_t)status;
    send_frame(ports[PORT_CONTROL], KIND_ENDED, &word, sizeof word);
    if (pumps)
        wait_for(keeper.pumps[0], NULL);
    _exit(0);
}

int command_start(const struct command *command, const int ports[PORT_COUNT], int *done) {
    int tell[2];
    if (pipe2(tell, O_CLOEXEC))
        return 0;
    pid_t keeper = fork();
    if (keeper == 0) {
        close(tell[0]);
        keep(command, ports, tell[1]);
    }
    close(tell[1]);
    pid_t pid = 0;
    if (keeper < 0 || !read_all(tell[0], &pid, sizeof pid) || pid < 0) {
        uint32_t status = NOT_EXECUTABLE << 8;
        send_frame(ports[PORT_CONTROL], KIND_ENDED, &status, sizeof status);
        pid = 0;
    }
    *done = tell[0];
    return pid;
}

pid_t updates_start(void) {
    char *arguments[] = {"k42ctl", "updates", UPDATES_FOLDER, NULL};
    char *environment[] = {"PATH=/usr/sbin:/usr/bin", NULL};
    struct command command = {false, 0, 0, "/", arguments, environment, {0}, 0};
    pid_t pid = fork();
    if (pid == 0) {
        int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
        command_become(&command, (int[3]){nothing, nothing, nothing}, -1);
    }
    return pid > 0 ? pid : 0;
}

void console_session(void) {
    char *arguments[] = {"/bin/sh", "-l", NULL};
    char *environment[] = {"HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=linux", NULL};
    struct command command = {true, 24, 80, "/root", arguments, environment, {0}, 0};
    pid_t pid = fork();
    if (pid == 0)
        command_become(&command, NULL, -1);
    int status = 0;
    signal(SIGCHLD, SIG_DFL);
    wait_for(pid, &status);
}
