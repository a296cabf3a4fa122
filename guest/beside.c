/*
 * Runs commands beside the one that a guest was started for: several at a time, each with output
 * and errors and no input, all through one port. Each message has the number of its command, which
 * whoever asks chooses.
 *
 * A process of its own, so that it goes on while the first program waits for something. Fails: a
 * command more than there is room for ends at once with status 126 and a message.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 8, STREAMS = 2, REFUSED = 126 << 8 };

static struct beside {
    uint32_t number;
    pid_t pid; /* also its process group; 0: the place is free */
    int streams[STREAMS];
} commands[ROOM];
static int port;

static void tell(enum kind kind, uint32_t number, const void *bytes, size_t length) {
    static struct {
        uint32_t number;
        char bytes[MOST_BYTES];
    } message;
    message.number = number;
    memcpy(message.bytes, bytes, length);
    if (!send_frame(port, kind, &message, sizeof message.number + length))
        _exit(0);
}

static void tell_end(uint32_t number, int status) {
    uint32_t word = (uint32_t)status;
    tell(KIND_ENDED, number, &word, sizeof word);
}

static void refuse(uint32_t number, const char *why) {
    tell(KIND_ERRORS, number, why, strlen(why));
    tell_end(number, REFUSED);
}

/* ---- starting and ending ---- */

static bool start(struct beside *beside, const struct command *command) {
    int pipes[STREAMS][2] = {{-1, -1}, {-1, -1}};
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    pid_t pid = -1;
    if (nothing >= 0 && !pipe2(pipes[0], O_CLOEXEC) && !pipe2(pipes[1], O_CLOEXEC))
        pid = fork();
    if (pid == 0)
        command_become(command, (int[3]){nothing, pipes[0][1], pipes[1][1]}, -1);
    for (int i = 0; i < STREAMS; i++) {
        close(pipes[i][1]);
        beside->streams[i] = pipes[i][0];
        if (pid < 0)
            close(pipes[i][0]);
    }
    close(nothing);
    beside->pid = pid > 0 ? pid : 0;
    return pid > 0;
}

static struct beside *find(uint32_t number, bool new) {
    for (int i = 0; i < ROOM; i++)
        if (new ? !commands[i].pid : commands[i].pid && commands[i].number == number)
            return &commands[i];
    return NULL;
}

static void run(uint32_t number, char *message, size_t length) {
    struct command command;
    struct beside *beside = find(number, true);
    if (!beside) {
        refuse(number, "k42: too many commands at a time\n");
        return;
    }
    if (!command_read(message, length, &command))
        return;
    beside->number = number;
    if (!start(beside, &command))
        refuse(number, "k42: the guest cannot start a further command\n");
    command_free(&command);
}

/* Both streams have ended, so nothing more comes of it. */
static void end(struct beside *beside) {
    int status = 0;
    while (waitpid(beside->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    tell_end(beside->number, status);
    beside->pid = 0;
}

/* ---- what comes ---- */

static void obey(void) {
    struct frame frame;
    void *bytes;
    uint32_t number, signal;
    if (!receive_frame(port, &frame, &bytes))
        _exit(0);
    char *message = bytes;
    if (frame.length >= sizeof number) {
        memcpy(&number, message, sizeof number);
        struct beside *beside = find(number, false);
        if (frame.kind == KIND_RUN && !beside)
            run(number, message + sizeof number, frame.length - sizeof number);
        if (frame.kind == KIND_SIGNAL && beside && frame.length == 2 * sizeof number) {
            memcpy(&signal, message + sizeof number, sizeof signal);
            kill(-beside->pid, (int)signal);
        }
    }
    forget_frame(&frame, bytes);
}

static void pass_on(struct beside *beside, int stream) {
    static char bytes[MOST_BYTES / 2];
    ssize_t n = read(beside->streams[stream], bytes, sizeof bytes);
    if (n > 0) {
        tell(stream ? KIND_ERRORS : KIND_OUTPUT, beside->number, bytes, (size_t)n);
        return;
    }
    if (n < 0 && errno == EINTR)
        return;
    close(beside->streams[stream]);
    beside->streams[stream] = -1;
    if (beside->streams[!stream] < 0)
        end(beside);
}

void beside_serve(int from) {
    struct pollfd polled[1 + ROOM * STREAMS];
    port = from;
    signal(SIGCHLD, SIG_DFL);
    for (;;) {
        polled[0] = (struct pollfd){.fd = port, .events = POLLIN};
        for (int i = 0; i < ROOM * STREAMS; i++)
            polled[1 + i] = (struct pollfd){
                .fd = commands[i / STREAMS].pid ? commands[i / STREAMS].streams[i % STREAMS] : -1,
                .events = POLLIN};
        if (poll(polled, sizeof polled / sizeof *polled, -1) < 0)
            continue;
        for (int i = 0; i < ROOM * STREAMS; i++)
            if (polled[1 + i].revents)
                pass_on(&commands[i / STREAMS], i % STREAMS);
        if (polled[0].revents)
            obey();
    }
}
