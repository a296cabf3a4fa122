/*
 * Pseudo-terminals by number, and the devpts that they are in.
 *
 * A devpts has no hold of its root: it is there while somebody else holds it, a mount or the
 * pseudo-terminals in it. Records of those that are gone are taken out of the list when the next
 * one is made, and freed a grace period later, as pseudo-terminals are: whoever is active may
 * follow what he found in the list or the table.
 *
 * Locking: a devpts's lock for its numbers, the list's for the list; nothing is called with either
 * held. A number is free only when its terminal has ended, so nobody finds an old one by it.
 */
#include "devpts.h"

#include "../../../fs/devices.h"
#include "../../../fs/values.h"
#include "../../../linux/job.h"
#include "../../../mem/heap/heap.h"
#include "runtime.h"

#include <errno.h>

static struct {
    struct k42_lock lock;
    struct devpts *first; /* oldest first */
} all;

static const struct credentials anybody = {.effective = ~0ul};

/* ---- the list ---- */

struct devpts *devpts_first(void) {
    return __atomic_load_n(&all.first, __ATOMIC_ACQUIRE);
}

struct devpts *devpts_of(k42_ref node) {
    struct node_attributes attributes;
    if (k42_call((node_ref)node, attributes, &attributes) < 0)
        return NULL;
    struct devpts *devpts = devpts_first();
    while (devpts && devpts->device != attributes.device)
        devpts = __atomic_load_n(&devpts->next, __ATOMIC_ACQUIRE);
    return devpts;
}

static void free_devpts(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct devpts, defer));
}

/* What nobody holds is out of use for good: a hold cannot be had of it any more. */
static bool is_over(const struct devpts *devpts) {
    if (k42_call(devpts->root, hold) < 0)
        return true;
    (void)!k42_call(devpts->root, release);
    return false;
}

static void forget(struct devpts *over) {
    k42_lock(&all.lock);
    struct devpts **at = &all.first;
    while (*at && *at != over)
        at = &(*at)->next;
    bool found = *at;
    if (found)
        __atomic_store_n(at, over->next, __ATOMIC_RELEASE);
    k42_unlock(&all.lock);
    if (found)
        k42_defer(&over->defer, free_devpts);
}

void devpts_list(struct devpts *devpts) {
    for (struct devpts *at = devpts_first(), *next; at; at = next) {
        next = __atomic_load_n(&at->next, __ATOMIC_ACQUIRE);
        if (is_over(at))
            forget(at);
    }
    k42_lock(&all.lock);
    struct devpts **end = &all.first;
    while (*end)
        end = &(*end)->next;
    __atomic_store_n(end, devpts, __ATOMIC_RELEASE);
    k42_unlock(&all.lock);
}

/* ---- numbers ---- */

static k42_result take_number(struct devpts *devpts) {
    k42_result number = -ENOSPC;
    k42_lock(&devpts->lock);
    for (unsigned word = 0; word < PTY_MOST / 64 && number < 0; word++)
        if (~devpts->used[word])
            number = (k42_result)(word * 64 + (unsigned)__builtin_ctzl(~devpts->used[word]));
    if (number >= (k42_result)devpts->most)
        number = -ENOSPC;
    if (number >= 0)
        devpts->used[number / 64] |= 1ul << number % 64;
    k42_unlock(&devpts->lock);
    return number;
}

static void give_number(struct devpts *devpts, uint32_t number) {
    k42_lock(&devpts->lock);
    devpts->used[number / 64] &= ~(1ul << number % 64);
    k42_unlock(&devpts->lock);
}

/* ---- one ---- */

static struct node_name name_of(uint32_t index, char text[16]) {
    uint32_t length = (uint32_t)k42_format_text(text, 16, "%u", index);
    return (struct node_name){text, length, node_hash(text, length)};
}

