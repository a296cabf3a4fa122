/*
 * Owners and signals of open files: fcntl's part, and the telling. See owners.h.
 *
 * A record is made by the first call that says something, which holds the file, and goes when the
 * file ends: the last release comes after that call's, so it finds the record. An owner is a number
 * and, of a process, its object, so a number that was given to another process tells nobody.
 * Fails: -ENOMEM.
 */
#include "owners.h"

#include "../../fs/file_ends.h"
#include "../../mem/heap/heap.h"
#include "../process/ids.h"
#include "../signal/on_behalf.h"
#include "files.h"
#include "leases.h"
#include "platform.h"

#include <k42/lock.h>

enum owner_kind { OWNER_THREAD, OWNER_PROCESS, OWNER_GROUP };

struct owner {
    enum owner_kind kind;
    int number; /* 0: nobody */
    k42_id process;
    uint32_t uid, euid; /* of who said so */
    int signal;         /* 0: SIGIO, with nothing to say */
};

struct record {
    struct record *next;
    k42_id file;
    struct owner owner;
};

#define BUCKETS 1024u

static struct bucket {
    struct k42_lock lock;
    struct record *first;
} buckets[BUCKETS];

static struct bucket *bucket_of(k42_id file) {
    return &buckets[(file * 0x9e3779b1u >> 16) % BUCKETS];
}

/* ---- records ---- */

/* With the lock: the link to it, or to where the list ends. */
static struct record **find(struct bucket *bucket, k42_id file) {
    struct record **link = &bucket->first;
    while (*link && (*link)->file != file)
        link = &(*link)->next;
    return link;
}

static struct owner look(k42_id file) {
    struct bucket *bucket = bucket_of(file);
    k42_lock(&bucket->lock);
    const struct record *record = *find(bucket, file);
    struct owner owner = record ? record->owner : (struct owner){0};
    k42_unlock(&bucket->lock);
    return owner;
}

/* The file's last holder is leaving. */
static void end(k42_id file, k42_id node) {
    struct bucket *bucket = bucket_of(file);
    folder_watches_end(file);
    async_end(file);
    leases_end(file, node);
    if (!__atomic_load_n(&bucket->first, __ATOMIC_RELAXED))
        return;
    k42_lock(&bucket->lock);
    struct record **link = find(bucket, file), *record = *link;
    if (record)
        *link = record->next;
    k42_unlock(&bucket->lock);
    k42_platform_free(record);
}

void owner_forget(k42_id file) {
    struct bucket *bucket = bucket_of(file);
    k42_lock(&bucket->lock);
    struct record *record = *find(bucket, file);
    if (record)
        record->owner = (struct owner){0};
    k42_unlock(&bucket->lock);
}

void owners_mind_ends(void) {
    __atomic_store_n(&file_ends_told, end, __ATOMIC_RELAXED);
}

static k42_result change(k42_id file, void (*to)(struct owner *owner, const struct owner *asked),
                         const struct owner *asked) {
    struct bucket *bucket = bucket_of(file);
    struct record *made = k42_platform_alloc(sizeof *made);
    if (!made)
        return -ENOMEM;
    made->file = file;
    owners_mind_ends();
    k42_lock(&bucket->lock);
    struct record **link = find(bucket, file);
    if (!*link) {
        *link = made;
        made = NULL;
    }
    to(&(*link)->owner, asked);
    k42_unlock(&bucket->lock);
    k42_platform_free(made);
    return 0;
}

static void to_signal(struct owner *owner, const struct owner *asked) {
    owner->signal = asked->signal;
}

static void to_owner(struct owner *owner, const struct owner *asked) {
    owner->kind = asked->kind;
    owner->number = asked->number;
    owner->process = asked->process;
    if (asked->number) {
        owner->uid = asked->uid;
        owner->euid = asked->euid;
    }
}

static void to_owner_if_none(struct owner *owner, const struct owner *asked) {
    if (!owner->number)
        to_owner(owner, asked);
}

/* ---- owners ---- */

static k42_id process_of(int number) {
    process_ref process = ids_process(number);
    struct process_info info;
    return k42_call(process, info, &info) < 0 ? 0 : k42_id_of(process);
}

static bool is_there(const struct owner *owner) {
    if (owner->kind == OWNER_GROUP)
        return ids_group(owner->number);
    return owner->number && owner->process && process_of(owner->number) == owner->process;
}

