/*
 * k42ctl load, unload, upgrade: components of the running kernel, by Linux's call for modules
 * (k42/modules.h).
 */
#include "k42ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <k42/modules.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

bool modules_ask(int file, const char *parameters, struct k42_modules_answer *answer) {
    char text[512];
    *answer = (struct k42_modules_answer){0};
    snprintf(text, sizeof text, "%s answer=%lx", parameters, (unsigned long)answer);
    if (!syscall(SYS_finit_module, file, text, 0))
        return true;
    if (errno == EPERM)
        give_up("only root may load, unload and upgrade (CAP_SYS_MODULE)");
    if (!answer->why[0])
        snprintf(answer->why, sizeof answer->why, "%s", strerror(errno));
    return false;
}

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* A name becomes one of several words. */
static void must_be_word(const char *name, const char *what) {
    if (!*name || strlen(name) > 60 || strpbrk(name, " ="))
        give_up("there is no %s '%s'", what, name);
}

void modules_put_file(char *to, size_t size, const char *path) {
    snprintf(to, size, "file=%.60s", last_part(path));
    for (char *at = to + strlen("file="); *at; at++)
        if (*at == ' ' || *at == '=')
            *at = '_';
}

static int load(const char *path, const char *more, struct k42_modules_answer *answer) {
    char words[256];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return refused("cannot open %s: %s", path, strerror(errno));
    modules_put_file(words, sizeof words, path);
    strcat(words, more);
    bool done = modules_ask(file, words, answer);
    close(file);
    return done ? DONE : refused("%s", answer->why);
}

int load_command(char **words) {
    struct k42_modules_answer answer;
    if (!words[0] || words[1])
        return wrong_words("load takes one file");
    int status = load(words[0], "", &answer);
    if (status)
        return status;
    if (as_json) {
        json_object(NULL);
        json_text("component", answer.component);
        json_number("load_ns", answer.load_ns);
        json_end();
    } else {
        printf("%s is loaded, in %s\n", answer.component, time_text(answer.load_ns));
    }
    return DONE;
}

int unload_command(char **words) {
    struct k42_modules_answer answer;
    const char *name = NULL, *to = NULL;
    char parameters[160];
    while (*words)
        if (!option_value(&words, "--to", &to)) {
            if (name)
                return wrong_words("unload takes the name of one component");
            name = *words++;
        }
    if (!name)
        return wrong_words("unload takes the name of one component");
    must_be_word(name, "component");
    if (to)
        must_be_word(to, "class");
    snprintf(parameters, sizeof parameters, "unload=%s%s%s", name, to ? " to=" : "", to ? to : "");
    if (!modules_ask(-1, parameters, &answer))
        return refused("%s", answer.why);
    if (!as_json)
        printf("%s is unloaded\n", name);
    return DONE;
}

/* ---- upgrade ---- */

static const char *take_mode(char ***words) {
    static const char *const options[] = {"--eager", "--lazy", "--new"};
    for (unsigned i = 0; i < sizeof options / sizeof *options; i++)
        if (option(words, options[i]))
            return options[i] + 2;
    return NULL;
}

static int tell(int status, const char *mode, const struct k42_modules_answer *answer) {
    if (as_json) {
        json_object(NULL);
        json_text("component", answer->component);
        json_text("mode", mode);
        json_number("total", answer->total);
        json_number("converted", answer->converted);
        json_number("failed", answer->failed);
        json_number("vanished", answer->vanished);
        json_end();
    } else if (!status && !strcmp(mode, "eager")) {
        printf("%lu instances: %lu converted, %lu gone before their turn\n", answer->total,
               answer->converted, answer->vanished);
    } else if (!status && !strcmp(mode, "lazy")) {
        printf("%lu instances are converted as they are used\n", answer->total);
    } else if (!status) {
        printf("new instances are of that version; %lu stay as they are\n", answer->total);
    }
    return status;
}

/* A file, if the word names one; otherwise what is loaded already. */
static int upgrade_to(const char *component, const char *mode, struct k42_modules_answer *answer) {
    char parameters[128];
    if (strchr(component, '/') || !access(component, F_OK)) {
        snprintf(parameters, sizeof parameters, " upgrade=%s", mode);
        return load(component, parameters, answer);
    }
    must_be_word(component, "component");
    snprintf(parameters, sizeof parameters, "component=%s upgrade=%s", component, mode);
    return modules_ask(-1, parameters, answer) ? DONE : refused("%s", answer->why);
}

static int turn_class(const char *name, uint64_t version, const char *mode,
                      struct k42_modules_answer *answer) {
    char parameters[160];
    must_be_word(name, "class");
    snprintf(parameters, sizeof parameters, "class=%s version=%lu upgrade=%s", name, version, mode);
    return modules_ask(-1, parameters, answer) ? DONE : refused("%s", answer->why);
}

int upgrade_command(char **words) {
    struct k42_modules_answer answer;
    const char *mode = "eager", *what[2] = {NULL, NULL};
    uint64_t version = 0;
    unsigned count = 0;
    while (*words) {
        const char *chosen = take_mode(&words);
        if (chosen)
            mode = chosen;
        else if (count == 2 || **words == '-')
            return wrong_words("upgrade does not know %s", *words);
        else
            what[count++] = *words++;
    }
    if (!count)
        return wrong_words("a component, or a class and a version, is missing");
    if (count == 2 && (!number_of(what[1], 999999999, &version) || !version))
        return wrong_words("%s is not a version", what[1]);
    int status = count == 2 ? turn_class(what[0], version, mode, &answer)
                            : upgrade_to(what[0], mode, &answer);
    return tell(status, mode, &answer);
}
