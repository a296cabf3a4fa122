/*
 * What would have worked: the names there are, for messages about those there are not.
 *
 * Owns: the list of classes, loaded when it is first asked for.
 */
#include "k42ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    struct k42_control_class *list;
    size_t count;
} loaded;

const struct k42_control_class *classes(size_t *count) {
    struct k42_control_filter all = {0};
    size_t size;
    if (!loaded.list)
        loaded.list = ask_all(K42_CONTROL_CLASSES, &all, &size, &loaded.count);
    if (count)
        *count = loaded.count;
    return loaded.list;
}

void classes_forget(void) {
    free(loaded.list);
    loaded.list = NULL;
}

/* The current version of that name. */
const struct k42_control_class *class_find(const char *name) {
    const struct k42_control_class *list = classes(NULL), *found = NULL;
    for (size_t i = 0; i < loaded.count; i++)
        if (!strcmp(list[i].name, name) && (!found || list[i].flags & K42_CONTROL_CURRENT))
            found = &list[i];
    return found;
}

/* How many changes of a character make one of the other. */
static unsigned distance(const char *a, const char *b) {
    enum { MOST = K42_CONTROL_NAME };
    unsigned row[MOST + 1], width = (unsigned)strlen(b);
    if (width > MOST || strlen(a) > MOST)
        return MOST;
    for (unsigned j = 0; j <= width; j++)
        row[j] = j;
    for (unsigned i = 1; *a; a++, i++) {
        unsigned before = row[0]++;
        for (unsigned j = 1; j <= width; j++) {
            unsigned change = before + (*a != b[j - 1]),
                     least = row[j] < row[j - 1] ? row[j] : row[j - 1];
            before = row[j];
            row[j] = change < least + 1 ? change : least + 1;
        }
    }
    return row[width];
}

const char *advice_name(const char *name) {
    static char text[2 * K42_CONTROL_NAME + 32];
    const struct k42_control_class *list = classes(NULL);
    unsigned best = ~0u;
    const char *nearest = "";
    for (size_t i = 0; i < loaded.count; i++) {
        unsigned far = distance(name, list[i].name);
        if (far < best) {
            best = far;
            nearest = list[i].name;
        }
    }
    snprintf(text, sizeof text, "; the nearest is %s", nearest);
    return best <= strlen(name) / 2 + 1 ? text : "; 'k42ctl classes' lists them";
}

const char *advice_interface(const char *interface_) {
    static char text[2048];
    const struct k42_control_class *list = classes(NULL);
    size_t used = 0;
    for (size_t i = 0; i < loaded.count && used < sizeof text - 128; i++)
        if (!strcmp(list[i].interface_, interface_) && list[i].flags & K42_CONTROL_CURRENT)
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     used ? ", %s" : "; of interface %s there are %s",
                                     used ? list[i].name : interface_, list[i].name);
    return used ? text : "";
}

void class_must_be(const char *name) {
    if (!class_find(name))
        give_up("there is no class %s%s", name, advice_name(name));
}
