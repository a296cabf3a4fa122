/* Files of /proc/PID that tell of a call, of who logged in, and what the machine's tell. */
#include "abi.h"

static char text[1 << 16];

static void read_all(const char *path) {
    int file = open(path, O_RDONLY);
    ssize_t got = read(file, text + 1, sizeof text - 2);
    text[0] = '\n';
    text[got > 0 ? got + 1 : 1] = 0;
    close(file);
}

static long number(const char *name) {
    char line[64];
    snprintf(line, sizeof line, "\n%s", name);
    const char *found = strstr(text, line);
    return found ? strtol(found + strlen(line) + 1, NULL, 10) : -1;
}

static void waits(void) {
    pause();
}

static void call_of(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/syscall", pid);
    const char *text = get(path);
    say("a call: %.*s", (int)(strchr(text, ' ') - text), text);
    int words = 0;
    for (const char *at = text; (at = strchr(at, ' ')); at++)
        words += at[1] == '0' && at[2] == 'x';
    is("words", words, 8);
}

static long write_login(int file, const char *what) {
    long result = pwrite(file, what, strlen(what), 0);
    return result < 0 ? -errno : result;
}

static void child_of_login(void) {
    say("inherited %s", get("/proc/self/loginuid"));
}

static void logs_in(void) {
    int file = open("/proc/self/loginuid", O_WRONLY);
    is("nobody", strcmp(get("/proc/self/loginuid"), "4294967295"), 0);
    is("no session", strcmp(get("/proc/self/sessionid"), "4294967295"), 0);
    is("no number", write_login(file, "me"), -EINVAL);
    is("written", write_login(file, "1000"), 4);
    say("login %s", get("/proc/self/loginuid"));
    is("a session", strcmp(get("/proc/self/sessionid"), "4294967295") != 0, 1);
    in_child("a child", child_of_login);
    be(SOMEBODY);
    is("once", write_login(file, "1001"), -EPERM);
}

int main(void) {
    say("wchan %s", get("/proc/self/wchan"));
    call_of(getpid());
    int child = start(waits);
    until_asleep(child);
    call_of(child);
    kill(child, SIGKILL);
    ended("what waits", child);
    in_child("who logs in", logs_in);
    read_all("/proc/meminfo");
    is("a large page", number("Hugepagesize:"), 2048);
    static const char *const lines[] = {
        "Active:", "Inactive:", "Slab:", "KernelStack:", "PageTables:", "CommitLimit:", "Dirty:"};
    for (size_t n = 0; n < sizeof lines / sizeof *lines; n++)
        is(lines[n], number(lines[n]) >= 0, 1);
    read_all("/proc/vmstat");
    is("free", number("nr_free_pages") > 0, 1);
    is("swapped in", number("pswpin") >= 0, 1);
}
