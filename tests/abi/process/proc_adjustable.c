/* Files of /proc/PID that may be written, lines of status, and numbers of /proc/sys. */
#include "abi.h"

#include <sys/prctl.h>

static int write_to(const char *path, const char *text) {
    int fd = open(path, O_WRONLY);
    long result = fd < 0 ? -1 : write(fd, text, strlen(text));
    int error = errno;
    say("%s < %s: %s", path, text, result < 0 ? strerrorname_np(error) : "written");
    close(fd);
    return result < 0;
}

static void shows(const char *path) {
    say("%s: %s", path, get(path));
}

static void names(void) {
    char path[64];
    write_to("/proc/self/comm", "renamed");
    shows("/proc/self/comm");
    write_to("/proc/thread-self/comm", "much longer than it may be");
    shows("/proc/self/comm");
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", getpid());
    say("of the thread: %s", get(path));
    write_to("/proc/self/comm", "line\n");
    shows("/proc/self/comm");
    snprintf(path, sizeof path, "/proc/%d/comm", getppid());
    int fd = open(path, O_WRONLY);
    fails(EINVAL, write, fd, "other", 5);
}

static void somebody(void) {
    struct stat seen;
    be(SOMEBODY);
    prctl(PR_SET_DUMPABLE, 1);
    shows("/proc/self/oom_score_adj");
    write_to("/proc/self/oom_score_adj", "500");
    shows("/proc/self/oom_score_adj");
    write_to("/proc/self/oom_score_adj", "-1");
    write_to("/proc/self/oom_adj", "-17");
    write_to("/proc/1/oom_score_adj", "0");
    stat("/proc/self/status", &seen);
    is("whose", seen.st_uid, SOMEBODY);
}

static void inherited(void) {
    shows("/proc/self/oom_score_adj");
}

static void memory_out(void) {
    shows("/proc/self/oom_score_adj");
    write_to("/proc/self/oom_score_adj", "1000");
    shows("/proc/self/oom_adj");
    write_to("/proc/self/oom_score_adj", "1001");
    write_to("/proc/self/oom_score_adj", "some");
    write_to("/proc/self/oom_adj", "16");
    write_to("/proc/self/oom_adj", "15");
    shows("/proc/self/oom_score_adj");
    write_to("/proc/self/oom_score_adj", "0\n");
    write_to("/proc/self/oom_adj", " 8 ");
    shows("/proc/self/oom_score_adj");
    shows("/proc/self/oom_adj");
    in_child("inherited", inherited);
    write_to("/proc/self/oom_score_adj", "0");
}

/* Of each line that is named here, and there, in what order. */
static void status(void) {
    static const char *const lines[] = {"Name",
                                        "Umask",
                                        "State",
                                        "Tgid",
                                        "Ngid",
                                        "Pid",
                                        "PPid",
                                        "TracerPid",
                                        "Uid",
                                        "Gid",
                                        "FDSize",
                                        "Groups",
                                        "NStgid",
                                        "NSpid",
                                        "NSpgid",
                                        "NSsid",
                                        "VmPeak",
                                        "VmSize",
                                        "VmLck",
                                        "VmPin",
                                        "VmHWM",
                                        "VmRSS",
                                        "RssFile",
                                        "VmData",
                                        "VmStk",
                                        "VmExe",
                                        "VmLib",
                                        "VmPTE",
                                        "HugetlbPages",
                                        "CoreDumping",
                                        "THP_enabled",
                                        "Threads",
                                        "SigPnd",
                                        "ShdPnd",
                                        "SigBlk",
                                        "SigIgn",
                                        "SigCgt",
                                        "CapInh",
                                        "CapPrm",
                                        "CapEff",
                                        "CapBnd",
                                        "CapAmb",
                                        "NoNewPrivs",
                                        "Seccomp",
                                        "Cpus_allowed",
                                        "Cpus_allowed_list",
                                        "Mems_allowed",
                                        "Mems_allowed_list",
                                        "voluntary_ctxt_switches",
                                        "nonvoluntary_ctxt_switches"};
    char text[4096], name[40];
    const char *before = text;
    snprintf(text, sizeof text, "\n%s", get("/proc/self/status"));
    for (unsigned i = 0; i < sizeof lines / sizeof *lines; i++) {
        snprintf(name, sizeof name, "\n%s:\t", lines[i]);
        const char *at = strstr(before, name);
        say("%s %s", lines[i], at ? "follows" : "is not there");
        before = at ? at : before;
    }
    int self = getpid(), session = getsid(0), found[4] = {0};
    sscanf(strstr(text, "NStgid:"), "NStgid:\t%d NSpid:\t%d NSpgid:\t%d NSsid:\t%d", &found[0],
           &found[1], &found[2], &found[3]);
    is("its numbers", found[0] == self && found[1] == self && found[3] == session, 1);
}

static long number_of(const char *line) {
    const char *at = strstr(get("/proc/self/status"), line);
    return at ? atol(at + strlen(line)) : -1;
}

static void kinds(void) {
    enum { PAGE = 4096, BOTH = PROT_READ | PROT_WRITE, OWN = MAP_PRIVATE | MAP_ANONYMOUS };
    long data = number_of("VmData:"), library = number_of("VmLib:"), stack = number_of("VmStk:");
    char *at = mmap(NULL, 16 * PAGE, BOTH, OWN, -1, 0);
    is("data", number_of("VmData:") - data, 64);
    mprotect(at, 4 * PAGE, PROT_READ | PROT_EXEC);
    is("data that is no more", number_of("VmData:") - data, 48);
    is("code", number_of("VmLib:") - library, 16);
    munmap(at, 16 * PAGE);
    mmap(NULL, 4 * PAGE, BOTH, OWN | MAP_GROWSDOWN, -1, 0);
    is("stack", number_of("VmStk:") - stack, 16);
    is("no data", number_of("VmData:") - data, 0);
}

static void one_cpu(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    const char *at = strstr(get("/proc/self/status"), "Cpus_allowed:");
    say("%.*s", (int)strcspn(at, "\n") - 2, at);
    at = strstr(at, "Cpus_allowed_list:");
    say("%.*s", (int)strcspn(at, "\n"), at);
}

/* 8-4-4-4-12 digits. */
static int is_uuid(const char *text) {
    return strlen(text) == 37 && text[8] == '-' && text[13] == '-' && text[14] == '4' &&
           text[18] == '-' && text[23] == '-' && text[36] == '\n' &&
           strspn(text, "0123456789abcdef-") == 36;
}

static void settings(void) {
    char first[64];
    is("a number", is_uuid(get("/proc/sys/kernel/random/uuid")), 1);
    snprintf(first, sizeof first, "%s", get("/proc/sys/kernel/random/boot_id"));
    is("of the boot", is_uuid(first), 1);
    is("the same", strcmp(first, get("/proc/sys/kernel/random/boot_id")), 0);
    shows("/proc/sys/kernel/ngroups_max");
    shows("/proc/sys/fs/pipe-max-size");
    shows("/proc/sys/vm/max_map_count");
}

int main(void) {
    in_child("names", names);
    in_child("memory", memory_out);
    in_child("somebody", somebody);
    in_child("status", status);
    in_child("kinds", kinds);
    in_child("cpus", one_cpu);
    shows("/proc/self/personality");
    shows("/proc/self/timerslack_ns");
    write_to("/proc/self/timerslack_ns", "70000");
    shows("/proc/self/timerslack_ns");
    write_to("/proc/self/timerslack_ns", "x");
    settings();
}
