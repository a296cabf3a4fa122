/*
 * k42ctl updates: a directory of components, whose newer versions of the kernel's classes are taken
 * in by themselves; and what came of that.
 *
 * One process watches (init starts it where `./k42 run --updates DIR` asks for it): it looks at the
 * directory again and again, since one of another machine tells of no changes. A file is dealt with
 * once it has been the same in two looks, and again when it is another (by number, size or time):
 * so one that is being copied is waited for, and one that is wrong is refused once. What is right
 * is the kernel's to say, by the signature at its end; what is wanted is the policy's (policy.c).
 *
 * Nothing is changed before all is known of a component: it is loaded, which changes no object; its
 * classes are compared with those there are; then it is upgraded to, or unloaded again. What came
 * of it goes to the kernel's log, and to a file that the command without a directory shows.
 *
 * Owns: that file, by the one that watches. Fails: a file at a time, with a sentence.
 */
#include "updates.h"

#include "k42ctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <k42/modules.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REPORT   "/run/k42-updates" /* a line for each event: time, file, word, sentence */
#define LOG      "/dev/kmsg"
#define ALL_NS   1000000000ul
#define EVERY_NS 250000000ul
#define LINE     512
#define CLASSES  32

/* What tells a file from what it was before. */
struct identity {
    uint64_t number, size, ns;
};

struct known {
    char name[256];
    struct identity seen, done; /* at the last look; when it was dealt with */
    bool taken;
    bool there; /* in the look that is under way */
};

static struct {
    const char *folder;
    struct known *files;
    size_t count;
    struct identity policy;
    bool policy_holds;
} watched;

/* ---- telling ---- */

static void append(const char *path, int flags, const char *line) {
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC | flags, 0644);
    if (file < 0)
        return;
    (void)!write(file, line, strlen(line));
    close(file);
}

__attribute__((format(printf, 3, 4))) static void tell(const char *file, const char *word,
                                                       const char *format, ...) {
    char sentence[LINE], line[LINE + 400];
    va_list list;
    va_start(list, format);
    vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    snprintf(line, sizeof line, "updates: %s %s: %s\n", file, word, sentence);
    append(LOG, 0, line);
    snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\n", (long)time(NULL), file, word, sentence);
    append(REPORT, O_CREAT, line);
}

/* ---- one component ---- */

/* The classes that a component brought, and what each is to replace. */
struct brought {
    struct k42_control_class new[CLASSES];
    uint32_t present[CLASSES];
    enum update_mode mode[CLASSES];
    unsigned count;
};

static bool find_brought(const char *component, struct brought *brought) {
    size_t count;
    classes_forget();
    const struct k42_control_class *all = classes(&count);
    for (size_t i = 0; i < count && brought->count < CLASSES; i++)
        if (!strcmp(all[i].component, component) && !(all[i].flags & K42_CONTROL_CURRENT))
            brought->new[brought->count++] = all[i];
    return brought->count;
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
            tell(file, "replaces", "component %s, which nothing uses any more, is unloaded",
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
            tell(file, "refused", "%s", answer.why);
            return false;
        }
        tell(file, done ? "taken" : "taken in part",
             "class %s is version %u instead of %u, %s: %lu instances, %lu converted, %lu stay%s%s",
             new->name, new->version, brought->present[i], update_mode_name(brought->mode[i]),
             answer.total, answer.converted, answer.total - answer.converted - answer.vanished,
             done ? "" : "; ", done ? "" : answer.why);
    }
    return true;
}

/* Loads it, which changes no object. */
static bool load(const char *file, struct k42_modules_answer *answer) {
    char path[768], words[128];
    snprintf(path, sizeof path, "%s/%s", watched.folder, file);
    modules_put_file(words, sizeof words, path);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        tell(file, "refused", "it cannot be opened: %s", strerror(errno));
        return false;
    }
    bool done = modules_ask(descriptor, words, answer);
    close(descriptor);
    if (!done) {
        const char *reason =
            strstr(answer->why, " is refused: "); /* the file's name is before it */
        tell(file, "refused", "%s", reason ? reason + strlen(" is refused: ") : answer->why);
    }
    return done;
}

/* Whether the component has been taken in. */
static bool take(const char *file) {
    struct k42_modules_answer answer;
    struct brought brought = {.count = 0};
    char why[LINE];
    if (policy_mode(file) == UPDATE_NEVER) {
        tell(file, "left", "the policy does not want this file");
        return false;
    }
    if (!load(file, &answer))
        return false;
    find_brought(answer.component, &brought);
    bool wanted = judge(&brought, why, sizeof why);
    if (!wanted)
        tell(file, "left", "%s", why);
    if (wanted && upgrade(file, &brought)) {
        unload_replaced(file);
        return true;
    }
    if (!unload(answer.component))
        tell(file, "stays", "component %s cannot be unloaded", answer.component);
    return false;
}

/* ---- the directory ---- */

static bool same(const struct identity *left, const struct identity *right) {
    return left->number == right->number && left->size == right->size && left->ns == right->ns;
}

