/*
 * Numbers: a table of entries by number, in chunks that are made when first needed.
 *
 * An entry is in use while its word is not 0; it is taken by compare-and-swap, and its bits are set
 * and cleared by atomic operations, so finding and taking need no lock. Groups and sessions have a
 * lock each. A group without members is dead and stays so: who wants to join it gets -EPERM.
 *
 * Locking: group.lock before session.lock; nothing is called with either held but the heap.
 * Groups' and sessions' memory goes a grace period after their end.
 */
#include "ids.h"

#include "../../mem/heap/heap.h"
#include "../../print.h"

#include <errno.h>
#include <k42/k42.h>

enum { USED_BY_THREAD = 1, USED_BY_GROUP = 2, USED_BY_SESSION = 4 };

#define CHUNK       1024
#define FIRST_AGAIN 300

struct id_entry {
    uint32_t uses;
    k42_id process;
    struct group *group;
    struct session *session;
};

static struct {
    struct id_entry *chunks[IDS_MOST / CHUNK];
    int32_t last; /* given out */
} ids;

static struct id_entry *entry_of(int number) {
    if (number <= 0 || number >= IDS_MOST)
        return NULL;
    struct id_entry *chunk = __atomic_load_n(&ids.chunks[number / CHUNK], __ATOMIC_ACQUIRE);
    return chunk ? &chunk[number % CHUNK] : NULL;
}

/* Of a number that is in use. */
static struct id_entry *known(int number) {
    struct id_entry *entry = entry_of(number);
    if (!entry)
        panic("linux: %d is no number of a process", number);
    return entry;
}

