/*
 * k42ctl watch and interpose: hooks on objects, which count calls, delay them or answer instead,
 * while this program or the command it runs goes on. They go with this program, however it ends.
 */
#include "k42ctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct placed {
    uint32_t id, hook;
};

static struct {
    struct placed *list;
    size_t count;
} placed;
static volatile sig_atomic_t interrupted;

/* ---- placing ---- */

/* On one object. What is being swapped takes a hook a moment later. False: errno says why not. */
static bool place_one(const struct k42_control_interpose *asked, uint32_t id,
                      struct k42_control_placed *placed_as) {
    enum { ATTEMPTS = 1000, PAUSE_US = 1000 };
    struct answer answer;
    for (int i = 0; i < ATTEMPTS; i++, usleep(PAUSE_US)) {
        if (!ask(K42_CONTROL_INTERPOSE, asked, sizeof *asked, &id, 1, &answer))
            return false;
        memcpy(placed_as, answer.records, sizeof *placed_as);
        if (placed_as->result != -EBUSY)
            break;
    }
    return true;
}

/* A hook that does nothing but know the methods. */
static bool place_plain(uint32_t id, uint32_t *hook) {
    static const struct k42_control_interpose plain;
    struct k42_control_placed one;
    if (!place_one(&plain, id, &one) || one.result)
        return false;
    *hook = one.hook;
    return true;
}

/* The methods of an object, for messages. */
static const char *method_names(uint32_t id) {
    static char text[2048];
    uint32_t hook;
    if (!place_plain(id, &hook))
        return "";
    struct k42_control_one one = {hook};
    struct answer answer;
    if (!ask(K42_CONTROL_CALLS, &one, sizeof one, NULL, 0, &answer))
        return "";
    const struct k42_control_calls *calls = answer.records;
    size_t used = 0;
    for (uint32_t i = 0; i < answer.head->count && used < sizeof text - 64; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s", i ? "," : "; it has",
                                 calls[i].method);
    return text;
}

static int explain(const struct k42_control_placed *one, const char *method) {
    switch (-one->result) {
    case ENOENT:
        return refused("there is no object %u; 'k42ctl objects' lists them", one->id);
    case EINVAL:
        return refused("object %u has no method %s%s", one->id, method, method_names(one->id));
    case ENOTSUP:
        return refused("object %u has an atomic interface, which takes no hooks; "
                       "'k42ctl classes --json' tells which have",
                       one->id);
    case EBUSY:
        return refused("object %u is being swapped; try again", one->id);
    case ENOSPC:
        return refused("object %u: no more than %d hooks at a time", one->id, K42_CONTROL_HOOKS);
    default:
        return refused("object %u: %s", one->id, strerror(-one->result));
    }
}

static int place(const struct k42_control_interpose *asked, const struct subjects *subjects) {
    static struct k42_control_placed records[K42_CONTROL_IDS];
    struct answer answer;
    if (subjects->count > K42_CONTROL_IDS)
        return refused("these are %lu objects; no more than %d take hooks at a time",
                       subjects->count, K42_CONTROL_IDS);
    if (!ask(K42_CONTROL_INTERPOSE, asked, sizeof *asked, subjects->ids, (uint32_t)subjects->count,
             &answer)) {
        if (errno == EPERM)
            return refused("only root may place hooks (CAP_SYS_ADMIN)");
        return refused("the kernel places no hooks: %s", strerror(errno));
    }
    placed.list = allocate(subjects->count * sizeof *placed.list);
    memcpy(records, answer.records, subjects->count * sizeof *records);
    for (size_t i = 0; i < subjects->count; i++)
        if (records[i].result == -EBUSY && !place_one(asked, records[i].id, &records[i]))
            records[i].result = -errno;
    int status = DONE;
    for (size_t i = 0; i < subjects->count; i++)
        if (!records[i].result)
            placed.list[placed.count++] = (struct placed){records[i].id, records[i].hook};
        else if (records[i].result != -ENOENT || !subjects->class_)
            status = explain(&records[i], asked->method);
    return placed.count ? status : REFUSED;
}

/* ---- counts ---- */

static void calls_json(const struct k42_control_calls *one) {
    json_object(NULL);
    json_text("method", one->method);
    json_number("calls", one->calls);
    json_number("failed", one->failed);
    json_number("waits", one->waits);
    json_number("total_ns", one->total_ns);
    json_number("longest_ns", one->longest_ns);
    json_array("within_ns");
    for (unsigned n = 0; n < K42_CONTROL_BUCKETS; n++) {
        if (!one->within[n])
            continue;
        json_object(NULL);
        json_number("below", 1ul << n);
        json_number("calls", one->within[n]);
        json_end();
    }
    json_end();
    json_end();
}

/* The time below which that part of the calls stayed, as the buckets tell it. */
static uint64_t within(const struct k42_control_calls *one, unsigned percent) {
    uint64_t all = 0, sum = 0;
    for (unsigned n = 0; n < K42_CONTROL_BUCKETS; n++)
        all += one->within[n];
    for (unsigned n = 0; n < K42_CONTROL_BUCKETS; n++)
        if ((sum += one->within[n]) * 100 >= all * percent)
            return 1ul << n;
    return 0;
}

static void calls_row(uint32_t id, const struct k42_control_calls *one) {
    uint64_t measured = 0;
    for (unsigned n = 0; n < K42_CONTROL_BUCKETS; n++)
        measured += one->within[n];
    table_cell("%u", id);
    table_cell("%s", one->method);
    table_cell("%lu", one->calls);
    table_cell("%lu", one->waits);
    table_cell("%lu", one->failed);
    table_cell("%s", time_text(measured ? one->total_ns / measured : 0));
    table_cell("%s", measured ? time_text(within(one, 50)) : "");
    table_cell("%s", measured ? time_text(within(one, 99)) : "");
    table_cell("%s", time_text(one->longest_ns));
}

