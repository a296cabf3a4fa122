/*
 * k42ctl policy: a component serves objects for as long as this program runs. Whatever ends it, the
 * kernel has all be again what it was.
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
#define MOST_NS 60000000000ul

static struct {
    struct k42_control_policy asked;
    struct served served;
    struct canary canary;
    const char *file;
    char **command;
    bool is_canary, follows; /* what processes get later */
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
    if (!ask(K42_CONTROL_POLICY, &policy.asked, sizeof policy.asked, ids, count, &answer)) {
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
    const char *number = strchr(policy.served.scope, ':') + 1;
    if (strncmp(policy.served.scope, "class:", 6) && kill(atoi(number), 0) && errno == ESRCH) {
        interrupted = 1; /* whom it was for has gone */
        return;
    }
    (void)subject_scope(policy.served.scope);
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

/* ---- telling ---- */

static const char *state_name(const struct k42_control_run *run) {
    static const char *const names[] = {
        [K42_RUN_RUNS] = "runs",         [K42_RUN_REFUSED] = "refused", [K42_RUN_ASKED] = "ended",
        [K42_RUN_REPLACED] = "replaced", [K42_RUN_STALLED] = "stalled", [K42_RUN_FAILED] = "failed",
        [K42_RUN_WORSE] = "worse",
    };
    return run->why < sizeof names / sizeof *names ? names[run->why] : "?";
}

static void tell(const struct k42_control_run *run) {
    json_object(NULL);
    json_text("component", run->component);
    json_text("class", run->class_);
    json_text("state", state_name(run));
    json_number("objects", run->objects);
    json_number("taken", run->taken);
    json_number("returned", run->returned);
    json_number("left", run->left);
    json_number("held", run->held);
    json_number("calls", run->calls);
    json_number("failed", run->failed);
    json_text("text", run->text);
    json_end();
    fflush(stdout);
}

static void tell_active(const struct k42_control_run *run) {
    if (as_json) {
        tell(run);
        return;
    }
    printf("%s (%s) serves %lu objects%s\n", run->component, run->class_, run->objects,
           policy.command ? "" : " until this is ended");
    if (run->taken)
        printf("%lu of them had another policy that was run\n", run->taken);
    if (run->text[0])
        printf("not all: %s\n", run->text);
    fflush(stdout);
}

static int tell_end(const struct k42_control_run *run) {
    if (as_json)
        tell(run);
    switch (run->why) {
    case K42_RUN_REFUSED:
        return refused("%s", run->text);
    case K42_RUN_ASKED:
        if (!as_json && run->state == K42_RUN_OVER)
            printf("what was before is back: %lu objects; %lu were gone or changed by others\n",
                   run->returned, run->left);
        return DONE;
    case K42_RUN_REPLACED:
        if (!as_json)
            printf("another policy has replaced this one\n");
        return DONE;
    default:
        refused("the policy %s%s: %s; what was before is back: %lu objects",
                run->why == K42_RUN_WORSE ? "is " : "", state_name(run), run->text, run->returned);
        return ROLLED_BACK;
    }
}

/* ---- meanwhile ---- */

static void start_command(void) {
    fflush(stdout);
    policy.pid = fork();
    if (policy.pid < 0)
        give_up("cannot start %s: %s", *policy.command, strerror(errno));
    if (policy.pid)
        return;
    sigprocmask(SIG_SETMASK, &policy.heeded, NULL);
    execvp(*policy.command, policy.command);
    fprintf(stderr, "k42ctl: cannot start %s: %s\n", *policy.command, strerror(errno));
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
    if (policy.command)
        start_command();
    while (run->state == K42_RUN_ACTIVE && !interrupted && !command_ended(&status)) {
        bool changed = wait_for_change(run->changes, policy.follows ? LOOK_NS : 0, run);
        if (!changed && policy.follows && !interrupted)
            follow();
    }
    bool by_itself = run->state != K42_RUN_ACTIVE;
    if (by_itself || interrupted)
        status = stop_command();
    *run = policy_end();
    int end = tell_end(run);
    return end ? end : by_itself || !policy.command ? DONE : status;
}

/* ---- the command ---- */

static void take_percent(const char *word, const char *name, uint64_t most, uint64_t *value) {
    char number[16];
    size_t length = strcspn(word, "%");
    if (length < sizeof number && (!word[length] || !word[length + 1])) {
        memcpy(number, word, length);
        number[length] = 0;
        if (number_of(number, most, value))
            return;
    }
    exit(wrong_words("%s takes a number of percent of at most %lu", name, most));
}

static void take_time(const char *word, const char *name, uint64_t *ns) {
    if (!time_of(word, MOST_NS, ns) || !*ns)
        exit(wrong_words("%s takes a time of at most 60s, such as 500ms", name));
}

static void take_name(char *to, const char *name, const char *what) {
    if (strlen(name) >= K42_CONTROL_NAME)
        give_up("%s is too long for %s", name, what);
    strcpy(to, name);
}

static void take_option(char ***words) {
    const char *word;
    uint64_t number;
    if (option_value(words, "--on", &policy.served.scope))
        return;
    if (option_value(words, "--class", &word)) {
        take_name(policy.asked.class_, word, "a class");
    } else if (option_value(words, "--watch", &word)) {
        take_name(policy.asked.metric, word, "a metric");
        policy.canary.metric = word;
    } else if (option_value(words, "--worse-than", &word)) {
        take_percent(word, "--worse-than", 100000, &policy.canary.worse);
    } else if (option_value(words, "--errors", &word)) {
        take_percent(word, "--errors", 100, &number);
        policy.asked.errors = (uint32_t)number;
    } else if (option_value(words, "--stall", &word)) {
        take_time(word, "--stall", &policy.asked.stall_ns);
    } else if (option_value(words, "--window", &word)) {
        take_time(word, "--window", &policy.canary.window_ns);
    } else if (option(words, "--canary")) {
        policy.is_canary = true;
    } else if (!policy.file && ***words != '-') {
        policy.file = *(*words)++;
    } else {
        exit(wrong_words("policy does not know %s", **words));
    }
}

static void take_scope(void) {
    const char *scope = policy.served.scope;
    bool class_ = !strncmp(scope, "class:", 6);
    if (!subject_scope(scope))
        exit(wrong_words("--on takes file:PATH, pid:N, container:N or class:C"));
    if (class_)
        class_must_be(scope + 6);
    if (class_ && !policy.is_canary)
        take_name(policy.asked.scope, scope + 6, "a class");
    else
        policy.follows = strncmp(scope, "file:", 5) != 0;
}

/* Loads it; with a scope of a class it is active then. */
static struct k42_control_run begin(void) {
    send_file(policy.file);
    struct k42_control_run run = ask_policy(NULL, 0);
    if (run.state != K42_RUN_ACTIVE)
        exit(tell_end(&run));
    classes_forget();
    const struct k42_control_class *class_ = class_find(run.class_);
    if (!class_)
        give_up("component %s has no class", run.component);
    strcpy(policy.interface_, class_->interface_);
    return run;
}

static int run_policy(void) {
    heed_signals();
    struct k42_control_run run = begin();
    if (!policy.asked.scope[0]) {
        find_served(&policy.served);
        if (!policy.served.count)
            return refused("component %s has class %s, of interface %s; nothing of %s has it",
                           run.component, run.class_, policy.interface_, policy.served.scope);
        if (policy.is_canary) {
            int status = canary_run(&policy.canary, &policy.served);
            if (status) {
                run = policy_end();
                int end = tell_end(&run);
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
        tell_active(&run);
    return serve(&run);
}

int policy_command(char **words) {
    if (!*words || strcmp(*words++, "run") != 0)
        return wrong_words("policy is followed by run");
    policy.canary = (struct canary){.window_ns = 1000000000, .worse = 10};
    while (*words && !policy.command)
        if (option(&words, "--"))
            policy.command = words;
        else
            take_option(&words);
    if (!policy.file || !policy.served.scope)
        return wrong_words("%s is missing", policy.file ? "--on" : "the file of a component");
    if (policy.command && !*policy.command)
        return wrong_words("a command is missing after --");
    policy.asked.window_ns = policy.canary.window_ns;
    policy.asked.worse = (uint32_t)policy.canary.worse;
    take_scope();
    return run_policy();
}