/* Of two that make the same chunk, the second throws his away. */
static struct id_entry *make_entry(int number) {
    if (!entry_of(number)) {
        struct id_entry *chunk = heap_allocate_zeroed(CHUNK * sizeof *chunk), *none = NULL;
        if (!chunk)
            return NULL;
        if (!__atomic_compare_exchange_n(&ids.chunks[number / CHUNK], &none, chunk, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            heap_free(chunk);
    }
    return entry_of(number);
}

uint64_t ids_bytes(void) {
    uint64_t bytes = 0;
    for (int number = 0; number < IDS_MOST; number += CHUNK) {
        struct id_entry *chunk = __atomic_load_n(&ids.chunks[number / CHUNK], __ATOMIC_ACQUIRE);
        bytes += chunk ? heap_size(chunk) : 0;
    }
    return bytes;
}

void ids_open(void) {
    if (!make_entry(1))
        panic("linux: no memory for the table of processes");
}

static int next_number(void) {
    int last = __atomic_load_n(&ids.last, __ATOMIC_RELAXED), next;
    do
        next = last + 1 < IDS_MOST ? last + 1 : FIRST_AGAIN;
    while (!__atomic_compare_exchange_n(&ids.last, &last, next, true, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED));
    return next;
}

k42_result ids_take(void) {
    for (unsigned tries = 0; tries < IDS_MOST; tries++) {
        int number = next_number();
        struct id_entry *entry = make_entry(number);
        uint32_t free = 0;
        if (!entry)
            return -ENOMEM;
        if (__atomic_compare_exchange_n(&entry->uses, &free, USED_BY_THREAD, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return number;
    }
    return -EAGAIN;
}

void ids_set(int number, process_ref process) {
    __atomic_store_n(&known(number)->process, k42_id_of(process), __ATOMIC_RELEASE);
}

static void drop_use(int number, uint32_t use) {
    __atomic_fetch_and(&known(number)->uses, ~use, __ATOMIC_RELEASE);
}

void ids_give(int number) {
    __atomic_store_n(&known(number)->process, 0, __ATOMIC_RELEASE);
    drop_use(number, USED_BY_THREAD);
}

process_ref ids_process(int number) {
    struct id_entry *entry = entry_of(number);
    return (process_ref)k42_id_ref(entry ? __atomic_load_n(&entry->process, __ATOMIC_ACQUIRE) : 0);
}

int ids_next(int number) {
    for (; number < IDS_MOST; number++) {
        if (!__atomic_load_n(&ids.chunks[number / CHUNK], __ATOMIC_ACQUIRE))
            number += CHUNK - 1 - number % CHUNK;
        else if (k42_id_of(ids_process(number)))
            return number;
    }
    return 0;
}

int ids_last(void) {
    return __atomic_load_n(&ids.last, __ATOMIC_RELAXED);
}

/* ---- sessions ---- */

static void free_session(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct session, defer));
}

/* Errors: -EPERM, it has ended. */
static k42_result session_hold(struct session *session) {
    k42_lock(&session->lock);
    bool alive = session->groups;
    session->groups += alive;
    k42_unlock(&session->lock);
    return alive ? 0 : -EPERM;
}

static void session_release(struct session *session) {
    k42_lock(&session->lock);
    bool last = !--session->groups;
    k42_unlock(&session->lock);
    if (!last)
        return;
    __atomic_store_n(&known(session->number)->session, NULL, __ATOMIC_RELEASE);
    drop_use(session->number, USED_BY_SESSION);
    k42_defer(&session->defer, free_session);
}

static struct session *session_make(int number) {
    struct session *session = heap_allocate_zeroed(sizeof *session);
    if (!session)
        return NULL;
    session->number = number;
    session->groups = 1;
    __atomic_fetch_or(&known(number)->uses, USED_BY_SESSION, __ATOMIC_RELAXED);
    __atomic_store_n(&known(number)->session, session, __ATOMIC_RELEASE);
    return session;
}

/* ---- groups ---- */

struct group *ids_group(int number) {
    struct id_entry *entry = entry_of(number);
    return entry ? __atomic_load_n(&entry->group, __ATOMIC_ACQUIRE) : NULL;
}

struct session *ids_session(int number) {
    struct id_entry *entry = entry_of(number);
    return entry ? __atomic_load_n(&entry->session, __ATOMIC_ACQUIRE) : NULL;
}

static void free_group(struct k42_defer *defer) {
    struct group *group = k42_container(defer, struct group, defer);
    heap_free(group->members);
    heap_free(group);
}

static k42_result make_room(struct group *group) {
    if (group->count < group->room)
        return 0;
    uint32_t room = group->room ? 2 * group->room : 4;
    k42_id *members = heap_allocate(room * sizeof *members);
    if (!members)
        return -ENOMEM;
    for (uint32_t i = 0; i < group->count; i++)
        members[i] = group->members[i];
    heap_free(group->members);
    group->members = members;
    group->room = room;
    return 0;
}

static k42_result add_member(struct group *group, struct session *session, k42_id member) {
    k42_result result = -EPERM;
    k42_lock(&group->lock);
    if (group->count && group->session == session)
        result = make_room(group);
    if (result >= 0)
        group->members[group->count++] = member;
    k42_unlock(&group->lock);
    return result;
}

static k42_result make_group(int number, struct session *session, k42_id member) {
    struct id_entry *entry = known(number);
    struct group *group = heap_allocate_zeroed(sizeof *group), *none = NULL;
    if (!group)
        return -ENOMEM;
    k42_result result = make_room(group);
    if (result >= 0 && session)
        result = session_hold(session);
    if (result >= 0 && !session && !(session = session_make(number)))
        result = -ENOMEM;
    if (result < 0) {
        free_group(&group->defer);
        return result;
    }
    group->number = number;
    group->session = session;
    group->members[group->count++] = member;
    __atomic_fetch_or(&entry->uses, USED_BY_GROUP, __ATOMIC_RELAXED);
    if (__atomic_compare_exchange_n(&entry->group, &none, group, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED))
        return 0;
    session_release(session);
    free_group(&group->defer);
    return -EPERM;
}

k42_result group_join(int number, struct session *session, process_ref process) {
    struct group *group = ids_group(number);
    if (group && !session)
        return -EPERM; /* a session's leader begins a group that is not there yet */
    if (group)
        return add_member(group, session, k42_id_of(process));
    process_ref named = ids_process(number);
    if (k42_id_of(named) != k42_id_of(process))
        return -EPERM;
    k42_result result = make_group(number, session, k42_id_of(process));
    if (result == -EPERM && session && (group = ids_group(number)))
        return add_member(group, session, k42_id_of(process)); /* its parent was faster */
    return result;
}

void group_leave(int number, process_ref process) {
    struct group *group = ids_group(number);
    if (!group)
        return;
    k42_lock(&group->lock);
    for (uint32_t i = 0; i < group->count; i++)
        if (group->members[i] == k42_id_of(process)) {
            group->members[i] = group->members[--group->count];
            break;
        }
    bool last = !group->count;
    k42_unlock(&group->lock);
    if (!last)
        return;
    __atomic_store_n(&known(number)->group, NULL, __ATOMIC_RELEASE);
    drop_use(number, USED_BY_GROUP);
    session_release(group->session);
    k42_defer(&group->defer, free_group);
}

/* The count may grow while memory is taken; then it is tried again. */
k42_result group_members(struct group *group, k42_id **members) {
    for (;;) {
        uint32_t room = __atomic_load_n(&group->count, __ATOMIC_RELAXED) + 4;
        k42_id *copy = heap_allocate(room * sizeof *copy);
        if (!copy)
            return -ENOMEM;
        k42_lock(&group->lock);
        uint32_t count = group->count;
        for (uint32_t i = 0; i < count && count <= room; i++)
            copy[i] = group->members[i];
        k42_unlock(&group->lock);
        *members = copy;
        if (count <= room)
            return count;
        heap_free(copy);
    }
}

bool group_is_orphaned(struct group *group, k42_id except) {
    k42_id *members;
    k42_result count = group_members(group, &members);
    bool orphaned = true;
    for (k42_result i = 0; i < count && orphaned; i++) {
        struct process_info member, parent;
        if (members[i] == except ||
            k42_call((process_ref)k42_id_ref(members[i]), info, &member) < 0 ||
            member.state == CHILD_ENDED)
            continue;
        process_ref parent_ref = (process_ref)k42_id_ref(member.parent_process);
        if (k42_call(parent_ref, info, &parent) >= 0 && parent.pid != 1 &&
            parent.group != member.group && parent.session == member.session)
            orphaned = false;
    }
    if (count >= 0)
        heap_free(members);
    return orphaned;
}