/* -ESRCH: there is none of that number. */
static k42_result make(struct owner *owner, enum owner_kind kind, int number) {
    const struct credentials *who = task_self()->credentials;
    *owner = (struct owner){.kind = kind, .number = number, .uid = who->uid, .euid = who->euid};
    if (number && kind != OWNER_GROUP)
        owner->process = process_of(number);
    return number && !is_there(owner) ? -ESRCH : 0;
}

static k42_result set_owner(k42_id file, int number) {
    struct owner owner;
    if (number == INT32_MIN)
        return -EINVAL;
    k42_result result =
        number < 0 ? make(&owner, OWNER_GROUP, -number) : make(&owner, OWNER_PROCESS, number);
    return result < 0 ? result : change(file, to_owner, &owner);
}

k42_result owner_become(k42_id file) {
    struct owner owner;
    k42_result result = make(&owner, OWNER_PROCESS, task_self()->pid);
    return result < 0 ? result : change(file, to_owner_if_none, &owner);
}

struct linux_owner {
    int32_t kind, number;
};

static k42_result set_owner_of_kind(k42_id file, uintptr_t from) {
    struct linux_owner asked;
    struct owner owner;
    k42_result result = files_copy_in(&asked, from, sizeof asked);
    if (result >= 0 && (asked.kind < OWNER_THREAD || asked.kind > OWNER_GROUP))
        result = -EINVAL;
    if (result >= 0)
        result = make(&owner, (enum owner_kind)asked.kind, asked.number);
    return result < 0 ? result : change(file, to_owner, &owner);
}

static k42_result get_owner_of_kind(k42_id file, uintptr_t to) {
    struct owner owner = look(file);
    struct linux_owner told = {.kind = (int32_t)owner.kind,
                               .number = is_there(&owner) ? owner.number : 0};
    return files_copy_out(to, &told, sizeof told);
}

static k42_result get_owner(k42_id file) {
    struct owner owner = look(file);
    if (!is_there(&owner))
        return 0;
    return owner.kind == OWNER_GROUP ? -owner.number : owner.number;
}

static k42_result get_users(k42_id file, uintptr_t to) {
    struct owner owner = look(file);
    uint32_t users[] = {owner.uid, owner.euid};
    return files_copy_out(to, users, sizeof users);
}

k42_result owners_fcntl(file_ref file, int command, uintptr_t argument) {
    k42_id id = k42_id_of(file);
    switch (command) {
    case F_SET_OWNER:
        return set_owner(id, (int)argument);
    case F_GET_OWNER:
        return get_owner(id);
    case F_SET_OWNER_OF_KIND:
        return set_owner_of_kind(id, argument);
    case F_GET_OWNER_OF_KIND:
        return get_owner_of_kind(id, argument);
    case F_GET_OWNER_USERS:
        return get_users(id, argument);
    case F_SET_SIGNAL: {
        struct owner asked = {.signal = (int)argument};
        return argument > SIGNALS ? -EINVAL : change(id, to_signal, &asked);
    }
    default:
        return look(id).signal;
    }
}

/* ---- telling ---- */

static k42_result send(const struct owner *owner, const struct signal_info *info) {
    const struct credentials who = {.uid = owner->uid, .euid = owner->euid};
    if (owner->kind == OWNER_GROUP)
        return signal_group_for(&who, owner->number, info);
    return signal_for(&who, ids_process(owner->number),
                      owner->kind == OWNER_THREAD ? owner->number : 0, info);
}

/* Of these signals a code is taken for what the processor, or a child, has done. */
static bool has_codes(int signal) {
    return signal && ((SIGNALS_FAULTS | signal_bit(SIGCHLD)) & signal_bit(signal));
}

void owner_tell(k42_id file, int fd, const struct owner_news *news) {
    enum { OF_FILE = -5 }; /* SI_SIGIO */
    struct owner owner = look(file);
    struct signal_info plain = signal_from_kernel(SIGIO);
    struct signal_info info = {.signal = owner.signal, .code = news->code};
    info.poll.band = news->band;
    info.poll.fd = fd;
    if (has_codes(owner.signal))
        info.code = OF_FILE;
    if (!is_there(&owner) || (owner.signal && send(&owner, &info) != -EAGAIN))
        return;
    (void)!send(&owner, &plain);
}
