/*
 * Keys, numbers, owners and rights of System V's objects. See ipc.h.
 *
 * A number is a place, and above it how often all places have been gone through. Places are given
 * in a circle that is at most half again as large as what is taken, so that the next free one is
 * near. Chunks of places stay when they have been made. An entry is whole before its place leads
 * to it, and freed a grace period after it does not any more.
 *
 * An object is made without a lock. Of two that are made for one key the later one is given up.
 */
#include "ipc.h"

#include "../../fs/now.h"
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../task.h"

#include <asm/ipcbuf.h>

#define PLACE_BITS   15u
#define MOST_TURNS   65536u
#define LEAST_CIRCLE 64u
#define PERMISSIONS  0777u

static k42_result check_present(const struct ipc_entry *entry, const struct ipc_request *request) {
    if ((request->flags & IPC_CREAT) && (request->flags & IPC_EXCL))
        return -EEXIST;
    if (entry->size < request->size)
        return -EINVAL;
    k42_result result = ipc_allows(entry, (unsigned)request->flags);
    return result < 0 ? result : entry->id;
}

/* ---- keys ---- */

static struct ipc_entry **list_of(struct ipc_table *table, int32_t key) {
    return &table->by_key[(uint32_t)key * 0x9e3779b9u >> 22];
}

static struct ipc_entry *find_key(struct ipc_table *table, int32_t key) {
    struct ipc_entry *entry = *list_of(table, key);
    while (entry && entry->key != key)
        entry = entry->next;
    return entry;
}

static void hide(struct ipc_table *table, struct ipc_entry *entry) {
    struct ipc_entry **link = list_of(table, entry->key);
    if (entry->key == IPC_PRIVATE)
        return;
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
    __atomic_store_n(&entry->key, IPC_PRIVATE, __ATOMIC_RELAXED);
}

void ipc_hide(struct ipc_table *table, struct ipc_entry *entry) {
    k42_lock(&table->lock);
    hide(table, entry);
    k42_unlock(&table->lock);
}

/* ---- places ---- */

struct ipc_entry *ipc_at(struct ipc_table *table, uint32_t place) {
    if (place >= IPC_PLACES)
        return NULL;
    struct ipc_entry **chunk = __atomic_load_n(&table->chunks[place / IPC_CHUNK], __ATOMIC_ACQUIRE);
    return chunk ? __atomic_load_n(&chunk[place % IPC_CHUNK], __ATOMIC_ACQUIRE) : NULL;
}

struct ipc_entry *ipc_find(struct ipc_table *table, int id) {
    struct ipc_entry *entry = id < 0 ? NULL : ipc_at(table, (uint32_t)id % IPC_PLACES);
    return entry && entry->id == id ? entry : NULL;
}

struct ipc_entry *ipc_next(struct ipc_table *table, uint32_t *place) {
    while (*place < IPC_PLACES) {
        struct ipc_entry *entry = ipc_at(table, *place);
        if (entry)
            return entry;
        bool made = __atomic_load_n(&table->chunks[*place / IPC_CHUNK], __ATOMIC_RELAXED);
        *place = made ? *place + 1 : (*place / IPC_CHUNK + 1) * IPC_CHUNK;
    }
    return NULL;
}

int ipc_highest(struct ipc_table *table) {
    uint32_t place = 0, highest = 0;
    for (; ipc_next(table, &place); place++)
        highest = place;
    return (int)highest;
}

/* With the lock. */
static k42_result make_chunk(struct ipc_table *table, uint32_t place) {
    struct ipc_entry ***chunk = &table->chunks[place / IPC_CHUNK];
    if (*chunk)
        return 0;
    struct ipc_entry **made = heap_allocate_zeroed(IPC_CHUNK * sizeof *made);
    __atomic_store_n(chunk, made, __ATOMIC_RELEASE);
    return made ? 0 : -ENOMEM;
}

/* With the lock: the next free one, of which there is one. */
static uint32_t next_free(struct ipc_table *table) {
    uint32_t circle = table->count * 3 / 2, place = table->next;
    circle = circle < LEAST_CIRCLE ? LEAST_CIRCLE : circle;
    circle = circle > IPC_PLACES ? IPC_PLACES : circle;
    for (place = place < circle ? place : 0; ipc_at(table, place);)
        place = place + 1 < circle ? place + 1 : 0;
    return place;
}

/* With the lock: a place for an entry, which is found from then on. */
static k42_result settle(struct ipc_table *table, struct ipc_entry *entry) {
    if (table->count >= __atomic_load_n(&table->most, __ATOMIC_RELAXED) ||
        table->count >= IPC_PLACES)
        return -ENOSPC;
    uint32_t place = next_free(table);
    k42_result result = make_chunk(table, place);
    if (result < 0)
        return result;
    if (place < table->next)
        table->turn = (table->turn + 1) % MOST_TURNS;
    table->next = place + 1;
    table->count++;
    entry->id = (int32_t)(table->turn << PLACE_BITS | place);
    if (entry->key != IPC_PRIVATE) {
        entry->next = *list_of(table, entry->key);
        *list_of(table, entry->key) = entry;
    }
    __atomic_store_n(&table->chunks[place / IPC_CHUNK][place % IPC_CHUNK], entry, __ATOMIC_RELEASE);
    return entry->id;
}