/* False: it is not there, or no file. */
static bool identify(const char *file, struct identity *identity) {
    char path[768];
    struct stat about;
    snprintf(path, sizeof path, "%s/%s", watched.folder, file);
    if (stat(path, &about) || !S_ISREG(about.st_mode))
        return false;
    *identity = (struct identity){about.st_ino, (uint64_t)about.st_size,
                                  (uint64_t)about.st_mtim.tv_sec * ALL_NS +
                                      (uint64_t)about.st_mtim.tv_nsec};
    return true;
}

static struct known *known_as(const char *name) {
    for (size_t i = 0; i < watched.count; i++)
        if (!strcmp(watched.files[i].name, name))
            return &watched.files[i];
    watched.files = enlarge(watched.files, (watched.count + 1) * sizeof *watched.files);
    struct known *known = memset(&watched.files[watched.count++], 0, sizeof *known);
    snprintf(known->name, sizeof known->name, "%s", name);
    return known;
}

static void look_at(const char *name) {
    struct identity now;
    if (!identify(name, &now))
        return;
    struct known *known = known_as(name);
    known->there = true;
    if (same(&now, &known->done))
        return;
    bool settled = same(&now, &known->seen);
    known->seen = now;
    if (!settled)
        return;
    known->done = now;
    known->taken = take(name);
}

/* Another policy is another chance for what the last one has left. */
static void look_at_policy(void) {
    struct identity now = {0};
    char path[768], why[LINE];
    (void)identify(POLICY, &now);
    if (same(&now, &watched.policy))
        return;
    watched.policy = now;
    snprintf(path, sizeof path, "%s/%s", watched.folder, POLICY);
    watched.policy_holds = !now.number || policy_read(path, why, sizeof why);
    if (!now.number)
        policy_forget();
    if (!watched.policy_holds)
        tell(POLICY, "refused", "%s; nothing is taken in until that is right", why);
    for (size_t i = 0; i < watched.count; i++)
        if (!watched.files[i].taken)
            watched.files[i].done = (struct identity){0};
}

static int is_component(const struct dirent *entry) {
    size_t length = strlen(entry->d_name), suffix = strlen(UPDATE_SUFFIX);
    return entry->d_name[0] != '.' && length > suffix &&
           !strcmp(entry->d_name + length - suffix, UPDATE_SUFFIX);
}

/* One that has gone may come again, as another. */
static void forget_gone(void) {
    size_t kept = 0;
    for (size_t i = 0; i < watched.count; i++)
        if (watched.files[i].there)
            watched.files[kept++] = watched.files[i];
    watched.count = kept;
}

static void look(void) {
    struct dirent **names;
    look_at_policy();
    int count =
        watched.policy_holds ? scandir(watched.folder, &names, is_component, alphasort) : -1;
    if (count < 0)
        return;
    for (size_t i = 0; i < watched.count; i++)
        watched.files[i].there = false;
    for (int i = 0; i < count; i++) {
        look_at(names[i]->d_name);
        free(names[i]);
    }
    free(names);
    forget_gone();
}

static int watch(const char *folder, uint64_t every_ns) {
    struct timespec pause = {(time_t)(every_ns / ALL_NS), (long)(every_ns % ALL_NS)};
    struct stat about;
    if (stat(folder, &about) || !S_ISDIR(about.st_mode))
        return refused("%s is not a folder", folder);
    if (geteuid())
        return refused("only root may load components (CAP_SYS_MODULE)");
    watched.folder = folder;
    watched.policy_holds = true;
    for (;;) {
        look();
        nanosleep(&pause, NULL);
    }
}

/* ---- what came of it ---- */

static void show_event(char *line) {
    static const char *const keys[] = {"time", "file", "word", "text"};
    char *rest = line;
    if (as_json)
        json_object(NULL);
    for (unsigned i = 0; i < 4; i++) {
        char *field = strsep(&rest, i < 3 ? "\t" : "\n");
        if (as_json && i)
            json_text(keys[i], field ? field : "");
        else if (as_json)
            json_number(keys[i], strtoul(field, NULL, 10));
        else if (i)
            printf("%s%s", field ? field : "", i < 3 ? " " : "\n");
    }
    if (as_json)
        json_end();
}

static int show(void) {
    char line[LINE + 400];
    FILE *report = fopen(REPORT, "re");
    if (as_json) {
        json_object(NULL);
        json_array("updates");
    }
    while (report && fgets(line, sizeof line, report))
        show_event(line);
    if (as_json) {
        json_end();
        json_end();
    } else if (!report) {
        printf("no update has come; 'k42ctl updates DIR' or './k42 run --updates DIR' watches\n");
    }
    if (report)
        fclose(report);
    return DONE;
}

int updates_command(char **words) {
    const char *folder = NULL, *every = NULL;
    uint64_t every_ns = EVERY_NS;
    while (*words)
        if (option_value(&words, "--every", &every)) {
            if (!time_of(every, 3600 * ALL_NS, &every_ns) || !every_ns)
                return wrong_words("%s is not a time", every);
        } else if (folder || **words == '-') {
            return wrong_words("updates does not know %s", *words);
        } else {
            folder = *words++;
        }
    return folder ? watch(folder, every_ns) : show();
}
