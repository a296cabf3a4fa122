/*
 * Process 1 of a guest, on K42 and on Linux alike: prepares the system, then does what the launcher
 * asks through the control port (agent.h), or, without one, gives the console a shell.
 *
 * It only reads messages: a command has a keeper that waits for it (command.c), so that signals for
 * the command are delivered while it runs. Orphans are reaped by the kernel, since SIGCHLD is
 * ignored here.
 *
 * Fails: when the launcher is gone, the machine is switched off.
 */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/rseq.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ports[PORT_COUNT];
static pid_t running; /* the last command's process group */
static int done = -1; /* the pipe that ends with it */
/* Who runs commands beside it, and who takes in updates; or 0. */
static pid_t beside, updates;

static void wait_until_done(void) {
    char byte;
    if (done < 0)
        return;
    while (read(done, &byte, 1) > 0)
        continue;
    close(done);
    done = -1;
    running = 0;
}

static void run(char *message, size_t length) {
    struct command command;
    if (!command_read(message, length, &command))
        return;
    command.spared[0] = beside;
    command.spared[1] = updates;
    wait_until_done();
    running = command_start(&command, ports, &done);
    command_free(&command);
}

static void set_window(const char *message, size_t length) {
    uint32_t sizes[2];
    int fd = open(console_name(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (length == sizeof sizes) {
        memcpy(sizes, message, sizeof sizes);
        struct winsize size = {.ws_row = (unsigned short)sizes[0],
                               .ws_col = (unsigned short)sizes[1]};
        (void)ioctl(fd, TIOCSWINSZ, &size);
    }
    close(fd);
}

/* With the folders that lead to it. */
static void make_folder(char *path) {
    for (char *at = path + 1; *at; at++)
        if (*at == '/') {
            *at = 0;
            (void)mkdir(path, 0755);
            *at = '/';
        }
    (void)mkdir(path, 0755);
}

static void mount_host_folder(char *message, size_t length) {
    char *at = message, *end = message + length;
    char *tag = next_text(&at, end), *folder = tag ? next_text(&at, end) : NULL;
    uint32_t status = EINVAL;
    if (folder) {
        make_folder(folder);
        bool is_updates = !strcmp(folder, UPDATES_FOLDER);
        status = mount(tag, folder, "9p", is_updates ? MS_RDONLY : 0,
                       "trans=virtio,version=9p2000.L,msize=524288")
                     ? (uint32_t)errno
                     : 0;
        if (is_updates && !status)
            updates = updates_start();
    }
    send_frame(ports[PORT_CONTROL], KIND_MOUNTED, &status, sizeof status);
}

static void send_signal(const char *message, size_t length) {
    uint32_t number;
    if (length != sizeof number || running <= 0)
        return;
    memcpy(&number, message, sizeof number);
    kill(-running, (int)number);
}

/* False when there is no more to do. */
static bool obey(struct frame frame, char *message) {
    switch (frame.kind) {
    case KIND_RUN:
        run(message, frame.length);
        return true;
    case KIND_SIGNAL:
        send_signal(message, frame.length);
        return true;
    case KIND_WINDOW:
        set_window(message, frame.length);
        return true;
    case KIND_MOUNT:
        mount_host_folder(message, frame.length);
        return true;
    default:
        return false;
    }
}

static void greet(uint64_t began) {
    char message[sizeof began + 64];
    memcpy(message, &began, sizeof began);
    int length = snprintf(message + sizeof began, 64, "%s", console_name());
    send_frame(ports[PORT_CONTROL], KIND_HELLO, message, sizeof began + (size_t)length);
}

static void start_beside(void) {
    int port = port_beside_open();
    if (port < 0)
        return;
    beside = fork();
    if (beside == 0)
        beside_serve(port);
    close(port);
}

static void serve(uint64_t began) {
    struct frame frame;
    void *message;
    start_beside();
    greet(began);
    for (bool more = true; more && receive_frame(ports[PORT_CONTROL], &frame, &message);
         forget_frame(&frame, message))
        more = obey(frame, message);
}

/* What waits here shares its memory with what it was forked from. The C library has the kernel
 * write the number of the processor there, which would end that whenever a waiting process is
 * moved: what a guest uses would change by itself, and whoever looks for leaks would see one. */
static void keep_memory_shared(void) {
    char *area = (char *)__builtin_thread_pointer() + __rseq_offset;
    if (__rseq_size)
        (void)syscall(SYS_rseq, area, 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

int main(void) {
    uint64_t began = __builtin_ia32_rdtsc();
    keep_memory_shared();
    for (int number = 1; number < SIGRTMIN; number++)
        signal(number, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    system_prepare();
    bool asked = ports_open(ports);
    /* Who is not a child of a session has nobody to report his end to. */
    signal(SIGCHLD, SIG_IGN);
    if (asked)
        serve(began);
    else
        console_session();
    sync();
    reboot(RB_POWER_OFF);
    for (;;)
        pause();
}