/* ---- making and removing ---- */

static struct ipc_entry *make_entry(const struct ipc_request *request) {
    const struct credentials *who = task_self()->credentials;
    struct ipc_entry *entry = heap_allocate_zeroed(sizeof *entry);
    if (!entry)
        return NULL;
    entry->key = request->key;
    entry->size = request->size;
    entry->uid = entry->cuid = who->euid;
    entry->gid = entry->cgid = who->egid;
    entry->mode = (uint32_t)request->flags & PERMISSIONS;
    entry->changed = ipc_now();
    return entry;
}

static k42_result make(struct ipc_table *table, const struct ipc_request *request) {
    struct ipc_entry *entry = make_entry(request), *present = NULL;
    k42_result result = entry ? table->make(entry, request) : -ENOMEM;
    if (result < 0) {
        heap_free(entry);
        return result;
    }
    k42_lock(&table->lock);
    if (request->key != IPC_PRIVATE)
        present = find_key(table, request->key);
    result = present ? 0 : settle(table, entry);
    k42_unlock(&table->lock);
    if (result < 0 || present) {
        table->unmake(entry);
        heap_free(entry);
    }
    return present ? check_present(present, request) : result;
}

k42_result ipc_get(struct ipc_table *table, const struct ipc_request *request) {
    if (request->key == IPC_PRIVATE)
        return make(table, request);
    k42_lock(&table->lock);
    struct ipc_entry *entry = find_key(table, request->key);
    k42_unlock(&table->lock);
    if (entry)
        return check_present(entry, request);
    return request->flags & IPC_CREAT ? make(table, request) : -ENOENT;
}

static void entry_free(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct ipc_entry, defer));
}

bool ipc_remove(struct ipc_table *table, struct ipc_entry *entry) {
    uint32_t place = (uint32_t)entry->id % IPC_PLACES;
    k42_lock(&table->lock);
    bool first = ipc_at(table, place) == entry;
    if (first) {
        hide(table, entry);
        table->count--;
        __atomic_store_n(&table->chunks[place / IPC_CHUNK][place % IPC_CHUNK], NULL,
                         __ATOMIC_RELEASE);
    }
    k42_unlock(&table->lock);
    if (first)
        k42_defer(&entry->defer, entry_free);
    return first;
}

/* ---- rights ---- */

int64_t ipc_now(void) {
    return node_now().seconds;
}

bool ipc_of_caller(const struct ipc_entry *entry) {
    uint32_t user = task_self()->credentials->euid;
    return user == entry->cuid || user == __atomic_load_n(&entry->uid, __ATOMIC_RELAXED);
}

k42_result ipc_allows(const struct ipc_entry *entry, unsigned mode) {
    const struct credentials *who = task_self()->credentials;
    unsigned wanted = (mode >> 6 | mode >> 3 | mode) & 7;
    unsigned granted = __atomic_load_n(&entry->mode, __ATOMIC_RELAXED);
    if (ipc_of_caller(entry))
        granted >>= 6;
    else if (credentials_in_group(who, entry->cgid) ||
             credentials_in_group(who, __atomic_load_n(&entry->gid, __ATOMIC_RELAXED)))
        granted >>= 3;
    return (wanted & ~granted) && !task_capable(task_self(), CAP_IPC_OWNER) ? -EACCES : 0;
}

k42_result ipc_is_own(const struct ipc_entry *entry) {
    return ipc_of_caller(entry) || task_capable(task_self(), CAP_SYS_ADMIN) ? 0 : -EPERM;
}

void ipc_tell(struct ipc_entry *entry, struct ipc64_perm *perm) {
    k42_lock(&entry->lock);
    *perm = (struct ipc64_perm){.key = __atomic_load_n(&entry->key, __ATOMIC_RELAXED),
                                .uid = entry->uid,
                                .gid = entry->gid,
                                .cuid = entry->cuid,
                                .cgid = entry->cgid,
                                .mode = entry->mode,
                                .seq = (unsigned short)((uint32_t)entry->id >> PLACE_BITS)};
    k42_unlock(&entry->lock);
}

k42_result ipc_set(struct ipc_entry *entry, const struct ipc64_perm *perm) {
    if (perm->uid == ~0u || perm->gid == ~0u)
        return -EINVAL;
    k42_lock(&entry->lock);
    __atomic_store_n(&entry->uid, perm->uid, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->gid, perm->gid, __ATOMIC_RELAXED);
    __atomic_store_n(&entry->mode, (entry->mode & ~PERMISSIONS) | (perm->mode & PERMISSIONS),
                     __ATOMIC_RELAXED);
    __atomic_store_n(&entry->changed, ipc_now(), __ATOMIC_RELAXED);
    k42_unlock(&entry->lock);
    return 0;
}

void ipc_set_mode(struct ipc_entry *entry, uint32_t set, uint32_t clear) {
    k42_lock(&entry->lock);
    __atomic_store_n(&entry->mode, (entry->mode & ~clear) | set, __ATOMIC_RELAXED);
    k42_unlock(&entry->lock);
}