static k42_result make_node(struct pty *pty) {
    struct devpts *devpts = pty->devpts;
    char text[16];
    uint32_t uid, gid;
    job_user(&uid, &gid);
    struct node_new what = {
        .name = name_of(pty->index, text),
        .mode = MODE_CHARACTER | devpts->mode,
        .uid = devpts->sets_uid ? devpts->uid : uid,
        .gid = devpts->sets_gid ? devpts->gid : gid,
        .special = device_number(DEVPTS_TERMINALS, pty->index),
    };
    struct k42_pair made = k42_call(devpts->root, create, &what);
    if (made.result < 0)
        return made.result == -EEXIST ? -ENOSPC : made.result;
    pty->node = (node_ref)made.word;
    return k42_call(pty->node, hold);
}

static void take_name_away(struct pty *pty) {
    char text[16];
    struct node_name name = name_of(pty->index, text);
    (void)!k42_call(pty->devpts->root, unlink, &name, false, &anybody);
}

static k42_result make_terminal(struct pty *pty) {
    struct terminal_new what = {device_number(DEVPTS_TERMINALS, pty->index), (uintptr_t)pty};
    k42_result result = terminal_create(&what, &pty->terminal);
    if (result < 0)
        return result;
    result = make_node(pty);
    if (result < 0)
        (void)!k42_destroy((k42_ref)pty->terminal);
    return result;
}

k42_result pty_make(struct devpts *devpts, struct pty **made) {
    struct pty *pty = heap_allocate_zeroed(sizeof *pty);
    if (!pty)
        return -ENOMEM;
    k42_result result = k42_call(devpts->root, hold);
    if (result >= 0) {
        result = take_number(devpts);
        *pty = (struct pty){.devpts = devpts, .index = (uint32_t)result, .references = 1};
        if (result >= 0 && (result = make_terminal(pty)) < 0)
            give_number(devpts, pty->index);
        if (result < 0)
            (void)!k42_call(devpts->root, release);
    }
    if (result < 0) {
        heap_free(pty);
        return result == -K42_STALE ? -ENODEV : result;
    }
    __atomic_store_n(&devpts->ptys[pty->index], pty, __ATOMIC_RELEASE);
    *made = pty;
    return 0;
}

static struct pty *hold(struct pty *pty) {
    uint32_t references = pty ? __atomic_load_n(&pty->references, __ATOMIC_RELAXED) : 0;
    while (references)
        if (__atomic_compare_exchange_n(&pty->references, &references, references + 1, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return pty;
    return NULL;
}

struct pty *pty_find(struct devpts *devpts, uint32_t index) {
    return index < PTY_MOST ? hold(__atomic_load_n(&devpts->ptys[index], __ATOMIC_ACQUIRE)) : NULL;
}

/* It is freed a grace period after its terminal's end. */
struct pty *pty_of_terminal(terminal_ref terminal) {
    struct terminal_facts facts;
    return k42_call(terminal, facts, &facts) < 0 ? NULL : hold((struct pty *)facts.master);
}

void pty_hang_up(struct pty *pty) {
    take_name_away(pty);
    (void)!k42_call(pty->terminal, hang_up, TERMINAL_GONE);
}

static void free_pty(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct pty, defer));
}

void pty_release(struct pty *pty) {
    if (__atomic_sub_fetch(&pty->references, 1, __ATOMIC_ACQ_REL))
        return;
    struct devpts *devpts = pty->devpts;
    __atomic_store_n(&devpts->ptys[pty->index], NULL, __ATOMIC_RELEASE);
    if (k42_destroy((k42_ref)pty->terminal) == 0) {
        wait_hangup(k42_id_of(pty->terminal), TERMINAL_PROGRAM);
        wait_hangup(k42_id_of(pty->terminal), TERMINAL_DEVICE);
    }
    (void)!k42_call(pty->node, release);
    give_number(devpts, pty->index);
    (void)!k42_call(devpts->root, release);
    k42_defer(&pty->defer, free_pty);
}
