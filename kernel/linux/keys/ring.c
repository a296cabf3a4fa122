/*
 * Rings: which keys they have, and searching them. See keys_inner.h.
 *
 * A ring's links are in lists by the hash of type and description, which a ring has once at most;
 * there are twice as many lists when there are more links. A link is among those of its key, too,
 * so a key leaves all rings without a search.
 *
 * A search looks into a ring, then into the rings in it, six deep. Rings cannot come to lie in
 * themselves: who adds one looks for that first.
 */
#include "../../mem/heap/heap.h"
#include "keys_inner.h"
#include "runtime.h"

enum { FIRST_LISTS = 4, DEEPEST = 6 };

static struct key_link *find_link(const struct key *ring, const struct key_type *type,
                                  const char *text) {
    uint32_t hash = node_hash(text, (uint32_t)k42_text_length(text));
    struct key_link *link = ring->lists ? ring->list[hash & (ring->lists - 1)] : NULL;
    while (link && (link->key->type != type || !k42_text_equal(link->key->text, text)))
        link = link->next;
    return link;
}

struct key *keyring_find(const struct key *ring, const struct key_type *type, const char *text) {
    const struct key_link *link = find_link(ring, type, text);
    return link ? link->key : NULL;
}

bool keyring_has(const struct key *ring, const struct key *key) {
    return keyring_find(ring, key->type, key->text) == key;
}

/* ---- changing ---- */

static void put(struct key_link **list, struct key_link *link) {
    link->next = *list;
    link->place = list;
    if (*list)
        (*list)->place = &link->next;
    *list = link;
}

static k42_result grow(struct key *ring) {
    uint32_t lists = ring->lists ? 2 * ring->lists : FIRST_LISTS;
    struct key_link **more = heap_allocate_zeroed(lists * sizeof *more);
    if (!more)
        return -ENOMEM;
    for (uint32_t n = 0; n < ring->lists; n++)
        for (struct key_link *link = ring->list[n], *next; link; link = next) {
            next = link->next;
            put(&more[link->key->hash & (lists - 1)], link);
        }
    heap_free(ring->list);
    ring->list = more;
    ring->lists = lists;
    return 0;
}

/* The link is another key's from now on. */
static void lead_to(struct key_link *link, struct key *key) {
    link->key = key_hold(key);
    link->also = key->links;
    link->among = &key->links;
    if (key->links)
        key->links->among = &link->also;
    key->links = link;
}

static void lead_nowhere(struct key_link *link) {
    struct key *key = link->key;
    *link->among = link->also;
    if (link->also)
        link->also->among = link->among;
    key_release_locked(key);
}

void keyring_unlink(struct key_link *link) {
    struct key *ring = link->ring;
    *link->place = link->next;
    if (link->next)
        link->next->place = link->place;
    ring->count--;
    (void)!key_charge(ring, ring->count * KEY_LINK_COST); /* less than before */
    lead_nowhere(link);
    heap_free(link);
}

void keyring_clear(struct key *ring) {
    for (uint32_t n = 0; n < ring->lists; n++)
        while (ring->list[n])
            keyring_unlink(ring->list[n]);
}

static k42_result add_link(struct key *ring, struct key *key) {
    struct key_link *link = heap_allocate_zeroed(sizeof *link);
    k42_result result = !link ? -ENOMEM : ring->count >= ring->lists ? grow(ring) : 0;
    if (result >= 0)
        result = key_charge(ring, (ring->count + 1) * KEY_LINK_COST);
    if (result < 0) {
        heap_free(link);
        return result;
    }
    link->ring = ring;
    ring->count++;
    put(&ring->list[key->hash & (ring->lists - 1)], link);
    lead_to(link, key);
    return 0;
}

/* A ring that is to be put into another one must not have it in itself. */
static k42_result check_loops(struct key *ring, struct key *key) {
    struct key_search search = {.wanted = ring, .finds_loops = true};
    if (!key->type->is_ring)
        return 0;
    if (keyring_search(key, false, &search))
        return -EDEADLK;
    return search.result == -ELOOP ? -ELOOP : 0;
}

