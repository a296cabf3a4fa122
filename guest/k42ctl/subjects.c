/*
 * Which objects the words after a command mean: numbers, a file, a process, a class.
 *
 * Owns: the words until they are looked up, and the list that they lead to.
 */
#include "k42ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

const char subject_more[] =
    "  REF ...                   numbers, as 'k42ctl objects' shows them\n"
    "  --file PATH               the page cache of that file; --what open, node, medium or all:\n"
    "                            its open files, the node, the pipe or terminal, all of them\n"
    "  --pid N                   that process; --what space, descriptors, files, caches, policy\n"
    "                            (its own PM, if it has one) or all\n"
    "  --class C                 each object of that class\n"
    "  --interface I             each object with that interface\n";

static struct {
    const char *file, *class_, *interface_, *what;
    uint64_t pid;
    bool descendants; /* of the process, too */
    bool looked;      /* they have been found before, so that there may be none left */
    uint32_t *ids;
    size_t count, room;
} words;

static void append(uint32_t id) {
    if (words.count == words.room) {
        words.room = words.room ? 2 * words.room : 64;
        words.ids = enlarge(words.ids, words.room * sizeof *words.ids);
    }
    words.ids[words.count++] = id;
}

/* One that may be there already, or be none. */
static void add(uint32_t id) {
    for (size_t i = 0; i < words.count; i++)
        if (words.ids[i] == id)
            return;
    if (id)
        append(id);
}

bool subject_word(char ***at) {
    const char *pid;
    uint64_t number;
    if (option_value(at, "--file", &words.file) || option_value(at, "--class", &words.class_) ||
        option_value(at, "--interface", &words.interface_) ||
        option_value(at, "--what", &words.what))
        return true;
    if (option_value(at, "--pid", &pid)) {
        if (!number_of(pid, 32767, &words.pid) || !words.pid)
            give_up("%s is no number of a process", pid);
        return true;
    }
    if (!number_of(**at, UINT32_MAX, &number))
        return false;
    if (!number)
        give_up("0 is no object");
    add((uint32_t)number);
    ++*at;
    return true;
}

bool subject_scope(const char *scope) {
    static const char *const kinds[] = {"file:", "pid:", "container:", "class:"};
    words.count = 0;
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i]);
        if (strncmp(scope, kinds[i], length) != 0)
            continue;
        words.what = i < 3 ? "all" : NULL;
        if (i == 0)
            words.file = scope + length;
        else if (i == 3)
            words.class_ = scope + length;
        else if (!number_of(scope + length, 32767, &words.pid) || !words.pid)
            give_up("%s is no number of a process", scope + length);
        words.descendants = i == 2;
        return true;
    }
    return false;
}

bool subjects_named(void) {
    return words.count || words.file || words.pid || words.class_ || words.interface_;
}

static bool wanted(const char *what) {
    return !strcmp(words.what, what) || !strcmp(words.what, "all");
}

static void what_must_be(const char *const *names, const char *of) {
    char list[128] = "";
    for (; *names; names++) {
        if (!strcmp(words.what, *names))
            return;
        strcat(strcat(list, *list ? ", " : ""), *names);
    }
    give_up("--what %s is nothing that a %s has; it has %s", words.what, of, list);
}

/* ---- a file ---- */

/* All open files of a node, of whatever process, or what is behind them. */
static void add_open_files(uint32_t node) {
    owners_load(0);
    for (const struct k42_control_owned *owned = NULL; (owned = owned_next(owned));) {
        if (owned->node != node || owned->role != K42_CONTROL_OPEN || owned->pid == getpid())
            continue;
        if (wanted("open"))
            add(owned->object);
        if (wanted("medium"))
            add(owned->medium);
    }
}

