/*
 * The class of procfs's nodes: an entry and a key.
 *
 * A node is made when its name is looked up, and found again by entry and key while it lasts. It
 * lasts a grace period longer than it is held, and as long when nobody ever holds it: only what is
 * deferred ends it, once nobody holds it and nobody has found it since. So whoever is active may
 * use what he found.
 */
#include "../now.h"
#include "../open_file.h"
#include "../values.h"
#include "inside.h"
#include "runtime.h"

#include <errno.h>
#include <string.h>

enum { BUCKETS = 256 };

struct proc_node_body {
    k42_ref self;
    const struct proc_entry *entry;
    struct proc_key key;
    /* Under the bucket's lock. */
    struct proc_node_body *next;
    uint32_t holds;
    bool awaited; /* deferred work will look at it */
    bool found;   /* since that was deferred */
    struct k42_defer defer;
};

#define PROC(self) ((struct proc_node_body *)BODY(self))

static struct bucket {
    struct k42_lock lock;
    struct proc_node_body *first;
} table[BUCKETS];

static struct bucket *bucket_of(const struct proc_entry *entry, const struct proc_key *key) {
    uint64_t hash = entry->number;
    for (int n = 0; n < PROC_LEVELS; n++)
        hash = (hash ^ key->id[n]) * 0x9e3779b97f4a7c15ul;
    return &table[hash >> 56];
}

static bool is_about(const struct proc_node_body *node, const struct proc_entry *entry,
                     const struct proc_key *key) {
    return node->entry == entry && !memcmp(&node->key, key, sizeof *key);
}

static struct proc_node_body *find(const struct bucket *bucket, const struct proc_entry *entry,
                                   const struct proc_key *key) {
    struct proc_node_body *at = bucket->first;
    while (at && !is_about(at, entry, key))
        at = at->next;
    return at;
}

/* A grace period has passed: nobody is active who found it before that was deferred. */
static void look_again(struct k42_defer *defer) {
    struct proc_node_body *node = k42_container(defer, struct proc_node_body, defer);
    struct bucket *bucket = bucket_of(node->entry, &node->key);
    k42_ref ended = K42_NULL_REF;
    bool again = false;
    k42_lock(&bucket->lock);
    if (node->holds) {
        node->awaited = false;
    } else if (node->found) {
        node->found = false;
        again = true;
    } else {
        struct proc_node_body **at = &bucket->first;
        while (*at != node)
            at = &(*at)->next;
        *at = node->next;
        ended = node->self;
    }
    k42_unlock(&bucket->lock);
    if (again)
        k42_defer(&node->defer, look_again);
    if (ended)
        (void)!k42_destroy(ended);
}

extern struct k42_class node_proc;

k42_result proc_node(const struct proc_entry *entry, const struct proc_key *key, k42_ref *ref) {
    struct bucket *bucket = bucket_of(entry, key);
    k42_lock(&bucket->lock);
    struct proc_node_body *node = find(bucket, entry, key);
    if (node) {
        node->found = true;
        *ref = node->self;
    }
    k42_unlock(&bucket->lock);
    if (node)
        return 0;
    struct proc_node_body *made = k42_platform_alloc(sizeof *made);
    if (!made)
        return -ENOMEM;
    made->entry = entry;
    made->key = *key;
    made->awaited = true;
    k42_result result = k42_make(&node_proc, made, &made->self);
    if (result < 0) {
        k42_platform_free(made);
        return result;
    }
    k42_lock(&bucket->lock);
    node = find(bucket, entry, key);
    if (node) {
        node->found = true;
    } else {
        made->next = bucket->first;
        bucket->first = made;
    }
    *ref = node ? node->self : made->self;
    k42_unlock(&bucket->lock);
    if (node)
        (void)!k42_destroy(made->self);
    else
        k42_defer(&made->defer, look_again);
    return 0;
}

/* ---- methods ---- */

