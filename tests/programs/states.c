/*
 * What /proc says a process or thread is at: R, S, D, T, Z.
 */
#include "say.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/syscall.h>

/* The letter in the file "stat" below a folder; it stands after the name. */
static char letter_of(const char *folder) {
    char path[64], text[512];
    snprintf(path, sizeof path, "/proc/%s/stat", folder);
    int fd = open(path, O_RDONLY);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = 0;
    char *end = strrchr(text, ')');
    return end ? end[2] : '?';
}

static void say_word(const char *folder) {
    char path[64], line[128];
    snprintf(path, sizeof path, "/proc/%s/status", folder);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (!strncmp(line, "State:", 6))
            say("%.*s", (int)strcspn(line, "\n"), line);
    if (file)
        fclose(file);
}

static char folder[32];

static const char *folder_of(pid_t pid) {
    snprintf(folder, sizeof folder, "%d", pid);
    return folder;
}

/* It is on its way there, and then stays. */
static void becomes(const char *what, pid_t pid, char letter) {
    while (letter_of(folder_of(pid)) != letter)
        usleep(1000);
    say("%s: %c", what, letter);
    say_word(folder);
}

static void is(const char *what, pid_t pid) {
    say("%s: %c", what, letter_of(folder_of(pid)));
    say_word(folder);
}

static void end(pid_t child) {
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static pid_t begin(void (*fn)(void)) {
    pid_t child = fork();
    if (child)
        return child;
    fn();
    _exit(0);
}

static void spin(void) {
    for (;;)
        ;
}

static void sleep_on(void) {
    for (;;)
        pause();
}

static int ends[2];

static void read_on(void) {
    char byte;
    _exit(read(ends[0], &byte, 1) != 1);
}

static void stops(void) {
    int status;
    pid_t child = begin(sleep_on);
    becomes("sleeps", child, 'S');
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    is("stopped", child);
    kill(child, SIGCONT);
    becomes("goes on", child, 'S');
    end(child);
}

static void ends_unseen(void) {
    siginfo_t info;
    pid_t child = begin(sleep_on);
    kill(child, SIGKILL);
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    is("ended", child);
    waitpid(child, NULL, 0);
    is("waited for", child);
}

/* Its parent waits for a child that uses its memory, and no signal but a deadly one ends that. */
static void lend_memory(void) {
    if (vfork() == 0) {
        pid_t self = (pid_t)syscall(SYS_getpid);
        write(ends[1], &self, sizeof self);
        for (;;)
            pause();
    }
    _exit(0);
}

static void lends_memory(void) {
    pid_t borrower, child = begin(lend_memory);
    read(ends[0], &borrower, sizeof borrower);
    becomes("its memory is lent", child, 'D');
    becomes("borrows it", borrower, 'S');
    kill(borrower, SIGKILL);
    waitpid(child, NULL, 0);
}

static void *spin_in_thread(void *unused) {
    pid_t self = gettid();
    write(ends[1], &self, sizeof self);
    spin();
    return unused;
}

static void sleep_beside(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, spin_in_thread, NULL);
    sleep_on();
}

static void leave_it(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, spin_in_thread, NULL);
    pthread_exit(NULL);
}

static void of_two_threads(const char *what, void (*fn)(void), char letter) {
    pid_t tid, child = begin(fn);
    char path[64];
    read(ends[0], &tid, sizeof tid);
    becomes(what, child, letter);
    snprintf(path, sizeof path, "%d/task/%d", child, tid);
    say("the other thread: %c", letter_of(path));
    end(child);
}

int main(void) {
    if (pipe(ends))
        return 1;
    is("itself", getpid());
    pid_t child = begin(spin);
    is("spins", child);
    end(child);
    child = begin(read_on);
    becomes("reads", child, 'S');
    write(ends[1], "x", 1);
    waitpid(child, NULL, 0);
    stops();
    ends_unseen();
    lends_memory();
    of_two_threads("the first sleeps", sleep_beside, 'S');
    of_two_threads("the first has left", leave_it, 'Z');
    return 0;
}
