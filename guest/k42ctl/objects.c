/*
 * k42ctl objects: the live objects, as a tree of processes and their files, then those that no
 * process names by class; or each of some. k42ctl show: all about one.
 */
#include "k42ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096 };

static struct {
    struct k42_control_object *list; /* by id */
    bool *shown;
    size_t count;
} all;

static int by_id(const void *a, const void *b) {
    const struct k42_control_object *one = a, *other = b;
    return one->id < other->id ? -1 : one->id > other->id;
}

static void load(const char *name) {
    struct k42_control_filter filter = {0};
    size_t size;
    if (name && strlen(name) < sizeof filter.name)
        strcpy(filter.name, name);
    all.list = ask_all(K42_CONTROL_OBJECTS, &filter, &size, &all.count);
    qsort(all.list, all.count, sizeof *all.list, by_id);
    all.shown = allocate(all.count + 1);
}

/* One that was alive a moment ago; NULL: it was not. */
static const struct k42_control_object *object_of(uint32_t id) {
    struct k42_control_object key = {.id = id};
    return bsearch(&key, all.list, all.count, sizeof key, by_id);
}

static uint64_t memory_of(const struct k42_control_object *object) {
    return object->bytes + object->pages * PAGE;
}

/* ---- JSON ---- */

static void owners_json(uint32_t id) {
    struct owner owner;
    json_array("owners");
    for (size_t n = 0; owner_of(id, n, &owner); n++) {
        const struct k42_control_owned *owned = owner.owned;
        json_object(NULL);
        json_number("pid", (uint64_t)owned->pid);
        json_text("process", process_name(owned->pid));
        json_text("part", owner.part);
        if (owned->role == K42_CONTROL_OPEN)
            json_number("descriptor", owned->number);
        if (owned->role >= K42_CONTROL_OPEN)
            json_text("file", owned->name);
        json_flag("cut", owned->flags & K42_CONTROL_CUT);
        json_end();
    }
    json_end();
}

static void object_json(const struct k42_control_object *object, const char *text) {
    json_object(NULL);
    json_number("id", object->id);
    json_text("class", object->class_);
    json_number("version", object->version);
    json_text("interface", object->interface_);
    json_number("bytes", object->bytes);
    json_number("pages", object->pages);
    json_number("cpus", object->cpus);
    json_number("hooks", object->interposers);
    json_flag("swapping", object->flags & K42_CONTROL_SWAPPING);
    json_flag("clustered", object->flags & K42_CONTROL_CLUSTERED);
    if (text)
        json_text("text", text);
    owners_json(object->id);
    json_end();
}

/* ---- the tree ---- */

static void row(unsigned depth, const char *label, const struct k42_control_object *object,
                const char *more) {
    table_cell("%*s%s", (int)(2 * depth), "", label);
    table_cell("%u", object->id);
    table_cell("%s%s", object->class_, object->interposers ? " (hooked)" : "");
    table_cell("%s", size_text(memory_of(object)));
    table_cell("%s", more);
    all.shown[object - all.list] = true;
}

static void part_row(unsigned depth, const struct k42_control_owned *owned, unsigned part,
                     const char *more) {
    const char *name;
    uint32_t id = owned_part(owned, part, &name);
    const struct k42_control_object *object = id ? object_of(id) : NULL;
    if (object)
        row(depth, part + 1 == OWNED_PARTS ? object->interface_ : name, object, more);
}

static void file_rows(const struct k42_control_owned *owned) {
    char where[64];
    snprintf(where, sizeof where, owned->role == K42_CONTROL_OPEN ? "file %lu" : "mapped",
             owned->number);
    const struct k42_control_object *file = object_of(owned->object);
    if (file)
        row(1, where, file, file_text(owned));
    for (unsigned part = 1; part < OWNED_PARTS; part++)
        part_row(2, owned, part, "");
}

static void tree(void) {
    static const char *const titles[] = {"OWNER", ">REF", "CLASS", ">MEMORY", "NAME"};
    char process[64];
    table_begin(titles, 5);
    for (const struct k42_control_owned *owned = NULL; (owned = owned_next(owned));) {
        const struct k42_control_object *object = object_of(owned->object);
        snprintf(process, sizeof process, "process %d", owned->pid);
        if (owned->role >= K42_CONTROL_OPEN)
            file_rows(owned);
        else if (object && owned->role == K42_CONTROL_PROCESS)
            row(0, process, object, owned->name);
        else
            part_row(1, owned, 0, "");
    }
    table_end();
}

