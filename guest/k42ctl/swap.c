/*
 * k42ctl swap: replaces objects by ones of another class, while they are used.
 */
#include "k42ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SHOWN = 20 }; /* that were done, one by one */
#define USUAL_ATTEMPTS "4"

static struct { uint64_t done, gone, failed; } totals;

static const char *phase_name(uint32_t phase) {
    static const char *const names[] = {"prepare",  "forward", "block",
                                        "transfer", "done",    "aborted"};
    return phase < sizeof names / sizeof *names ? names[phase] : "?";
}

static void outcome_json(const struct k42_control_outcome *one) {
    json_object(NULL);
    json_number("id", one->id);
    json_text("result", one->result ? strerrorname_np(-one->result) : "");
    json_text("to", one->to);
    json_text("format", one->format);
    json_text("phase", phase_name(one->phase));
    json_number("attempts", one->attempts);
    json_number("prepare_ns", one->prepare_ns);
    json_number("forward_ns", one->forward_ns);
    json_number("block_ns", one->block_ns);
    json_number("transfer_ns", one->transfer_ns);
    if (one->holder_thread) {
        json_number("holder_thread", one->holder_thread);
        json_text("holder_name", one->holder_name);
        json_number("holder_object", one->holder_object);
        json_text("holder_method", one->holder_method);
    }
    json_text("text", one->text);
    json_end();
}

/* What would have worked. */
static const char *advice(const struct k42_control_outcome *one) {
    struct answer answer;
    struct k42_control_one which = {one->id};
    switch (-one->result) {
    case ETIMEDOUT:
        return "; --deadline and --attempts give it more time";
    case EBUSY:
        return "; try again when the other swap is over";
    case ENOTSUP:
        /* The answer would overwrite outcomes not yet looked at, but for the copy that we are
         * given. */
        if (ask(K42_CONTROL_DESCRIBE, &which, sizeof which, NULL, 0, &answer)) {
            const struct k42_control_description *told = answer.records;
            return advice_interface(told->object.interface_);
        }
        return "";
    case EINVAL:
    case ENOENT:
        return strstr(one->text, "traits") ? "; 'k42ctl classes' lists classes and their traits"
                                           : "";
    default:
        return "";
    }
}

static void outcome(const struct k42_control_outcome *one, bool single) {
    bool gone = (one->result == -ENOENT || one->result == -ESTALE) && !single;
    if (!one->result)
        totals.done++;
    else if (gone)
        totals.gone++;
    else
        totals.failed++;
    if (as_json)
        outcome_json(one);
    else if (!one->result && totals.done <= SHOWN)
        printf("%s; calls waited at most %s\n", one->text,
               time_text(one->block_ns + one->transfer_ns));
    else if (one->result && !gone)
        refused("%s%s", one->text, advice(one));
}

/* Whoever named no class means what the object is when its turn comes, maybe something else than
 * when the kernel looked: a pipe that got a second reader, or one in a storm. */
static void insist(const struct k42_control_swap *swap, struct k42_control_outcome *one) {
    struct answer answer;
    for (uint32_t i = 0; i < swap->attempts && one->result == -ESTALE && !*swap->from; i++)
        if (ask(K42_CONTROL_SWAP, swap, sizeof *swap, &one->id, 1, &answer))
            memcpy(one, answer.records, sizeof *one);
}

static bool batch(const struct k42_control_swap *swap, const uint32_t *ids, uint32_t count,
                  bool single) {
    static struct k42_control_outcome outcomes[K42_CONTROL_IDS];
    struct answer answer;
    if (!ask(K42_CONTROL_SWAP, swap, sizeof *swap, ids, count, &answer))
        return false;
    memcpy(outcomes, answer.records, count * sizeof *outcomes);
    for (uint32_t i = 0; i < count; i++) {
        insist(swap, &outcomes[i]);
        outcome(&outcomes[i], single);
    }
    return true;
}

static int swap_all(struct k42_control_swap *swap, const struct subjects *subjects) {
    if (as_json) {
        json_object(NULL);
        json_array("swaps");
    }
    for (size_t at = 0; at < subjects->count; at += K42_CONTROL_IDS) {
        size_t left = subjects->count - at;
        uint32_t count = left < K42_CONTROL_IDS ? (uint32_t)left : K42_CONTROL_IDS;
        if (batch(swap, subjects->ids + at, count, !subjects->class_))
            continue;
        if (errno == EPERM)
            give_up("only root may swap objects (CAP_SYS_ADMIN)");
        give_up("the kernel does not swap: %s", strerror(errno));
    }
    if (as_json) {
        json_end();
        json_number("swapped", totals.done);
        json_number("gone", totals.gone);
        json_number("failed", totals.failed);
        json_end();
    } else if (subjects->count > 1) {
        printf("%lu swapped, %lu gone before their turn, %lu failed\n", totals.done, totals.gone,
               totals.failed);
    }
    return totals.failed ? REFUSED : DONE;
}

static void put_name(char *to, size_t size, const char *name, const char *what) {
    if (strlen(name) >= size)
        give_up("%s is too long for %s", name, what);
    strcpy(to, name);
}

int swap_command(char **words) {
    struct k42_control_swap swap = {0};
    struct subjects subjects;
    const char *to = NULL, *traits = NULL, *deadline = NULL, *attempts = USUAL_ATTEMPTS;
    uint64_t tries;
    while (*words) {
        if (option_value(&words, "--select", &traits) ||
            option_value(&words, "--deadline", &deadline) ||
            option_value(&words, "--attempts", &attempts) || subject_word(&words))
            continue;
        if (to || **words == '-')
            return wrong_words("swap does not know %s", *words);
        to = *words++;
    }
    if (!subjects_named())
        return wrong_words("which objects is missing");
    if (to && traits)
        return wrong_words("a class and --select exclude each other");
    if (deadline && !time_of(deadline, 10000000000, &swap.deadline_ns))
        return wrong_words("--deadline takes a time of at most 10s, such as 50ms");
    if (!number_of(attempts, 64, &tries))
        return wrong_words("--attempts takes a number of at most 64");
    swap.attempts = (uint32_t)tries;
    if (to)
        class_must_be(to);
    subjects_find(&subjects);
    if (to)
        put_name(swap.to, sizeof swap.to, to, "a class");
    if (traits)
        put_name(swap.traits, sizeof swap.traits, traits, "traits");
    if (subjects.class_)
        put_name(swap.from, sizeof swap.from, subjects.class_, "a class");
    return swap_all(&swap, &subjects);
}
