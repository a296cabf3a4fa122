/*
 * The program that all cases are linked into: without arguments it runs each one, in a process and
 * a folder of its own, and writes to its output what they wrote; 'abi NAME ...' runs these alone,
 * and 'abi -1 NAME' is one of those processes.
 *
 * What it writes is "== NAME" before and "-- STATUS" after what each wrote, STATUS as a shell's.
 */
#include "abi.h"

#include "../programs/line.h"

#include <ftw.h>
#include <grp.h>
#include <stdarg.h>
#include <sys/fsuid.h>

#define SECONDS_EACH 20

struct abi_case {
    const char *name;
    int (*main)(void);
};
extern const struct abi_case abi_cases[]; /* by cases.py; ends with NULL */

/* ---- what cases call ---- */

static int failed;
volatile sig_atomic_t caught;

/* What a child says is kept until its parent tells how it ended: else the two would race. */
struct said {
    int pid;
    size_t length;
    char text[(1 << 16) - 16];
};
static struct said *children[8], *kept;

void say(const char *format, ...) {
    char line[4200];
    va_list list;
    va_start(list, format);
    size_t length = line_make(line, sizeof line, format, list);
    va_end(list);
    if (kept) {
        size_t rest = sizeof kept->text - kept->length, fits = length < rest ? length : rest;
        memcpy(kept->text + kept->length, line, fits);
        kept->length += fits;
        return;
    }
    line_write(line, length);
}

static const char *lacking[8];

static int is_lacking(const char *name) {
    for (const char **one = lacking; *one; one++)
        if (!strcmp(*one, name))
            return 1;
    return 0;
}

/* K42 is taken at its word. */
int abi_may_lack(const char *name, long number) {
    const char **one = lacking;
    if (syscall(number, -1l, -1l, -1l, -1l, -1l, -1l) != -1 || errno != ENOSYS ||
        !access("/proc/k42", F_OK))
        return 0;
    while (*one)
        one++;
    *one = name;
    return 1;
}

long abi_told(const char *name, long result, int wanted_error, long wanted, int any) {
    int error = result == -1 ? errno : 0;
    if (error == ENOSYS && is_lacking(name)) {
        error = wanted_error;
        result = error ? -1 : any ? 0 : wanted;
    }
    if (error)
        say("%s: %s", name, strerrorname_np(error));
    else if (any)
        say("%s: works", name);
    else
        say("%s: %ld", name, result);
    if (error != wanted_error || (!any && result != wanted)) {
        say("  but wanted %s%ld", wanted_error ? strerrorname_np(wanted_error) : "", wanted);
        failed = 1;
    }
    errno = error;
    return result;
}

void abi_came_back(const char *name) {
    say("%s: came back: %s", name, strerrorname_np(errno));
    failed = 1;
}

void is(const char *what, long value, long wanted) {
    say("%s: %ld", what, value);
    if (value != wanted) {
        say("  but wanted %ld", wanted);
        failed = 1;
    }
}

void give_up(const char *why) {
    say("gives up: %s: %s", why, strerrorname_np(errno));
    _exit(1);
}

void be(int user) {
    if (setgroups(0, NULL) || setresgid(user, user, user) || setresuid(user, user, user))
        give_up("be");
}

void with_rights_of(int user) {
    setfsuid(user);
}

void put(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        give_up(path);
    close(fd);
}

const char *get(const char *path) {
    static char text[4096];
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, text, sizeof text - 1);
    if (fd < 0 || length < 0)
        give_up(path);
    close(fd);
    text[length] = 0;
    return text;
}

int start(void (*fn)(void)) {
    struct said *said = mmap(NULL, sizeof *said, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                             -1, 0),
                **free = children;
    int child = fork();
    if (child < 0 || said == MAP_FAILED)
        give_up("fork");
    while (*free)
        free++;
    *free = said;
    if (child)
        said->pid = child; /* the child shares this word */
    if (!child) {
        failed = 0;
        kept = said;
        memset(children, 0, sizeof children);
        fn();
        _exit(failed);
    }
    return child;
}

void ended(const char *what, int child) {
    int status;
    int who;
    while ((who = waitpid(child, &status, 0)) < 0 && errno == EINTR)
        ; /* the case's own alarms go on */
    if (who != child)
        give_up("waitpid");
    struct said **said = children;
    while (!*said || (*said)->pid != child)
        said++;
    for (char *line = (*said)->text, *end; (end = strchr(line, '\n')); line = end + 1)
        say("%.*s", (int)(end - line), line);
    munmap(*said, sizeof **said);
    *said = NULL;
    if (WIFEXITED(status))
        say("%s: exited %d", what, WEXITSTATUS(status));
    else
        say("%s: killed by %d%s", what, WTERMSIG(status), WCOREDUMP(status) ? ", core" : "");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) /* it said what was not as wanted */
        failed = 1;
}

