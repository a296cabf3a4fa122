/*
 * The tree of entries: it only grows, under a lock, and is read without.
 */
#include "../types.h"
#include "../values.h"
#include "inside.h"
#include "runtime.h"

#include <errno.h>
#include <string.h>

struct proc_entry proc_top = {.mode = MODE_DIRECTORY | 0555, .number = 1};
static struct k42_lock lock;
static uint32_t last_number = 1;

/* With the lock: numbers an entry and everything below it. */
static void place(struct proc_entry *entry, struct proc_entry *directory, uint32_t level) {
    entry->parent = directory;
    entry->level = level;
    if (!entry->number)
        entry->number = ++last_number;
    for (struct proc_entry *at = entry->children; at; at = at->sibling)
        place(at, entry, level);
    if (entry->each)
        place(entry->each, entry, level + 1);
}

void proc_add(struct proc_entry *directory, struct proc_entry *entry) {
    directory = directory ? directory : &proc_top;
    k42_lock(&lock);
    place(entry, directory, directory->level);
    struct proc_entry **at = &directory->children;
    while (*at)
        at = &(*at)->sibling;
    __atomic_store_n(at, entry, __ATOMIC_RELEASE);
    k42_unlock(&lock);
}

void proc_add_each(struct proc_entry *directory,
                   k42_result (*next)(const struct proc_key *key, uint64_t from),
                   struct proc_entry *each) {
    directory = directory ? directory : &proc_top;
    k42_lock(&lock);
    place(each, directory, directory->level + 1);
    directory->next = next;
    __atomic_store_n(&directory->each, each, __ATOMIC_RELEASE);
    k42_unlock(&lock);
}

/* A number as names have it: no zeros before it. */
static bool number_of(const struct node_name *name, uint64_t *number) {
    *number = 0;
    if (name->length > 10 || (name->length > 1 && name->text[0] == '0'))
        return false;
    for (uint32_t n = 0; n < name->length; n++) {
        if (name->text[n] < '0' || name->text[n] > '9')
            return false;
        *number = *number * 10 + (uint64_t)(name->text[n] - '0');
    }
    return true;
}

k42_result proc_find(const struct proc_entry *directory, const struct proc_key *key,
                     const struct node_name *name, const struct proc_entry **entry,
                     struct proc_key *found) {
    *found = *key;
    const struct proc_entry *at = __atomic_load_n(&directory->children, __ATOMIC_ACQUIRE);
    for (; at; at = __atomic_load_n(&at->sibling, __ATOMIC_ACQUIRE))
        if (k42_text_length(at->name) == name->length &&
            !memcmp(at->name, name->text, name->length)) {
            *entry = at;
            return 0;
        }
    uint64_t number;
    const struct proc_entry *each = __atomic_load_n(&directory->each, __ATOMIC_ACQUIRE);
    if (!each || !number_of(name, &number) || directory->next(key, number) != (k42_result)number)
        return -ENOENT;
    found->id[directory->level] = number;
    *entry = each;
    return 0;
}

/* ---- text ---- */

void proc_put(struct proc_text *text, const char *bytes, size_t size) {
    if (size > text->room - text->used) {
        size_t room = text->room ? text->room * 2 : 1024;
        while (room - text->used < size)
            room *= 2;
        char *larger = k42_platform_alloc(room);
        if (!larger) {
            text->failed = true;
            return;
        }
        if (text->used)
            memcpy(larger, text->bytes, text->used);
        k42_platform_free(text->bytes);
        text->bytes = larger;
        text->room = room;
    }
    memcpy(text->bytes + text->used, bytes, size);
    text->used += size;
}

void proc_print(struct proc_text *text, const char *format, ...) {
    char line[512];
    va_list list;
    va_start(list, format);
    size_t size = k42_format_list(line, sizeof line, format, list);
    va_end(list);
    proc_put(text, line, size);
}

/* ---- what it has of its own ---- */

static k42_result print_types(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    for (struct file_system_type *type = NULL; (type = file_system_next(type));)
        proc_print(text, "%s\t%s\n", type->has_device ? "" : "nodev", type->name);
    return 0;
}

k42_result proc_root(node_ref *root) {
    static const struct proc_key none;
    k42_ref node;
    k42_result result = proc_node(&proc_top, &none, &node);
    if (result >= 0)
        result = k42_call((node_ref)node, hold);
    *root = (node_ref)node;
    return result;
}

static k42_result make(const char *source, const char *options, node_ref *root) {
    (void)source, (void)options;
    return proc_root(root);
}

void proc_register(void) {
    static struct file_system_type type = {.name = "proc", .make = make};
    static struct proc_entry types = {
        .name = "filesystems", .mode = MODE_REGULAR | 0444, .print = print_types};
    file_system_register(&type);
    proc_add(NULL, &types);
}
