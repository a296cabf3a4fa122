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
 * What came of each (update.c) goes to the kernel's log, and to a file that the command without a
 * directory shows.
 *
 * Owns: that file, by the one that watches. Fails: a file at a time, with a sentence.
 */
#include "updates.h"

#include "k42ctl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
#define LINE     UPDATE_SENTENCE

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

void update_tell(const char *file, const char *word, const char *format, ...) {
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
    char path[768];
    snprintf(path, sizeof path, "%s/%s", watched.folder, name);
    enum update_result result = update_take(path, name);
    known->taken = result == UPDATE_TAKEN;
    if (result != UPDATE_GONE)
        known->done = now;
}

/* Takes the policy that is there now. False: it went meanwhile. */
static bool renew_policy(bool there) {
    char path[768];
    unsigned wrong = 0;
    policy_forget();
    watched.policy_holds = !there;
    if (!there)
        return true;
    snprintf(path, sizeof path, "%s/%s", watched.folder, POLICY);
    FILE *file = fopen(path, "re");
    if (!file && errno == ENOENT)
        return false;
    watched.policy_holds = file && policy_read(file, &wrong);
    if (!watched.policy_holds)
        update_tell(POLICY, "refused",
                    "line %u is not a pattern and eager, lazy, new or never, or cannot be read; "
                    "nothing is taken in until that is right",
                    wrong);
    if (file)
        fclose(file);
    return true;
}

/*
 * Another policy is another chance for what the last one has left. `number`: which one the list
 * has, 0 for none. False: the policy that is listed cannot be found yet, since what is known of a
 * name may be older than the list; whoever put it there before a component wants it to hold for
 * that.
 */
static bool look_at_policy(uint64_t number) {
    struct identity now = {0};
    if (number && (!identify(POLICY, &now) || now.number != number))
        return false;
    if (same(&now, &watched.policy))
        return true;
    if (!renew_policy(number))
        return false;
    watched.policy = now;
    for (size_t i = 0; i < watched.count; i++)
        if (!watched.files[i].taken)
            watched.files[i].done = (struct identity){0};
    return true;
}

static bool is_policy(const struct dirent *entry) {
    return !strcmp(entry->d_name, POLICY);
}

static int is_ours(const struct dirent *entry) {
    size_t length = strlen(entry->d_name), suffix = strlen(UPDATE_SUFFIX);
    return is_policy(entry) || (entry->d_name[0] != '.' && length > suffix &&
                                !strcmp(entry->d_name + length - suffix, UPDATE_SUFFIX));
}

/* One that has gone may come again, as another. */
static void forget_gone(void) {
    size_t kept = 0;
    for (size_t i = 0; i < watched.count; i++)
        if (watched.files[i].there)
            watched.files[kept++] = watched.files[i];
    watched.count = kept;
}

static void look_at_components(struct dirent **names, int count) {
    for (size_t i = 0; i < watched.count; i++)
        watched.files[i].there = false;
    for (int i = 0; i < count; i++)
        if (!is_policy(names[i]))
            look_at(names[i]->d_name);
    forget_gone();
}

/* One list tells of the policy and of the components, so what came first is not seen later. */
static void look(void) {
    struct dirent **names;
    uint64_t policy = 0;
    int count = scandir(watched.folder, &names, is_ours, alphasort);
    if (count < 0)
        return;
    for (int i = 0; i < count; i++)
        if (is_policy(names[i]))
            policy = names[i]->d_ino;
    if (look_at_policy(policy) && watched.policy_holds)
        look_at_components(names, count);
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
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