static void add_file(void) {
    static const char *const names[] = {"cache", "open", "node", "medium", "all", NULL};
    struct answer answer;
    int fd = open(words.file, O_PATH | O_CLOEXEC);
    if (fd < 0)
        give_up("cannot find %s: %s", words.file, strerror(errno));
    if (!words.what)
        words.what = "cache";
    what_must_be(names, "file");
    struct k42_control_one one = {.number = (uint64_t)fd};
    if (!ask(K42_CONTROL_FILE, &one, sizeof one, NULL, 0, &answer))
        give_up("the kernel does not tell of %s: %s", words.file, strerror(errno));
    struct k42_control_owned file = *(const struct k42_control_owned *)answer.records;
    size_t before = words.count;
    if (wanted("cache"))
        add(file.cache);
    if (wanted("node"))
        add(file.node);
    if (wanted("open") || wanted("medium"))
        add_open_files(file.node);
    /* It stays open for as long as this program runs, so that what it has does not go meanwhile. */
    if (words.count > before)
        return;
    if (wanted("cache"))
        give_up("%s has no page cache: it is no regular file; --what node means its node",
                words.file);
    give_up("nobody has %s open%s", words.file,
            wanted("medium") ? ", or it is neither a pipe nor a terminal" : "");
}

/* ---- a process ---- */

/* Whether a process is the one that was named, or one of its descendants if these count. */
static bool is_meant(int pid) {
    for (unsigned depth = 0; pid && depth < 32768; depth++) {
        const struct k42_control_owned *owned = NULL;
        if (pid == (int)words.pid)
            return true;
        if (!words.descendants)
            return false;
        do
            owned = owned_next(owned);
        while (owned && (owned->role != K42_CONTROL_PROCESS || owned->pid != pid));
        pid = owned ? (int)owned->parent : 0;
    }
    return false;
}

static void add_owned(const struct k42_control_owned *owned) {
    if ((owned->role == K42_CONTROL_PROCESS && wanted("process")) ||
        (owned->role == K42_CONTROL_SPACE && wanted("space")) ||
        (owned->role == K42_CONTROL_DESCRIPTORS && wanted("descriptors")) ||
        (owned->role == K42_CONTROL_OPEN && wanted("files")))
        add(owned->object);
    if (owned->role == K42_CONTROL_SPACE && wanted("policy"))
        add(owned->medium);
    if (owned->role >= K42_CONTROL_OPEN && wanted("caches"))
        add(owned->cache);
    if (owned->role >= K42_CONTROL_OPEN && wanted("media"))
        add(owned->medium);
}

/* What is told of a process stands together, so whether it is meant is found out once. */
static void add_process(void) {
    static const char *const names[] = {"process", "space",  "descriptors", "files", "caches",
                                        "media",   "policy", "all",         NULL};
    int pid = 0;
    bool meant = false;
    if (!words.what)
        words.what = "process";
    what_must_be(names, "process");
    owners_load(words.descendants ? 0 : (int)words.pid);
    for (const struct k42_control_owned *owned = NULL; (owned = owned_next(owned));) {
        if (owned->pid != pid)
            meant = is_meant(owned->pid);
        pid = owned->pid;
        if (meant)
            add_owned(owned);
    }
    if (!words.count)
        give_up("process %lu has no %s", words.pid, words.what);
}

/* ---- a class or an interface ---- */

static void add_all_of(const char *name) {
    struct k42_control_filter filter = {0};
    size_t size, count;
    if (strlen(name) >= sizeof filter.name)
        give_up("%s is too long for a name", name);
    strcpy(filter.name, name);
    struct k42_control_object *objects = ask_all(K42_CONTROL_OBJECTS, &filter, &size, &count);
    for (size_t i = 0; i < count; i++)
        append(objects[i].id);
}

static bool is_interface(const char *name) {
    size_t count;
    const struct k42_control_class *list = classes(&count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(list[i].interface_, name))
            return true;
    return false;
}

void subjects_find(struct subjects *subjects) {
    if (words.what && !words.file && !words.pid)
        give_up("--what goes with --file or --pid");
    if (words.file)
        add_file();
    if (words.pid)
        add_process();
    if (words.class_) {
        class_must_be(words.class_);
        add_all_of(words.class_);
        if (!words.count && !words.looked)
            give_up("there is no object of class %s", words.class_);
    }
    if (words.interface_) {
        if (!is_interface(words.interface_))
            give_up("there is no interface %s; 'k42ctl classes' lists them", words.interface_);
        add_all_of(words.interface_);
        if (!words.count)
            give_up("there is no object with interface %s", words.interface_);
    }
    words.looked = true;
    *subjects = (struct subjects){words.ids, words.count, words.class_};
}
