/*
 * What /proc/PID/status tells of memory, queues and filters; coredump_filter, which children and
 * programs have a copy of; clear_refs; and stack, for who is in charge of the machine.
 */
#include "abi.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static char text[1 << 16];

static const char *status(void) {
    int file = open("/proc/self/status", O_RDONLY);
    ssize_t got = read(file, text + 1, sizeof text - 2);
    text[0] = '\n';
    text[got > 0 ? got + 1 : 1] = 0;
    close(file);
    return text;
}

static long line(const char *name) {
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\n%s:", name);
    const char *found = strstr(status(), wanted);
    return found ? strtol(found + strlen(wanted), NULL, 10) : -1;
}

/* ---- memory ---- */

enum { BYTES = 4 << 20, ABOUT = BYTES / 1024 };

/* Linux adds up what each processor has counted when that is much, and else it is not told. */
static int is_about(long kib) {
    return kib > ABOUT - 1500 && kib < ABOUT + 1500;
}

static void kinds_of_memory(void) {
    long before = line("RssAnon"), shared_before = line("RssShmem");
    char *own = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *shared = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    memset(own, 1, BYTES);
    memset(shared, 1, BYTES);
    long anonymous = line("RssAnon"), of_files = line("RssFile"), in_common = line("RssShmem");
    is("shared memory", is_about(in_common - shared_before), 1);
    is("private", is_about(anonymous - before), 1);
    long all = line("VmRSS");
    is("the sum", all == line("RssAnon") + line("RssFile") + line("RssShmem"), 1);
    is("a file's", of_files >= 0 && of_files < 10000, 1);
    is("none is out", line("VmSwap"), 0);
    shared_before = in_common;
    int file = memfd_create("memory", 0);
    is("its size", ftruncate(file, BYTES), 0);
    memset(mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), 1, BYTES);
    is("a memfd's", is_about(line("RssShmem") - shared_before), 1);
    shared_before = line("RssShmem");
    munmap(shared, BYTES);
    is("without it", is_about(shared_before - line("RssShmem")), 1);
}

/* Reading it costs what there is, not the square of it. */
static void many_regions(void) {
    enum { MANY = 500, PAGE = 4096 };
    char *first = mmap(NULL, 2 * MANY * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < MANY; i++)
        mprotect(first + 2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE);
    long before = line("RssAnon");
    for (int i = 0; i < MANY; i++)
        first[2 * i * PAGE] = 1;
    long more = line("RssAnon") - before;
    is("of many", more > MANY * 4 - 1500 && more < MANY * 4 + 1500, 1);
}

static void queued(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 3);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 3; i++)
        sigqueue(getpid(), SIGRTMIN + 3, (union sigval){.sival_int = i});
    struct rlimit limit;
    getrlimit(RLIMIT_SIGPENDING, &limit);
    is("signals", line("SigQ") >= 3, 1);
    is("of", strtol(strchr(strstr(text, "\nSigQ:"), '/') + 1, NULL, 10) == (long)limit.rlim_cur, 1);
}

static void add_filter(void) {
    struct sock_filter all[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {1, all};
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

static void filters(void) {
    is("filters", line("Seccomp_filters"), 0);
    add_filter();
    is("filters", line("Seccomp_filters"), 1);
    add_filter();
    is("filters", line("Seccomp_filters"), 2);
}

/* ---- what a core has ---- */

static long write_to(const char *path, const char *what) {
    int file = open(path, O_WRONLY);
    long result = write(file, what, strlen(what));
    result = result < 0 ? -errno : result;
    close(file);
    return result;
}

static void says_kinds(void) {
    say("kinds %s", get("/proc/self/coredump_filter"));
}

static void runs_a_program(void) {
    dup2(1, 2);
    int file = open("out", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (!fork()) {
        dup2(file, 1);
        execl("/bin/cat", "cat", "/proc/self/coredump_filter", NULL);
        _exit(1);
    }
    wait(NULL);
    say("a program's %s", get("out"));
}

static void core_kinds(void) {
    static const char path[] = "/proc/self/coredump_filter";
    says_kinds();
    static const char *const numbers[] = {"0x7f\n", "7",  "010",        "0xffff", "x",  "0x",
                                          "8 ",     "-1", "4294967296", "+3",     "0XA"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        say("%zu: %ld", i, write_to(path, numbers[i]));
        says_kinds();
    }
    in_child("a child", says_kinds);
    runs_a_program();
}

/* ---- used pages ---- */

static long referenced(const char *at) {
    char begins[32];
    snprintf(begins, sizeof begins, "%lx-", (long)at);
    FILE *maps = fopen("/proc/self/smaps", "r");
    char line[512];
    long found = -1, here = 0;
    while (fgets(line, sizeof line, maps)) {
        if (!strncmp(line, begins, strlen(begins)))
            here = 1;
        if (here && sscanf(line, "Referenced: %ld", &found) == 1)
            break;
    }
    fclose(maps);
    return found;
}

static void used_pages(void) {
    static const char path[] = "/proc/self/clear_refs";
    int file = open("mapped", O_RDWR | O_CREAT, 0600);
    ftruncate(file, 4 * 4096);
    char *of_file = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    char *own = pages(4);
    memset(own, 1, 4 * 4096);
    memset(of_file, 1, 4 * 4096);
    say("used: %ld %ld", referenced(own), referenced(of_file));
    say("file's: %ld", write_to(path, "3"));
    say("used: %ld %ld", referenced(own), referenced(of_file));
    say("private: %ld", write_to(path, "2\n"));
    say("used: %ld %ld", referenced(own), referenced(of_file));
    say("all: %ld", write_to(path, "1"));
    say("used: %ld %ld", referenced(own), referenced(of_file));
    say("4: %ld, 5: %ld", write_to(path, "4"), write_to(path, "5"));
    say("0: %ld, 6: %ld, none: %ld", write_to(path, "0"), write_to(path, "6"), write_to(path, "x"));
    is("not to be read", open(path, O_RDWR) >= 0, 1); /* root may open what it likes */
}

/* ---- stack ---- */

static void sleeps(void) {
    pause();
}

static void looks_as_somebody(void) {
    be(SOMEBODY);
    int file = open("/proc/self/stack", O_RDONLY);
    char some[64];
    is("not for everybody", file < 0 || read(file, some, sizeof some) < 0, 1);
}

static void stacks(void) {
    char path[64];
    int child = start(sleeps);
    until_asleep(child);
    snprintf(path, sizeof path, "/proc/%d/stack", child);
    is("functions", !strncmp(get(path), "[<0>] ", 6), 1);
    kill(child, SIGKILL);
    wait(NULL);
    in_child("another", looks_as_somebody);
}

int main(void) {
    in_child("memory", kinds_of_memory);
    in_child("many", many_regions);
    in_child("signals", queued);
    in_child("filters", filters);
    core_kinds();
    used_pages();
    stacks();
}