static k42_result proc_describe(struct k42_object *self, char *text, size_t size) {
    struct proc_node_body *node = PROC(self);
    return (k42_result)k42_format_text(text, size, "/proc entry %s, %lu %lu",
                                       node->entry->name ? node->entry->name : "", node->key.id[0],
                                       node->key.id[1]);
}

static k42_result proc_hold(struct node *self) {
    struct proc_node_body *node = PROC(self);
    struct bucket *bucket = bucket_of(node->entry, &node->key);
    k42_lock(&bucket->lock);
    node->holds++;
    k42_unlock(&bucket->lock);
    return 0;
}

static k42_result proc_release(struct node *self) {
    struct proc_node_body *node = PROC(self);
    struct bucket *bucket = bucket_of(node->entry, &node->key);
    k42_lock(&bucket->lock);
    bool last = !--node->holds && !node->awaited;
    node->awaited |= last;
    k42_unlock(&bucket->lock);
    if (last)
        k42_defer(&node->defer, look_again);
    return 0;
}

enum { ENTRY_BITS = 20, ID_BITS = 16 };

static uint64_t number_of(const struct proc_entry *entry, const struct proc_key *key) {
    return entry->number + (key->id[0] << ENTRY_BITS) + (key->id[1] << (ENTRY_BITS + ID_BITS)) +
           (key->id[2] << (ENTRY_BITS + 2 * ID_BITS));
}

