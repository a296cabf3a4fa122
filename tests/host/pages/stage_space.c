/*
 * Address spaces in the tests of page caches (stage.h): a HAT with one table, whose lock stands for
 * what a processor does at once. It is a class of the tests' own and is not swapped.
 */
#include "stage.h"

#include <errno.h>
#include <pthread.h>

#define BLOCK_PAGES 512u
#define BLOCKS      (SPACE_PAGES / BLOCK_PAGES)

struct stage_hat {
    struct k42_root root;
    struct hat rep;
    pthread_mutex_t lock;
    uint64_t pages[SPACE_PAGES]; /* physical address and protection */
    uint64_t blocks[BLOCKS];     /* the same of blocks; no page of one is mapped by itself */
    uint8_t accessed[SPACE_PAGES], block_accessed[BLOCKS];
};

#define HAT(self) k42_container(self, struct stage_hat, rep)

static k42_result hat_init(struct k42_root *root, const void *args) {
    (void)args;
    return -pthread_mutex_init(&k42_container(root, struct stage_hat, root)->lock, NULL);
}

static uint64_t page_at(uintptr_t address) {
    uint64_t page = (address - SPACE_START) / FRAME_BYTES;
    if (page >= SPACE_PAGES)
        stage_die("the address space was asked for something outside it");
    return page;
}

/* Under the lock. */
static bool has_pages(const struct stage_hat *hat, uint64_t block) {
    for (uint64_t page = block * BLOCK_PAGES; page < (block + 1) * BLOCK_PAGES; page++)
        if (hat->pages[page])
            return true;
    return false;
}

static k42_result hat_map(struct hat *self, uintptr_t address, uint64_t physical,
                          unsigned protection, const struct hat_lease *lease) {
    struct stage_hat *hat = HAT(self);
    uint64_t page = page_at(address), block = page / BLOCK_PAGES;
    bool large = protection & HAT_LARGE;
    uint64_t *entry = large ? &hat->blocks[block] : &hat->pages[page];
    k42_result result = 0;
    (void)lease;
    if (large && (page % BLOCK_PAGES || physical % (BLOCK_PAGES * FRAME_BYTES)))
        stage_die("a block is mapped where it cannot be");
    pthread_mutex_lock(&hat->lock);
    if ((*entry && (*entry & ~(uint64_t)7) != physical) ||
        (large ? has_pages(hat, block) : hat->blocks[block]))
        result = -EEXIST;
    else
        *entry = physical | (protection & 7) | (*entry & 7);
    pthread_mutex_unlock(&hat->lock);
    return result;
}

static k42_result change(struct hat *self, uintptr_t address, size_t length, uint64_t keep) {
    struct stage_hat *hat = HAT(self);
    k42_result changed = 0;
    if (!length)
        return 0;
    uint64_t last = page_at(address + length - 1);
    pthread_mutex_lock(&hat->lock);
    for (uint64_t page = page_at(address); page <= last; page++) {
        uint64_t *block = &hat->blocks[page / BLOCK_PAGES];
        changed += hat->pages[page] != 0;
        changed += *block && (*block & keep) != *block ? BLOCK_PAGES : 0;
        hat->pages[page] &= keep;
        *block &= keep;
    }
    pthread_mutex_unlock(&hat->lock);
    return changed;
}

static k42_result hat_unmap(struct hat *self, uintptr_t address, size_t length) {
    return change(self, address, length, 0);
}

static k42_result hat_protect(struct hat *self, uintptr_t address, size_t length,
                              unsigned protection) {
    return change(self, address, length, ~(uint64_t)7 | protection);
}

static k42_result hat_look(struct hat *self, uintptr_t address) {
    struct stage_hat *hat = HAT(self);
    uint64_t page = page_at(address);
    pthread_mutex_lock(&hat->lock);
    bool large = hat->blocks[page / BLOCK_PAGES];
    uint8_t *accessed = large ? &hat->block_accessed[page / BLOCK_PAGES] : &hat->accessed[page];
    k42_result seen = (large || hat->pages[page]) && *accessed ? HAT_ACCESSED : 0;
    seen |= large ? HAT_OF_BLOCK : 0;
    *accessed = 0;
    pthread_mutex_unlock(&hat->lock);
    return seen;
}

static k42_result hat_table(struct hat *self, struct user_table **table) {
    (void)self, (void)table;
    return -ENOTSUP;
}

/* A program's access, for space_load() and space_store(), made by a call of describe(). */
struct door {
    uint64_t at, value;
    bool write;
};
static __thread struct door door;

static k42_result hat_usage(struct hat *self, struct hat_usage *usage) {
    struct stage_hat *hat = HAT(self);
    *usage = (struct hat_usage){.mapped = 0};
    pthread_mutex_lock(&hat->lock);
    for (unsigned i = 0; i < SPACE_PAGES; i++)
        usage->mapped += hat->pages[i] || hat->blocks[i / BLOCK_PAGES];
    pthread_mutex_unlock(&hat->lock);
    return 0;
}