/* Classes of what no process names, with how many there are. */
static void rest(void) {
    static const char *const titles[] = {"OTHERS, BY CLASS", ">OBJECTS", ">MEMORY", ">SWAPS"};
    size_t count;
    const struct k42_control_class *list = classes(&count);
    putchar('\n');
    table_begin(titles, 4);
    for (size_t c = 0; c < count; c++) {
        uint64_t objects = 0, memory = 0;
        for (size_t i = 0; i < all.count; i++)
            if (!all.shown[i] && all.list[i].version == list[c].version &&
                !strcmp(all.list[i].class_, list[c].name)) {
                objects++;
                memory += memory_of(&all.list[i]);
            }
        if (!objects)
            continue;
        table_cell("%s", list[c].name);
        table_cell("%lu", objects);
        table_cell("%s", size_text(memory));
        table_cell("%lu", list[c].swaps);
    }
    table_end();
}

/* ---- a list ---- */

static void list_rows(const struct subjects *subjects) {
    static const char *const titles[] = {">REF", "CLASS", ">MEMORY", "OWNER"};
    struct owner owner;
    table_begin(titles, 4);
    for (size_t i = 0; i < subjects->count; i++) {
        const struct k42_control_object *object = object_of(subjects->ids[i]);
        if (!object)
            continue;
        table_cell("%u", object->id);
        table_cell("%s%s", object->class_, object->interposers ? " (hooked)" : "");
        table_cell("%s", size_text(memory_of(object)));
        table_cell("%s%s", owner_of(object->id, 0, &owner) ? owner_text(&owner) : "",
                   owner_of(object->id, 1, &owner) ? ", and others" : "");
    }
    table_end();
}

static void objects_json(const struct subjects *subjects) {
    size_t count = subjects ? subjects->count : all.count;
    json_object(NULL);
    json_array("objects");
    for (size_t i = 0; i < count; i++) {
        const struct k42_control_object *object =
            subjects ? object_of(subjects->ids[i]) : &all.list[i];
        if (object)
            object_json(object, NULL);
    }
    json_end();
    json_end();
}

int objects_command(char **words) {
    struct subjects subjects;
    while (*words)
        if (!subject_word(&words))
            return wrong_words("objects does not know %s", *words);
    bool some = subjects_named();
    if (some)
        subjects_find(&subjects);
    owners_load(0);
    load(NULL);
    if (as_json) {
        objects_json(some ? &subjects : NULL);
    } else if (some) {
        list_rows(&subjects);
    } else {
        tree();
        rest();
    }
    return DONE;
}

/* ---- one ---- */

static void show_text(const struct k42_control_description *told) {
    const struct k42_control_object *object = &told->object;
    const struct k42_control_class *class_ = class_find(object->class_);
    struct owner owner;
    printf("object %u\n", object->id);
    printf("  class       %s, version %u%s\n", object->class_, object->version,
           class_ && class_->version != object->version ? " (there is another by now)" : "");
    printf("  interface   %s\n", object->interface_);
    if (class_ && class_->traits[0])
        printf("  traits      %s\n", class_->traits);
    printf("  state       %s\n", told->text[0] ? told->text : "(it says nothing)");
    printf("  memory      %s", size_text(object->bytes));
    if (object->pages)
        printf(" and %s of pages", size_text(object->pages * PAGE));
    printf("\n  used by     %lu processors lately\n", object->cpus);
    if (object->interposers)
        printf("  hooks       %u\n", object->interposers);
    if (object->flags & K42_CONTROL_SWAPPING)
        printf("  is being swapped\n");
    for (size_t n = 0; owner_of(object->id, n, &owner); n++)
        printf("  %-11s %s\n", n ? "" : "is", owner_text(&owner));
    const char *others = advice_interface(object->interface_);
    if (*others)
        printf("  could be    %s\n", strstr(others, "are ") + 4);
}

int show_command(char **words) {
    int status = DONE;
    if (!*words)
        return wrong_words("the number of an object is missing");
    owners_load(0);
    for (; *words; words++) {
        struct answer answer;
        struct k42_control_one one;
        if (!number_of(*words, UINT32_MAX, &one.number))
            return wrong_words("%s is no number of an object", *words);
        if (!ask(K42_CONTROL_DESCRIBE, &one, sizeof one, NULL, 0, &answer)) {
            status = refused("there is no object %s: %s; 'k42ctl objects' lists them", *words,
                             strerror(errno));
            continue;
        }
        struct k42_control_description told =
            *(const struct k42_control_description *)answer.records;
        if (as_json)
            object_json(&told.object, told.text);
        else
            show_text(&told);
    }
    return status;
}