static void show_one(const struct placed *hook) {
    struct answer answer;
    struct k42_control_one one = {hook->hook};
    if (!ask(K42_CONTROL_CALLS, &one, sizeof one, NULL, 0, &answer))
        give_up("the kernel does not tell: %s", strerror(errno));
    const struct k42_control_calls *calls = answer.records;
    if (as_json) {
        json_object(NULL);
        json_number("id", hook->id);
        json_array("methods");
    }
    for (uint32_t i = 0; i < answer.head->count; i++)
        if (calls[i].calls) {
            if (as_json)
                calls_json(&calls[i]);
            else
                calls_row(hook->id, &calls[i]);
        }
    if (as_json) {
        json_end();
        json_end();
    }
}

static void show(void) {
    static const char *const titles[] = {">REF",     "METHOD",    ">CALLS", ">WAITS",  ">ERRORS",
                                         ">AVERAGE", ">MEDIAN <", ">99% <", ">LONGEST"};
    if (as_json) {
        json_object(NULL);
        json_array("objects");
    } else {
        table_begin(titles, sizeof titles / sizeof *titles);
    }
    for (size_t i = 0; i < placed.count; i++)
        show_one(&placed.list[i]);
    if (as_json) {
        json_end();
        json_end();
    } else {
        table_end();
    }
}

/* ---- meanwhile ---- */

static void note_signal(int number) {
    (void)number;
    interrupted = 1;
}

static void heed_signals(void) {
    struct sigaction action = {.sa_handler = note_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* Runs a command to its end; its status as a shell has it. */
static int run(char **words) {
    int status = 0;
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0)
        give_up("cannot start %s: %s", *words, strerror(errno));
    if (pid == 0) {
        execvp(*words, words);
        fprintf(stderr, "k42ctl: cannot start %s: %s\n", *words, strerror(errno));
        _exit(127);
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        kill(pid, SIGTERM);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Sleeps until something interrupts it. */
static void rest(uint64_t ns) {
    struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    ppoll(NULL, 0, &time, NULL);
}

/* Splits the words at "--"; what is behind it, or NULL. */
static char **command_of(char **words) {
    for (; *words; words++)
        if (!strcmp(*words, "--")) {
            *words = NULL;
            return words + 1;
        }
    return NULL;
}

/* ---- the commands ---- */

int watch_command(char **words) {
    struct k42_control_interpose asked = {0};
    struct subjects subjects;
    const char *interval = "1s", *times = NULL;
    uint64_t ns, left = UINT64_MAX;
    char **command = command_of(words);
    while (*words)
        if (!option_value(&words, "--interval", &interval) &&
            !option_value(&words, "--times", &times) && !subject_word(&words))
            return wrong_words("watch does not know %s", *words);
    if (!time_of(interval, 3600000000000, &ns) || (times && !number_of(times, 1u << 30, &left)))
        return wrong_words("--interval takes a time such as 500ms, --times a number");
    if (!subjects_named())
        return wrong_words("which objects is missing");
    if (command && !*command)
        return wrong_words("a command is missing after --");
    subjects_find(&subjects);
    int status = place(&asked, &subjects);
    if (!placed.count)
        return status;
    heed_signals();
    if (command) {
        status = run(command);
        show();
        return status;
    }
    for (; left && !interrupted; left--) {
        rest(ns);
        show();
    }
    return status;
}

/* A number, or a name such as EIO. */
static bool error_of(const char *word, int32_t *error) {
    uint64_t number;
    if (number_of(word, 4095, &number)) {
        *error = (int32_t)number;
        return number > 0;
    }
    for (int e = 1; e < 4096; e++) {
        const char *name = strerrorname_np(e);
        if (name && !strcmp(name, word)) {
            *error = e;
            return true;
        }
    }
    return false;
}

int interpose_command(char **words) {
    struct k42_control_interpose asked = {0};
    struct subjects subjects;
    const char *method = "", *delay = NULL, *error = NULL, *most = "0";
    uint64_t number;
    char **command = command_of(words);
    while (*words)
        if (!option_value(&words, "--method", &method) &&
            !option_value(&words, "--delay", &delay) && !option_value(&words, "--error", &error) &&
            !option_value(&words, "--calls", &most) && !subject_word(&words))
            return wrong_words("interpose does not know %s", *words);
    if (!subjects_named())
        return wrong_words("which objects is missing");
    if (!delay && !error)
        return wrong_words("--delay or --error is missing; 'k42ctl watch' only counts");
    if (delay && !time_of(delay, 1000000000, &asked.delay_ns))
        return wrong_words("--delay takes a time of at most 1s, such as 5ms");
    if (error && !error_of(error, &asked.error))
        return wrong_words("--error takes a number from 1 to 4095, or a name such as EIO");
    if (!number_of(most, UINT32_MAX, &number))
        return wrong_words("--calls takes a number");
    if (strlen(method) >= sizeof asked.method)
        return wrong_words("%s is too long for a method", method);
    if (command && !*command)
        return wrong_words("a command is missing after --");
    asked.most = (uint32_t)number;
    strcpy(asked.method, method);
    subjects_find(&subjects);
    int status = place(&asked, &subjects);
    if (!placed.count)
        return status;
    heed_signals();
    if (command)
        return run(command);
    printf("%lu objects are hooked until this is ended\n", placed.count);
    fflush(stdout);
    while (!interrupted)
        rest(3600000000000);
    return status;
}
