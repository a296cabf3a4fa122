/*
 * execve: what it takes, what it refuses and how, what stays and what goes.
 */
#include "say.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static char self[256], folder[64];

static char *in_folder(const char *name) {
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, 128, "%s/%s", folder, name);
    return path;
}

static void make(const char *name, const void *bytes, size_t size, int mode) {
    int file = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0777);
    if (file < 0 || write(file, bytes, size) != (ssize_t)size)
        say("cannot make %s", name);
    fchmod(file, (mode_t)mode);
    close(file);
}

static void copy_self(const char *name, size_t most) {
    static char bytes[4 << 20];
    int file = open(self, O_RDONLY);
    ssize_t size = read(file, bytes, sizeof bytes);
    close(file);
    make(name, bytes, (size_t)size < most ? (size_t)size : most, 0755);
}

/* Tries it in a child; what it says of a failure is the error. */
static void try(const char *what, const char *path, char *const arguments[],
                char *const environment[]) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        execve(path, arguments, environment);
        say("%s: %s", what, strerrorname_np(errno));
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        say_status(what, status);
}

static char *nothing[] = {NULL};

static void refusals(void) {
    char *one[] = {"one", NULL};
    static char header[64];
    try("nothing there", "/no/such/file", one, nothing);
    try("empty name", "", one, nothing);
    try("a directory", "/", one, nothing);
    try("below a file", in_folder("text/x"), one, nothing);
    make("text", "hello\n", 6, 0755);
    try("plain text", in_folder("text"), one, nothing);
    make("plain", "#!/bin/sh\n", 10, 0644);
    try("no x", in_folder("plain"), one, nothing);
    make("empty", "", 0, 0755);
    try("an empty file", in_folder("empty"), one, nothing);
    memcpy(header, "\177ELF\2\1\1", 7);
    make("header", header, sizeof header, 0755);
    try("half a header", in_folder("header"), one, nothing);
    copy_self("short", 100);
    try("no program headers", in_folder("short"), one, nothing);
    try("arguments nowhere", self, (char **)8, nothing);
    char *bad[] = {(char *)8, NULL};
    try("an argument nowhere", self, bad, nothing);
    make("none", "#!/no/such/interpreter\n", 23, 0755);
    try("no interpreter", in_folder("none"), one, nothing);
    make("nobody", "#!\n", 3, 0755);
    try("a script of nobody", in_folder("nobody"), one, nothing);
    char line[200];
    for (int i = 1; i < 7; i++) {
        char name[8], before[64];
        snprintf(name, sizeof name, "s%d", i);
        snprintf(before, sizeof before, "%s",
                 i == 1 ? self : in_folder((char[]){'s', (char)('0' + i - 1), 0}));
        int length = snprintf(line, sizeof line, i == 1 ? "#!%s args\n" : "#!%s\n", before);
        make(name, line, (size_t)length, 0755);
    }
    try("scripts of scripts", in_folder("s3"), one, nothing);
    try("too many", in_folder("s6"), one, nothing);
    char *large = malloc(200000);
    memset(large, 'x', 199999);
    large[199999] = 0;
    char *huge[] = {"args", large, NULL};
    try("an argument too long", self, huge, nothing);
    large[100000] = 0;
    try("a long one", self, huge, nothing);
    char **many = malloc(100002 * sizeof *many);
    for (int i = 0; i < 100000; i++)
        many[i] = large + 99000;
    many[100000] = NULL;
    try("too much in all", self, many, nothing);
}

static void what_stays(void) {
    char *arguments[] = {"execs", "stays", NULL};
    int kept = dup(1), closed = fcntl(1, F_DUPFD_CLOEXEC, 50);
    sigset_t set;
    (void)closed;
    dup2(kept, 40);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, say_status == NULL ? SIG_DFL : (void (*)(int))exit);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGTERM);
    try("what stays", self, arguments, nothing);
    signal(SIGTERM, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static int stack[4096];

static int exec_in_child(void *unused) {
    char *arguments[] = {"execs", "stays", NULL};
    execve(self, arguments, nothing);
    return 1;
}

/* The descriptor that is to be closed is the new program's alone. */
static void a_shared_table_is_left(void) {
    int status;
    dup2(1, 40);
    fcntl(1, F_DUPFD_CLOEXEC, 50);
    waitpid(clone(exec_in_child, stack + 4096, CLONE_FILES | SIGCHLD, NULL), &status, 0);
    say_status("shared files", status);
    say("of ours kept open: %d, closed: %d", fcntl(40, F_GETFD), fcntl(50, F_GETFD));
}

static void stays(void) {
    sigset_t set;
    struct sigaction one, two;
    say("kept open: %d, closed: %d", fcntl(40, F_GETFD), fcntl(50, F_GETFD));
    sigaction(SIGUSR1, NULL, &one);
    sigaction(SIGUSR2, NULL, &two);
    say("ignored: %d, handled: %d", one.sa_handler == SIG_IGN, two.sa_handler == SIG_DFL);
    sigprocmask(SIG_BLOCK, NULL, &set);
    say("blocked: %d", sigismember(&set, SIGTERM));
}

static void vector(void) {
    const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
    int sum = 0;
    for (int i = 0; i < 16; i++)
        sum |= random[i];
    say("page %lu clock %lu random %d platform %s", getauxval(AT_PAGESZ), getauxval(AT_CLKTCK),
        sum != 0, (char *)getauxval(AT_PLATFORM));
    say("headers %lu of %lu, secure %lu, uid %d, vdso %d", getauxval(AT_PHNUM) > 3,
        getauxval(AT_PHENT), getauxval(AT_SECURE), getauxval(AT_UID) == getuid(),
        getauxval(AT_SYSINFO_EHDR) != 0);
    say("called %s", strrchr((char *)getauxval(AT_EXECFN), '/') + 1);
}

int main(int count, char **arguments, char **environment) {
    if (count > 1 && !strcmp(arguments[1], "stays")) {
        stays();
        return 0;
    }
    if (count > 1 && !strcmp(arguments[1], "vector")) {
        vector();
        return 0;
    }
    if (count > 1 || !arguments[0] || !*arguments[0] || !strcmp(arguments[0], "args")) {
        int words = 0;
        while (environment[words])
            words++;
        for (int i = 1; i < count && i < 6; i++)
            say("  argument %zu %.3s", strlen(arguments[i]),
                strrchr(arguments[i], '/') ? strrchr(arguments[i], '/') + 1 : arguments[i]);
        say("  environment %d", words);
        return 0;
    }
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        strcpy(self, "/execs");
    strcpy(folder, "/tmp/execs-XXXXXX");
    if (!mkdtemp(folder))
        say("mkdtemp: %s", strerrorname_np(errno));
    refusals();
    what_stays();
    a_shared_table_is_left();
    char *ask[] = {"execs", "vector", NULL}, *three[] = {"args", "a", "", "b", NULL};
    char *texts[] = {"A=1", "B=2", NULL};
    try("vector", self, ask, nothing);
    try("arguments", self, three, texts);
    try("no arguments", self, nothing, nothing);
    return 0;
}
