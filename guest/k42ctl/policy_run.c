/*
 * A component serves objects for as long as this program runs. Whatever ends it, the kernel has all
 * be again what it was.
 */
#include "policy_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOK_NS 500000000ul /* after what processes have got since */

static struct {
    struct policy_words words;
    struct served served;
    char interface_[K42_CONTROL_NAME];
    sigset_t heeded; /* what interrupts waiting */
    pid_t pid;       /* of the command */
} policy;
static volatile sig_atomic_t interrupted, child_ended;

/* ---- signals: they come only while something is waited for ---- */

static void note_signal(int number) {
    if (number == SIGCHLD)
        child_ended = 1;
    else
        interrupted = 1;
}

static void heed_signals(void) {
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
    struct sigaction action = {.sa_handler = note_signal};
    sigset_t blocked;
    sigemptyset(&blocked);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        sigaddset(&blocked, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &blocked, &policy.heeded);
}

/* ---- asking ---- */

static const char *why_not(void) {
    return errno == EPERM ? "only root may (CAP_SYS_ADMIN, CAP_SYS_MODULE)" : strerror(errno);
}

static void send_file(const char *path) {
    struct k42_control_piece piece;
    struct answer answer;
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &about) < 0)
        give_up("cannot open %s: %s", path, strerror(errno));
    if (!about.st_size || about.st_size > K42_CONTROL_IMAGE)
        give_up("%s is not a component", path);
    for (uint32_t at = 0; at < about.st_size; at += piece.length) {
        memset(&piece, 0, sizeof piece);
        ssize_t got = read(file, piece.bytes, sizeof piece.bytes);
        if (got <= 0)
            give_up("cannot read %s: %s", path, got ? strerror(errno) : "it has become shorter");
        piece.at = at;
        piece.length = (uint32_t)got;
        piece.size = (uint32_t)about.st_size;
        if (!ask(K42_CONTROL_COMPONENT, &piece, sizeof piece, NULL, 0, &answer))
            give_up("the kernel does not take %s: %s", path, why_not());
    }
    close(file);
}

static struct k42_control_run ask_policy(const uint32_t *ids, uint32_t count) {
    struct answer answer;
    if (!ask(K42_CONTROL_POLICY, &policy.words.asked, sizeof policy.words.asked, ids, count,
             &answer)) {
        if (errno != EBUSY)
            give_up("the kernel does not run it: %s", why_not());
        struct k42_control_one one = {0};
        if (!ask(K42_CONTROL_RUN, &one, sizeof one, NULL, 0, &answer)) /* it has just ended */
            give_up("the kernel does not tell: %s", strerror(errno));
    }
    return *(const struct k42_control_run *)answer.records;
}

struct k42_control_run policy_widen(const uint32_t *ids, size_t count) {
    struct k42_control_run run = {0};
    for (size_t at = 0; at < count; at += K42_CONTROL_IDS) {
        size_t left = count - at;
        run = ask_policy(ids + at, (uint32_t)(left < K42_CONTROL_IDS ? left : K42_CONTROL_IDS));
        if (run.state != K42_RUN_ACTIVE)
            break;
    }
    return run;
}

static struct k42_control_run how_it_is(uint32_t changes) {
    struct k42_control_one one = {changes};
    struct answer answer;
    if (!ask(K42_CONTROL_RUN, &one, sizeof one, NULL, 0, &answer))
        give_up("the kernel does not tell: %s", strerror(errno));
    return *(const struct k42_control_run *)answer.records;
}

struct k42_control_run policy_end(void) {
    struct answer answer;
    interrupted = 0;
    if (ask_until_signal(K42_CONTROL_END, NULL, 0, &policy.heeded, 0, &answer))
        return *(const struct k42_control_run *)answer.records;
    struct k42_control_run run = how_it_is(0);
    if (run.held)
        refused("%lu objects are held up, and go back when calls leave them: %s", run.held,
                run.text);
    return run;
}

/* Until the policy is no longer what it was at `changes`, or so much time has passed. */
static bool wait_for_change(uint32_t changes, uint64_t ns, struct k42_control_run *run) {
    struct k42_control_one one = {changes};
    struct answer answer;
    if (!ask_until_signal(K42_CONTROL_RUN, &one, sizeof one, &policy.heeded, ns, &answer))
        return false;
    *run = *(const struct k42_control_run *)answer.records;
    return true;
}

bool policy_rest(uint64_t ns) {
    struct k42_control_run run = how_it_is(0);
    return run.state == K42_RUN_ACTIVE && !wait_for_change(run.changes, ns, &run) && !interrupted;
}

/* ---- what is served ---- */

