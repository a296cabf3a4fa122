/*
 * k42ctl policy: what is asked for in words.
 */
#include "policy_run.h"

#include <stdlib.h>
#include <string.h>

#define MOST_NS 60000000000ul

static struct policy_words policy;

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
    if (option_value(words, "--on", &policy.scope))
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
    const char *scope = policy.scope;
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

int policy_command(char **words) {
    if (!*words || strcmp(*words++, "run") != 0)
        return wrong_words("policy is followed by run");
    policy.canary = (struct canary){.window_ns = 1000000000, .worse = 10};
    while (*words && !policy.command)
        if (option(&words, "--"))
            policy.command = words;
        else
            take_option(&words);
    if (!policy.file || !policy.scope)
        return wrong_words("%s is missing", policy.file ? "--on" : "the file of a component");
    if (policy.command && !*policy.command)
        return wrong_words("a command is missing after --");
    policy.asked.window_ns = policy.canary.window_ns;
    policy.asked.worse = (uint32_t)policy.canary.worse;
    take_scope();
    return policy_run(&policy);
}
