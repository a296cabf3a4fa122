/*
 * Events of one inotify file, oldest first: a list of records with their names.
 *
 * What is the same as the last one is not put behind it. There are only so many; beyond that one
 * says once that some were lost, until it is read. The record of that, and those of watches that
 * end, are made before they are needed. Locking: the file's lock. Fails: -ENOMEM, which loses
 * events, and is told like too many.
 */
#include "changes.h"

#include "platform.h"

#include <string.h>

enum { HEAD = 16, NAME_UNIT = 16 };

void events_begin(struct changes *changes) {
    changes->last = &changes->first;
    changes->lost.watch = -1;
    changes->lost.what = CHANGES_LOST;
}

size_t event_size(const struct event *event) {
    size_t with_end = event->length ? event->length + 1u : 0;
    return HEAD + (with_end + NAME_UNIT - 1) / NAME_UNIT * NAME_UNIT;
}

struct event *event_make(int32_t watch, const struct notice *notice) {
    uint32_t length = notice->name ? notice->name->length : 0;
    struct event *event = k42_platform_alloc(sizeof *event + length);
    if (!event)
        return NULL;
    event->watch = watch;
    event->what = notice->what;
    event->cookie = notice->cookie;
    event->length = length;
    if (length)
        memcpy(event_name(event), notice->name->text, length);
    return event;
}

static bool is_same(const struct event *a, const struct event *b) {
    return a->what == b->what && a->watch == b->watch && a->length == b->length &&
           a->what != CHANGES_ENDED && !memcmp(event_name(a), event_name(b), a->length);
}

/* ---- with the lock ---- */

static void append(struct changes *changes, struct event *event) {
    event->next = NULL;
    *changes->last = event;
    changes->last = &event->next;
    changes->waiting++;
    changes->bytes += event_size(event);
}

static struct event *last_of(struct changes *changes) {
    return changes->first ? k42_container(changes->last, struct event, next) : NULL;
}

/* True: it waits now. */
static bool add(struct changes *changes, struct event *event) {
    const struct event *last = last_of(changes);
    if (!event || changes->waiting >= CHANGES_EVENTS_MOST) {
        if (changes->has_lost)
            return false;
        changes->has_lost = true;
        append(changes, &changes->lost);
        return !event;
    }
    if (last && is_same(last, event))
        return false;
    append(changes, event);
    return true;
}

/* ---- */

void events_add(struct changes *changes, struct event *event) {
    k42_lock(&changes->lock);
    bool waits = add(changes, event);
    k42_unlock(&changes->lock);
    if (!waits)
        k42_platform_free(event);
    (void)!wait_notify(unnamed_id(&changes->opened), UNNAMED_DATA, WAIT_READ, 1);
}

struct event *events_first(struct changes *changes) {
    k42_lock(&changes->lock);
    struct event *event = changes->first;
    k42_unlock(&changes->lock);
    return event;
}

uint64_t events_bytes(struct changes *changes) {
    k42_lock(&changes->lock);
    uint64_t bytes = changes->bytes;
    k42_unlock(&changes->lock);
    return bytes;
}

void events_take(struct changes *changes) {
    k42_lock(&changes->lock);
    struct event *event = changes->first;
    changes->first = event->next;
    if (!changes->first)
        changes->last = &changes->first;
    changes->waiting--;
    changes->bytes -= event_size(event);
    bool is_kept = event == &changes->lost;
    if (is_kept)
        changes->has_lost = false;
    k42_unlock(&changes->lock);
    if (!is_kept)
        k42_platform_free(event);
}

void events_end(struct changes *changes) {
    while (changes->first)
        events_take(changes);
}