/* The processor: 1 when the access was made, 0 for a fault. */
static k42_result hat_describe(struct k42_object *self, char *text, size_t size) {
    struct stage_hat *hat = HAT((struct hat *)(void *)self);
    (void)text, (void)size;
    uint64_t index = door.at / FRAME_BYTES;
    pthread_mutex_lock(&hat->lock);
    uint64_t page = hat->pages[index], block = hat->blocks[index / BLOCK_PAGES];
    if (block)
        page = block + index % BLOCK_PAGES * FRAME_BYTES;
    bool allowed = page & (door.write ? HAT_WRITE : HAT_READ);
    if (allowed) {
        *(block ? &hat->block_accessed[index / BLOCK_PAGES] : &hat->accessed[index]) = 1;
        char *memory = machine_memory(page & ~(uint64_t)(FRAME_BYTES - 1));
        uint64_t *word = (uint64_t *)(memory + door.at % FRAME_BYTES);
        if (door.write)
            __atomic_store_n(word, door.value, __ATOMIC_RELAXED);
        else
            door.value = __atomic_load_n(word, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&hat->lock);
    return allowed;
}

static const struct hat_ops stage_hat_ops = {
    .object.describe = hat_describe,
    .map = hat_map,
    .unmap = hat_unmap,
    .release = hat_unmap, /* there are no private pages */
    .protect = hat_protect,
    .look = hat_look,
    .table = hat_table,
    .usage = hat_usage,
};

K42_CLASS(stage_hat) = {
    .name = "stage.hat",
    .interface = &hat_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct stage_hat),
    .rep_offset = offsetof(struct stage_hat, rep),
    .ops = &stage_hat_ops,
    .init = hat_init,
};

static struct fcm_attachment attachment_of(const struct space *space) {
    return (struct fcm_attachment){
        .hat = space->hat, .address = SPACE_START, .pages = SPACE_PAGES, .writable = 1};
}

void space_open(struct space *space, fcm_ref fcm) {
    space->fcm = fcm;
    struct fcm_attachment attachment;
    if (k42_create(&stage_hat, NULL, &space->hat) < 0)
        stage_die("no address space");
    attachment = attachment_of(space);
    if (CALL(fcm, attach, &attachment))
        stage_die("cannot attach");
}

void space_close(struct space *space) {
    struct fcm_attachment attachment = attachment_of(space);
    if (CALL((hat_ref)space->hat, unmap, SPACE_START, SPACE_PAGES * FRAME_BYTES) < 0 ||
        CALL(space->fcm, detach, &attachment) < 0 || k42_destroy(space->hat) < 0)
        stage_die("cannot close an address space");
}

static k42_result map(struct space *space, uint64_t index, const struct fcm_page *page) {
    hat_ref hat = (hat_ref)space->hat;
    unsigned protection = HAT_READ | (door.write && page->writable ? HAT_WRITE : 0);
    uintptr_t address = SPACE_START + index * FRAME_BYTES,
              block = SPACE_START + page->index * FRAME_BYTES;
    k42_result result = -EEXIST;
    if (page->order)
        result = k42_call(hat, map, block, page->physical, protection | HAT_LARGE, NULL);
    if (result == -EEXIST)
        result = k42_call(hat, map, address, page->physical + (address - block), protection, NULL);
    return result;
}

/* Active. One attempt to make the access possible: as a region does it. */
static k42_result fault(struct space *space) {
    uint64_t index = door.at / FRAME_BYTES;
    struct fcm_page page;
    k42_result result =
        k42_call(space->fcm, get_page, index, door.write ? FCM_WRITE : FCM_LARGE, &page);
    if (result)
        return result;
    result = map(space, index, &page);
    k42_result dropped = result ? k42_call(space->fcm, put_page, page.index)
                                : k42_call(space->fcm, mapped, page.index, 1);
    if (result == -EEXIST) /* for a write: a block is there */
        dropped =
            k42_call((hat_ref)space->hat, unmap, SPACE_START + index * FRAME_BYTES, FRAME_BYTES);
    return result ? result : dropped;
}

static k42_result access_word(struct space *space) {
    for (;;) {
        struct stage_wait wait = {.in = false};
        k42_enter();
        k42_result done = k42_call_object(space->hat, describe, NULL, 0);
        k42_result result = 0;
        if (!done)
            do
                result = fault(space);
            while (stage_again(&wait, &result));
        k42_exit();
        if (done || (result && result != -EEXIST))
            return done < 0 ? done : result;
    }
}

k42_result space_load(struct space *space, uint64_t at, uint64_t *value) {
    door = (struct door){.at = at};
    k42_result result = access_word(space);
    *value = door.value;
    return result;
}

k42_result space_store(struct space *space, uint64_t at, uint64_t value) {
    door = (struct door){at, value, true};
    return access_word(space);
}

uint64_t space_mapped(struct space *space) {
    struct hat_usage usage;
    return CALL((hat_ref)space->hat, usage, &usage) ? 0 : usage.mapped;
}