k42_result keyring_add(struct key *ring, struct key *key) {
    if (!ring->type->is_ring)
        return -ENOTDIR;
    if (ring->flags & KEY_CLOSED)
        return -EPERM;
    k42_result result = check_loops(ring, key);
    if (result < 0)
        return result;
    struct key_link *link = find_link(ring, key->type, key->text);
    if (!link)
        return add_link(ring, key);
    key_hold(key); /* it may be this one */
    lead_nowhere(link);
    lead_to(link, key);
    key_release_locked(key);
    return 0;
}

k42_result keyring_remove(struct key *ring, struct key *key) {
    if (!ring->type->is_ring)
        return -ENOTDIR;
    struct key_link *link = find_link(ring, key->type, key->text);
    if (!link || link->key != key)
        return -ENOENT;
    keyring_unlink(link);
    return 0;
}

uint32_t keyring_list(const struct key *ring, int32_t *numbers, uint32_t room) {
    uint32_t count = 0;
    for (uint32_t n = 0; n < ring->lists; n++)
        for (const struct key_link *link = ring->list[n]; link; link = link->next)
            if (count++ < room)
                numbers[count - 1] = link->key->number;
    return ring->count;
}

/* Rings are few; a name is asked for when a session is joined. */
struct key *keyring_by_name(const char *text) {
    for (struct key *key = key_next(NULL); key; key = key_next(key))
        if (key->type->is_ring && !(key->flags & KEY_REVOKED) && *text != '.' &&
            k42_text_equal(key->text, text) && key_allows(key, false, KEY_SEARCH) >= 0 &&
            key_by_number(key->number))
            return key;
    return NULL;
}

/* ---- searching ---- */

/* Whether it is one that counts; if not, why. */
static bool counts(const struct key *key, bool possessed, struct key_search *search) {
    k42_result result = 0;
    if (!search->wanted && (key->flags & (KEY_INVALID | KEY_REVOKED)))
        result = -EKEYREVOKED;
    else if (!search->wanted && key_check(key) == -EKEYEXPIRED)
        result = search->skips_expired ? -EAGAIN : -EKEYEXPIRED;
    else if (!search->finds_loops)
        result = key_allows(key, possessed, KEY_SEARCH);
    if (result >= 0 && !search->wanted && (key->flags & KEY_NEGATIVE))
        result = -ENOKEY;
    if (result < 0 && result != -EAGAIN)
        search->result = result;
    return result >= 0;
}

static bool is_it(const struct key *key, const struct key_search *search) {
    return search->wanted ? key == search->wanted
                          : key->type == search->type && k42_text_equal(key->text, search->text);
}

static struct key *look_in(const struct key *ring, const struct key_search *search) {
    const struct key *wanted = search->wanted;
    struct key *key = wanted ? keyring_find(ring, wanted->type, wanted->text)
                             : keyring_find(ring, search->type, search->text);
    return key && is_it(key, search) ? key : NULL;
}

static struct key *search_below(struct key *ring, bool possessed, unsigned depth,
                                struct key_search *search) {
    if (ring->flags & (KEY_INVALID | KEY_REVOKED))
        return NULL;
    struct key *found = look_in(ring, search);
    if (found && counts(found, possessed, search))
        return found;
    for (uint32_t n = 0; n < ring->lists; n++)
        for (struct key_link *link = ring->list[n]; link; link = link->next) {
            struct key *inner = link->key;
            if (!inner->type->is_ring)
                continue;
            if (depth >= DEEPEST) {
                search->result = search->finds_loops ? -ELOOP : search->result;
                continue;
            }
            if (!search->finds_loops && key_allows(inner, possessed, KEY_SEARCH) < 0)
                continue;
            found = search_below(inner, possessed, depth + 1, search);
            if (found)
                return found;
        }
    return NULL;
}

struct key *keyring_search(struct key *ring, bool possessed, struct key_search *search) {
    search->result = -EAGAIN;
    if (!ring->type->is_ring)
        search->result = -ENOTDIR;
    else if (!search->finds_loops && key_allows(ring, possessed, KEY_SEARCH) < 0)
        search->result = -EACCES;
    else if (is_it(ring, search))
        return counts(ring, possessed, search) ? ring : NULL;
    else
        return search_below(ring, possessed, 0, search);
    return NULL;
}