/* Those of the objects that are of the policy's interface. */
static void find_served(struct served *served) {
    struct subjects subjects;
    struct answer answer;
    subjects_find(&subjects);
    served->ids = enlarge(served->ids, (subjects.count + 1) * sizeof *served->ids);
    served->count = 0;
    for (size_t i = 0; i < subjects.count; i++) {
        struct k42_control_one one = {subjects.ids[i]};
        if (!ask(K42_CONTROL_DESCRIBE, &one, sizeof one, NULL, 0, &answer))
            continue;
        const struct k42_control_description *told = answer.records;
        if (!strcmp(told->object.interface_, policy.interface_))
            served->ids[served->count++] = subjects.ids[i];
    }
}

/* What processes have got since the last time. */
static void follow(void) {
    struct served now = {0};
    const char *number = strchr(policy.words.scope, ':') + 1;
    if (strncmp(policy.words.scope, "class:", 6) && kill(atoi(number), 0) && errno == ESRCH) {
        interrupted = 1; /* whom it was for has gone */
        return;
    }
    (void)subject_scope(policy.words.scope);
    find_served(&now);
    size_t fresh = 0;
    for (size_t i = 0; i < now.count; i++) {
        size_t at = 0;
        while (at < policy.served.count && policy.served.ids[at] != now.ids[i])
            at++;
        if (at == policy.served.count)
            now.ids[fresh++] = now.ids[i];
    }
    policy_widen(now.ids, fresh);
    struct served *served = &policy.served;
    served->ids = enlarge(served->ids, (served->count + fresh + 1) * sizeof *served->ids);
    memcpy(served->ids + served->count, now.ids, fresh * sizeof *now.ids);
    served->count += fresh;
    free(now.ids);
}

/* ---- meanwhile ---- */

static void start_command(void) {
    fflush(stdout);
    policy.pid = fork();
    if (policy.pid < 0)
        give_up("cannot start %s: %s", *policy.words.command, strerror(errno));
    if (policy.pid)
        return;
    sigprocmask(SIG_SETMASK, &policy.heeded, NULL);
    execvp(*policy.words.command, policy.words.command);
    fprintf(stderr, "k42ctl: cannot start %s: %s\n", *policy.words.command, strerror(errno));
    _exit(127);
}

/* Whether the command has ended; its status as a shell has it. */
static bool command_ended(int *status) {
    int raw;
    if (!child_ended || !policy.pid || waitpid(policy.pid, &raw, WNOHANG) <= 0)
        return false;
    *status = WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    return true;
}

static int stop_command(void) {
    int raw = 0;
    if (!policy.pid)
        return DONE;
    kill(policy.pid, SIGTERM);
    while (waitpid(policy.pid, &raw, 0) < 0 && errno == EINTR)
        continue;
    return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

/* Until it is ended, or ends, or the command does. */
static int serve(struct k42_control_run *run) {
    int status = DONE;
    if (policy.words.command)
        start_command();
    while (run->state == K42_RUN_ACTIVE && !interrupted && !command_ended(&status)) {
        bool changed = wait_for_change(run->changes, policy.words.follows ? LOOK_NS : 0, run);
        if (!changed && policy.words.follows && !interrupted)
            follow();
    }
    bool by_itself = run->state != K42_RUN_ACTIVE;
    if (by_itself || interrupted)
        status = stop_command();
    *run = policy_end();
    int end = policy_tell_end(run);
    return end ? end : by_itself || !policy.words.command ? DONE : status;
}

/* ---- the whole ---- */

/* Loads it; with a scope of a class it is active then. */
static struct k42_control_run begin(void) {
    send_file(policy.words.file);
    struct k42_control_run run = ask_policy(NULL, 0);
    if (run.state != K42_RUN_ACTIVE)
        exit(policy_tell_end(&run));
    classes_forget();
    const struct k42_control_class *class_ = class_find(run.class_);
    if (!class_)
        give_up("component %s has no class", run.component);
    strcpy(policy.interface_, class_->interface_);
    return run;
}

int policy_run(const struct policy_words *words) {
    policy.words = *words;
    policy.served.scope = words->scope;
    heed_signals();
    struct k42_control_run run = begin();
    if (!policy.words.asked.scope[0]) {
        find_served(&policy.served);
        if (!policy.served.count)
            return refused("component %s has class %s, of interface %s; nothing of %s has it",
                           run.component, run.class_, policy.interface_, policy.words.scope);
        if (policy.words.is_canary) {
            int status = canary_run(&policy.words.canary, &policy.served);
            if (status) {
                run = policy_end();
                int end = policy_tell_end(&run);
                return end ? end : status;
            }
            run = how_it_is(0);
        } else {
            run = policy_widen(policy.served.ids, policy.served.count);
        }
        if (run.state == K42_RUN_ACTIVE && !run.objects) {
            policy_end();
            return refused("%s", run.text[0] ? run.text : "none of the objects is there any more");
        }
    }
    if (run.state == K42_RUN_ACTIVE)
        policy_tell_active(&run, policy.words.command);
    return serve(&run);
}