void in_child(const char *what, void (*fn)(void)) {
    ended(what, start(fn));
}

void doze(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&time, &time) && errno == EINTR)
        ;
}

static void until_sleep_in(const char *path) {
    for (;;) {
        const char *after = strrchr(get(path), ')');
        if (after && (after[2] == 'S' || after[2] == 'D'))
            break;
        doze(1);
    }
    doze(20); /* Linux says S a little before it sleeps */
}

void until_asleep(int pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    until_sleep_in(path);
}

void until_thread_asleep(int tid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    until_sleep_in(path);
}

static void count(int signal) {
    (void)signal;
    caught++;
}

void handle(int signal, int flags) {
    struct sigaction action = {.sa_handler = count, .sa_flags = flags};
    if (sigaction(signal, &action, NULL))
        give_up("sigaction");
}

/* Comes again and again, lest a first one come before the call that it is to interrupt. */
void alarm_in(long milliseconds) {
    struct timeval once = {milliseconds / 1000, milliseconds % 1000 * 1000};
    struct itimerval timer = {.it_value = once, .it_interval = once};
    if (setitimer(ITIMER_REAL, &timer, NULL))
        give_up("setitimer");
}

char *pages(int count) {
    char *at = mmap(NULL, (size_t)count * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                    -1, 0);
    if (at == MAP_FAILED)
        give_up("mmap");
    return at;
}

char *page_end(void) {
    char *at = pages(2);
    munmap(at + 4096, 4096);
    return at + 4096;
}

char *read_only(void) {
    char *at = pages(1);
    mprotect(at, 4096, PROT_READ);
    return at;
}

const struct bad_path *bad_paths_made(void) {
    static char longest[300];
    static const struct bad_path bad[] = {
        {ENOENT, "bad_missing/x"}, {ENOENT, ""},  {ENOTDIR, "bad_file/x"},
        {ELOOP, "bad_loop/x"},     {EFAULT, BAD}, {ENAMETOOLONG, longest},
        {EACCES, "bad_closed/x"},  {0, NULL},
    };
    if (!longest[0]) {
        memset(longest, 'n', sizeof longest - 1);
        put("bad_file", "");
        if (symlink("bad_loop", "bad_loop") || mkdir("bad_closed", 0700))
            give_up("bad paths");
    }
    return bad;
}

/* ---- running them ---- */

static int child_of_it(const struct abi_case *one) {
    int null = open("/dev/null", O_RDONLY);
    dup2(null, 0);
    close(null);
    setsid();
    umask(022);
    int status = one->main();
    return status ? status : failed;
}

static const struct abi_case *find(const char *name) {
    for (const struct abi_case *one = abi_cases; one->name; one++)
        if (!strcmp(one->name, name))
            return one;
    fprintf(stderr, "abi: there is no case '%s'\n", name);
    exit(2);
}

static int removed(const char *path, const struct stat *, int, struct FTW *) {
    return remove(path);
}

static void pass_on(int from) {
    char lines[4096];
    for (ssize_t length; (length = read(from, lines, sizeof lines)) > 0;)
        if (write(1, lines, (size_t)length) != length)
            _exit(99);
}

static void run(const struct abi_case *one) {
    char folder[] = "/tmp/abi-XXXXXX";
    say("== %s", one->name);
    int child, status;
    if (!mkdtemp(folder) || chmod(folder, 0777) || chdir(folder))
        give_up(folder);
    /* Through a pipe of its own: what outlives a case does not write between the next one's lines.
     */
    int ends[2];
    if (pipe(ends) || fcntl(ends[0], F_SETFL, O_NONBLOCK))
        give_up("pipe");
    time_t end = time(NULL) + SECONDS_EACH;
    child = fork();
    if (!child) {
        dup2(ends[1], 1);
        dup2(ends[1], 2);
        close_range(3, ~0u, 0);
        execl("/proc/self/exe", "abi", "-1", one->name, NULL);
        give_up("exec");
    }
    close(ends[1]);
    while (waitpid(child, &status, WNOHANG) == 0) {
        pass_on(ends[0]);
        if (time(NULL) > end)
            kill(child, SIGKILL);
        doze(1);
    }
    kill(-child, SIGKILL);
    pass_on(ends[0]);
    close(ends[0]);
    say("-- %d", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    if (chdir("/tmp"))
        give_up("/tmp");
    nftw(folder, removed, 8, FTW_DEPTH | FTW_PHYS);
}

int main(int count, char **words) {
    if (count == 3 && !strcmp(words[1], "-1"))
        return child_of_it(find(words[2]));
    if (count > 1)
        for (int i = 1; i < count; i++)
            run(find(words[i]));
    else
        for (const struct abi_case *one = abi_cases; one->name; one++)
            run(one);
    return 0;
}