static uint64_t device_of_all(void) {
    static uint64_t device;
    if (!__atomic_load_n(&device, __ATOMIC_RELAXED)) {
        uint64_t none = 0, new = node_new_device();
        __atomic_compare_exchange_n(&device, &none, new, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
    }
    return __atomic_load_n(&device, __ATOMIC_RELAXED);
}

k42_result proc_number(node_ref node, const struct proc_entry *entry) {
    struct node_attributes attributes;
    k42_result result = k42_call(node, attributes, &attributes);
    if (result < 0)
        return result;
    bool is_of = attributes.device == device_of_all() &&
                 attributes.number % (1ul << ENTRY_BITS) == entry->number;
    return is_of ? (k42_result)(attributes.number >> ENTRY_BITS) : -EBADF;
}

static k42_result proc_attributes(struct node *self, struct node_attributes *attributes) {
    struct proc_node_body *node = PROC(self);
    struct node_time now = node_now();
    *attributes = (struct node_attributes){
        .device = device_of_all(),
        .number = number_of(node->entry, &node->key),
        .mode = node->entry->mode,
        .links = (node->entry->mode & MODE_TYPE) == MODE_DIRECTORY ? 2 : 1,
        .block_size = 1024,
        .accessed = now,
        .modified = now,
        .changed = now,
        .born = now,
    };
    k42_result permissions = node->entry->permissions ? node->entry->permissions(&node->key) : 0;
    if (permissions < 0)
        return permissions;
    if (permissions)
        attributes->mode = (node->entry->mode & MODE_TYPE) | (uint32_t)permissions;
    if (node->entry->owner)
        return node->entry->owner(&node->key, &attributes->uid, &attributes->gid);
    return 0;
}

/* Nothing is kept; changing the mode of an entry is not allowed, times and size are let pass. */
static k42_result proc_set_attributes(struct node *self, unsigned which,
                                      const struct node_attributes *attributes) {
    (void)self, (void)attributes;
    return which & (NODE_SET_MODE | NODE_SET_UID | NODE_SET_GID) ? -EPERM : 0;
}

static k42_result allows(const struct proc_node_body *node) {
    return node->entry->allows ? node->entry->allows(&node->key) : 0;
}

static k42_result may_search(struct node *self, const struct credentials *who, unsigned access) {
    struct proc_node_body *node = PROC(self);
    struct node_attributes attributes;
    k42_result result = proc_attributes(self, &attributes);
    if (result < 0)
        return result;
    if ((attributes.mode & MODE_TYPE) != MODE_DIRECTORY)
        return -ENOTDIR;
    result = node_allows(&attributes, who, access);
    return result < 0 ? result : allows(node);
}

static struct proc_key key_above(const struct proc_node_body *node) {
    struct proc_key key = node->key;
    const struct proc_entry *above = node->entry->parent;
    for (uint32_t level = above->level; level < PROC_LEVELS; level++)
        key.id[level] = 0;
    return key;
}

static struct k42_pair node_above(const struct proc_node_body *node) {
    k42_ref ref = node->self;
    k42_result result = 0;
    if (node->entry->parent) {
        struct proc_key key = key_above(node);
        result = proc_node(node->entry->parent, &key, &ref);
    }
    return (struct k42_pair){result < 0 ? result : ENTRY_DIRECTORY, (uintptr_t)ref};
}

static struct k42_pair proc_lookup(struct node *self, const struct node_name *name,
                                   const struct credentials *who) {
    struct proc_node_body *node = PROC(self);
    const struct proc_entry *entry;
    struct proc_key key;
    k42_ref found;
    k42_result result = may_search(self, who, NODE_EXECUTE);
    if (result < 0)
        return (struct k42_pair){.result = result == -ESRCH ? -ENOENT : result};
    if (name->length == 2 && name->text[0] == '.' && name->text[1] == '.')
        return node_above(node);
    result = proc_find(node->entry, &node->key, name, &entry, &key);
    if (result >= 0)
        result = proc_node(entry, &key, &found);
    if (result < 0)
        return (struct k42_pair){.result = result};
    return (struct k42_pair){MODE_ENTRY_TYPE(entry->mode) | (entry->jumps ? NODE_JUMPS : 0),
                             (uintptr_t)found};
}

static struct k42_pair proc_create(struct node *self, const struct node_new *what) {
    (void)self, (void)what;
    return (struct k42_pair){.result = -ENOENT};
}

static k42_result proc_link(struct node *self, const struct node_name *name, k42_ref node) {
    (void)self, (void)name, (void)node;
    return -EPERM;
}

static k42_result proc_unlink(struct node *self, const struct node_name *name, unsigned directory,
                              const struct credentials *who) {
    (void)self, (void)name, (void)directory, (void)who;
    return -EPERM;
}

static k42_result proc_rename(struct node *self, const struct node_name *name, k42_ref to,
                              const struct node_name *new_name, unsigned flags,
                              const struct credentials *who) {
    (void)self, (void)name, (void)to, (void)new_name, (void)flags, (void)who;
    return -EPERM;
}

static k42_result proc_target(struct node *self, char *text, size_t size) {
    struct proc_node_body *node = PROC(self);
    if (!node->entry->target)
        return -EINVAL;
    k42_result result = allows(node);
    return result < 0 ? result : node->entry->target(&node->key, text, size);
}

static k42_result proc_jump(struct node *self, struct place *place) {
    struct proc_node_body *node = PROC(self);
    if (!node->entry->jump)
        return -EINVAL;
    k42_result result = allows(node);
    return result < 0 ? result : node->entry->jump(&node->key, place);
}

/* ---- listing: cursors are 0 and 1 for the dots, then the fixed entries, then the numbers ---- */

#define FIRST_NUMBER (1ul << 32)

static bool list_entry(const struct proc_node_body *node, struct node_listing *listing,
                       const struct proc_entry *entry, uint64_t next) {
    struct node_name name = {entry->name, (uint32_t)k42_text_length(entry->name), 0};
    return listing->entry(listing, &name, number_of(entry, &node->key),
                          MODE_ENTRY_TYPE(entry->mode), next);
}

/* True when there is room for more. */
static bool list_fixed(const struct proc_node_body *node, uint64_t cursor,
                       struct node_listing *listing) {
    static const struct node_name dots[2] = {{".", 1, 0}, {"..", 2, 0}};
    uint64_t own = number_of(node->entry, &node->key), at = 2;
    for (uint64_t n = cursor; n < 2; n++)
        if (!listing->entry(listing, &dots[n], own, ENTRY_DIRECTORY, n + 1))
            return false;
    const struct proc_entry *entry = __atomic_load_n(&node->entry->children, __ATOMIC_ACQUIRE);
    for (; entry; entry = __atomic_load_n(&entry->sibling, __ATOMIC_ACQUIRE), at++)
        if (at >= cursor && !list_entry(node, listing, entry, at + 1))
            return false;
    return true;
}

static void list_numbers(const struct proc_node_body *node, uint64_t from,
                         struct node_listing *listing) {
    const struct proc_entry *each = __atomic_load_n(&node->entry->each, __ATOMIC_ACQUIRE);
    k42_result number;
    for (; each && (number = node->entry->next(&node->key, from)) >= 0;
         from = (uint64_t)number + 1) {
        char text[24];
        struct proc_key key = node->key;
        key.id[node->entry->level] = (uint64_t)number;
        size_t length = k42_format_text(text, sizeof text, "%lu", (uint64_t)number);
        struct node_name name = {text, (uint32_t)length, 0};
        if (!listing->entry(listing, &name, number_of(each, &key), MODE_ENTRY_TYPE(each->mode),
                            FIRST_NUMBER + (uint64_t)number + 1))
            return;
    }
}

static k42_result proc_list(struct node *self, uint64_t cursor, struct node_listing *listing) {
    struct proc_node_body *node = PROC(self);
    if ((node->entry->mode & MODE_TYPE) != MODE_DIRECTORY)
        return -ENOTDIR;
    if (cursor < FIRST_NUMBER && !list_fixed(node, cursor, listing))
        return 0;
    list_numbers(node, cursor < FIRST_NUMBER ? 0 : cursor - FIRST_NUMBER, listing);
    return 0;
}

static struct k42_pair proc_node_open(struct node *self, unsigned flags) {
    struct proc_node_body *node = PROC(self);
    if ((node->entry->mode & MODE_TYPE) == MODE_DIRECTORY)
        return open_directory(node->self, flags);
    if ((node->entry->mode & MODE_TYPE) != MODE_REGULAR)
        return (struct k42_pair){.result = -ELOOP};
    return proc_open(node->entry, &node->key, node->self, flags);
}

static k42_result proc_file_system(struct node *self, struct node_file_system *counts) {
    (void)self;
    *counts = (struct node_file_system){.type = 0x9fa0, .block_size = 4096, .name = "proc"};
    return 0;
}

static struct k42_pair proc_name(struct node *self, char *text, size_t size) {
    struct proc_node_body *node = PROC(self);
    if (!node->entry->parent)
        return (struct k42_pair){.result = -ENOENT};
    struct k42_pair above = node_above(node);
    if (above.result < 0)
        return above;
    const struct proc_entry *entry = node->entry;
    above.result = (k42_result)(entry->name ? k42_format_text(text, size, "%s", entry->name)
                                            : k42_format_text(text, size, "%lu",
                                                              node->key.id[entry->level - 1]));
    return above;
}

static const struct node_ops proc_ops = {
    .object.describe = proc_describe,
    .hold = proc_hold,
    .release = proc_release,
    .attributes = proc_attributes,
    .set_attributes = proc_set_attributes,
    .lookup = proc_lookup,
    .create = proc_create,
    .link = proc_link,
    .unlink = proc_unlink,
    .rename = proc_rename,
    .target = proc_target,
    .list = proc_list,
    .open = proc_node_open,
    .cache = node_no_cache,
    .file_system = proc_file_system,
    .touch = node_no_touch,
    .jump = proc_jump,
    .name = proc_name,
    .get_extended = node_no_get_extended,
    .by_number = node_no_by_number,
    .set_extended = node_no_set_extended,
    .claim = node_no_claim,
    .unclaim = node_no_claim,
    .claims = node_no_claims,
};

static void proc_fini(struct k42_root *root) {
    k42_platform_free(body_of_root(root));
}

static const struct k42_format proc_format = {"node.proc", 1, 1};
static const struct k42_transfer proc_transfers[] = BODY_TRANSFERS(proc_format);

K42_CLASS(node_proc) = {
    .name = "node.proc",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &proc_ops,
    .fini = proc_fini,
    .transfers = proc_transfers,
};
