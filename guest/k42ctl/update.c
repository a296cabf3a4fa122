/*
 * Taking one component in, or not (updates.h).
 *
 * Nothing is changed before all is known of it: it is loaded, which changes no object; its classes
 * are compared with those there are, and with the policy; then it is upgraded to, or unloaded
 * again. Owns: nothing.
 */
#include "updates.h"

#include "k42ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <k42/modules.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CLASSES = 32 };

/* The classes that a component brought, and what each is to replace. */
struct brought {
    struct k42_control_class new[CLASSES];
    uint32_t present[CLASSES];
    enum update_mode mode[CLASSES];
    unsigned count;
};

static void find_brought(const char *component, struct brought *brought) {
    size_t count;
    classes_forget();
    const struct k42_control_class *all = classes(&count);
    for (size_t i = 0; i < count && brought->count < CLASSES; i++)
        if (!strcmp(all[i].component, component) && !(all[i].flags & K42_CONTROL_CURRENT))
            brought->new[brought->count++] = all[i];
}

/* Whether all of it is newer than what is there, and wanted; otherwise why not. */
static bool judge(struct brought *brought, char *why, size_t size) {
    if (!brought->count)
        snprintf(why, size, "it brings no newer version of a class that is there");
    for (unsigned i = 0; i < brought->count; i++) {
        const struct k42_control_class *new = &brought->new[i], *present = class_find(new->name);
        brought->present[i] = present->version;
        brought->mode[i] = policy_mode(new->name);
        if (present->version >= new->version) {
            snprintf(why, size, "version %u of class %s is not newer than the present one, %u",
                     new->version, new->name, present->version);
            return false;
        }
        if (brought->mode[i] == UPDATE_NEVER) {
            snprintf(why, size, "the policy keeps class %s as it is", new->name);
            return false;
        }
    }
    return brought->count;
}

static bool turn(const char *class_, uint32_t version, enum update_mode mode,
                 struct k42_modules_answer *answer) {
    char words[160];
    snprintf(words, sizeof words, "class=%.60s version=%u upgrade=%s", class_, version,
             update_mode_name(mode));
    return modules_ask(-1, words, answer);
}

static bool unload(const char *component) {
    struct k42_modules_answer answer;
    char words[80];
    snprintf(words, sizeof words, "unload=%.40s", component);
    return modules_ask(-1, words, &answer);
}

/* Components whose classes have all been replaced, and that nothing is of any more. */
static void unload_replaced(const char *file) {
    size_t count;
    classes_forget();
    const struct k42_control_class *all = classes(&count);
    for (size_t i = 0; i < count; i++) {
        bool used = !all[i].component[0];
        for (size_t j = 0; j < count && !used; j++)
            used = !strcmp(all[j].component, all[i].component) &&
                   (all[j].flags & K42_CONTROL_CURRENT || all[j].instances);
        if (!used && unload(all[i].component))
            update_tell(file, "replaces", "component %s, which nothing uses any more, is unloaded",
                        all[i].component);
    }
}

/*
 * Class by class. When one cannot be upgraded at all, those before it go back, so that a component
 * is taken in as a whole or not. Instances that did not convert by themselves do not count as that:
 * they go on in the version they are of, beside the others.
 */
static bool upgrade(const char *file, const struct brought *brought) {
    for (unsigned i = 0; i < brought->count; i++) {
        const struct k42_control_class *new = &brought->new[i];
        struct k42_modules_answer answer;
        bool done = turn(new->name, new->version, brought->mode[i], &answer);
        if (!done && !answer.failed) {
            for (unsigned j = 0; j < i; j++) {
                struct k42_modules_answer ignored;
                turn(brought->new[j].name, brought->present[j], UPDATE_EAGER, &ignored);
            }
            update_tell(file, "refused", "%s", answer.why);
            return false;
        }
        update_tell(
            file, done ? "taken" : "taken in part",
            "class %s is version %u instead of %u, %s: %lu instances, %lu converted, %lu stay%s%s",
            new->name, new->version, brought->present[i], update_mode_name(brought->mode[i]),
            answer.total, answer.converted, answer.total - answer.converted - answer.vanished,
            done ? "" : "; ", done ? "" : answer.why);
    }
    return true;
}

/* Loads it, which changes no object. */
static enum update_result load(const char *path, const char *file,
                               struct k42_modules_answer *answer) {
    char words[128];
    modules_put_file(words, sizeof words, path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0 && errno == ENOENT)
        return UPDATE_GONE;
    if (descriptor < 0) {
        update_tell(file, "refused", "it cannot be opened: %s", strerror(errno));
        return UPDATE_LEFT;
    }
    bool done = modules_ask(descriptor, words, answer);
    close(descriptor);
    if (!done) {
        const char *reason =
            strstr(answer->why, " is refused: "); /* the file's name is before it */
        update_tell(file, "refused", "%s", reason ? reason + strlen(" is refused: ") : answer->why);
    }
    return done ? UPDATE_TAKEN : UPDATE_LEFT;
}

enum update_result update_take(const char *path, const char *file) {
    struct k42_modules_answer answer;
    struct brought brought = {.count = 0};
    char why[UPDATE_SENTENCE];
    if (policy_mode(file) == UPDATE_NEVER) {
        update_tell(file, "left", "the policy does not want this file");
        return UPDATE_LEFT;
    }
    enum update_result result = load(path, file, &answer);
    if (result != UPDATE_TAKEN)
        return result;
    find_brought(answer.component, &brought);
    bool wanted = judge(&brought, why, sizeof why);
    if (!wanted)
        update_tell(file, "left", "%s", why);
    if (wanted && upgrade(file, &brought)) {
        unload_replaced(file);
        return UPDATE_TAKEN;
    }
    if (!unload(answer.component))
        update_tell(file, "stays", "component %s cannot be unloaded", answer.component);
    return UPDATE_LEFT;
}
