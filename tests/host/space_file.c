/*
 * The file of space_fixture.h: pages, or blocks of them, that are there when they are asked for and
 * can be taken away. Its lock guards all of it, and is not held while an address space is called.
 */
#include "space_fixture.h"

#include <k42/class.h>
#include <k42/lock.h>

#include <sched.h>

#include "../../kernel/mem/hat/hat.h"

#define BLOCK_PAGES 512u

struct file_page {
    uint64_t physical;
    uint32_t held;
    bool leaving;
};

struct attached {
    struct fcm_attachment attachment;
    struct attached *next;
};

struct fcm_test {
    struct k42_root root;
    struct fcm rep;
    struct k42_lock lock;
    bool zeros; /* shared memory: begins as zeros and is not evicted */
    uint64_t blocks[FILE_PAGES / BLOCK_PAGES]; /* where it is in blocks; 0: nowhere */
    struct file_page pages[FILE_PAGES];
    struct attached *first, **last;
    uint32_t walkers; /* over the list */
    uint64_t attachments;
};

static struct fcm_test *test_of(struct fcm *self) {
    return k42_container(self, struct fcm_test, rep);
}

static uint64_t page_make(struct fcm_test *file, uint64_t index) {
    struct k42_pair taken = k42_call((pm_ref)fixture_pm, take, 0, 0);
    uint64_t *words = machine_memory(taken.word);
    if (taken.result < 0)
        abort();
    for (unsigned n = 0; n < PAGE / 8; n++)
        words[n] = file->zeros ? 0 : file_word(index);
    return taken.word;
}

static struct file_page *first_of_block(struct fcm_test *file, uint64_t index) {
    return &file->pages[index - index % BLOCK_PAGES];
}

/* Under the lock: a page of a file in blocks, in its place. */
static void bring_page(struct fcm_test *file, uint64_t index) {
    struct file_page *page = &file->pages[index];
    if (page->physical)
        return;
    page->physical = file->blocks[index / BLOCK_PAGES] + index % BLOCK_PAGES * PAGE;
    for (unsigned n = 0; n < PAGE / 8; n++)
        ((uint64_t *)machine_memory(page->physical))[n] = file_word(index);
}

static bool bring_block(struct fcm_test *file, uint64_t first) {
    for (uint64_t index = first; index < first + BLOCK_PAGES; index++)
        if (file->pages[index].leaving)
            return false;
    for (uint64_t index = first; index < first + BLOCK_PAGES; index++)
        bring_page(file, index);
    return true;
}

static k42_result get_in_block(struct fcm_test *file, uint64_t index, unsigned flags,
                               struct fcm_page *page) {
    uint64_t first = index - index % BLOCK_PAGES;
    k42_lock(&file->lock);
    bool large = flags & FCM_LARGE && bring_block(file, first);
    uint64_t given = large ? first : index;
    k42_result result = file->pages[given].leaving ? -K42_WAIT : 0;
    if (result == 0) {
        bring_page(file, given);
        file->pages[given].held++;
        *page = (struct fcm_page){file->pages[given].physical, large ? 9 : 0, !large, given};
    }
    k42_unlock(&file->lock);
    return result;
}

static k42_result test_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                struct fcm_page *page) {
    struct fcm_test *file = test_of(self);
    if (index >= FILE_PAGES)
        return -ENXIO;
    if (file->blocks[0])
        return get_in_block(file, index, flags, page);
    struct file_page *found = &file->pages[index];
    uint64_t spare = page_make(file, index);
    k42_lock(&file->lock);
    k42_result result = found->leaving ? -K42_WAIT : 0;
    if (result == 0) {
        if (!found->physical) {
            found->physical = spare;
            spare = 0;
        }
        found->held++;
        *page = (struct fcm_page){found->physical, 0, 1, index};
    }
    k42_unlock(&file->lock);
    if (spare)
        result = k42_call((pm_ref)fixture_pm, give, spare, 0, 0) < 0 ? -EIO : result;
    return result;
}

static k42_result test_put_page(struct fcm *self, uint64_t index) {
    struct fcm_test *file = test_of(self);
    k42_lock(&file->lock);
    file->pages[index].held--;
    k42_unlock(&file->lock);
    return 0;
}

static k42_result test_get_present(struct fcm *self, uint64_t first, unsigned bytes,
                                   uint64_t *physical) {
    unsigned count = bytes / sizeof *physical;
    struct fcm_test *file = test_of(self);
    k42_result mask = 0;
    k42_lock(&file->lock);
    for (unsigned n = 0; n < count && first + n < FILE_PAGES; n++) {
        struct file_page *page = &file->pages[first + n];
        if (!page->physical || page->leaving)
            continue;
        page->held++;
        physical[n] = page->physical;
        mask |= 1l << n;
    }
    k42_unlock(&file->lock);
    return mask;
}

static k42_result test_mapped(struct fcm *self, uint64_t first, uint32_t mask) {
    struct fcm_test *file = test_of(self);
    k42_lock(&file->lock);
    for (; mask; mask &= mask - 1)
        file->pages[first + (unsigned)__builtin_ctz(mask)].held--;
    k42_unlock(&file->lock);
    return 0;
}

static k42_result test_attach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct fcm_test *file = test_of(self);
    struct attached *attached = calloc(1, sizeof(*attached));
    attached->attachment = *attachment;
    k42_lock(&file->lock);
    if (!file->last)
        file->last = &file->first;
    *file->last = attached;
    file->last = &attached->next;
    file->attachments++;
    k42_unlock(&file->lock);
    return 0;
}

/* Frees those that were detached, unless somebody is walking over the list. */
static void sweep(struct fcm_test *file) {
    struct attached **link = &file->first;
    while (file->walkers == 0 && *link) {
        struct attached *at = *link;
        if (at->attachment.pages) {
            link = &at->next;
            continue;
        }
        *link = at->next;
        free(at);
    }
    if (file->walkers == 0)
        file->last = link;
}

static k42_result test_detach(struct fcm *self, const struct fcm_attachment *attachment) {
    struct fcm_test *file = test_of(self);
    k42_result result = -ENOENT;
    k42_lock(&file->lock);
    for (struct attached *at = file->first; at && result < 0; at = at->next)
        if (!memcmp(&at->attachment, attachment, sizeof(*attachment))) {
            at->attachment.pages = 0;
            result = (k42_result)--file->attachments;
        }
    sweep(file);
    k42_unlock(&file->lock);
    if (result < 0)
        abort();
    return result;
}

/* What an FCM in blocks is made from. */
static const char blocks_wanted;

static const struct fcm_ops test_fcm_ops = {
    .get_page = test_get_page,
    .put_page = test_put_page,
    .get_present = test_get_present,
    .mapped = test_mapped,
    .attach = test_attach,
    .detach = test_detach,
};

static k42_result test_fcm_init(struct k42_root *root, const void *args) {
    struct fcm_test *file = k42_container(root, struct fcm_test, root);
    bool in_blocks = args == &blocks_wanted;
    file->zeros = args && !in_blocks;
    for (unsigned n = 0; in_blocks && n < FILE_PAGES / BLOCK_PAGES; n++) {
        struct k42_pair taken = k42_call((pm_ref)fixture_pm, take, 9, 0);
        if (taken.result < 0)
            abort();
        file->blocks[n] = taken.word;
    }
    return 0;
}

static void give(uint64_t physical, unsigned order) {
    if (physical && k42_call((pm_ref)fixture_pm, give, physical, order, 0) < 0)
        abort();
}

static void test_fcm_fini(struct k42_root *root) {
    struct fcm_test *file = k42_container(root, struct fcm_test, root);
    for (unsigned n = 0; n < FILE_PAGES; n++) {
        if (file->pages[n].held)
            abort();
        k42_enter();
        if (!file->blocks[0])
            give(file->pages[n].physical, 0);
        k42_exit();
    }
    k42_enter();
    for (unsigned n = 0; n < FILE_PAGES / BLOCK_PAGES; n++)
        give(file->blocks[n], 9);
    k42_exit();
    while (file->first) {
        struct attached *attached = file->first;
        file->first = attached->next;
        free(attached);
    }
}

K42_CLASS(fcm_test) = {
    .name = "fcm.pinned", /* what shared memory is made of */
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct fcm_test),
    .rep_offset = offsetof(struct fcm_test, rep),
    .ops = &test_fcm_ops,
    .init = test_fcm_init,
    .fini = test_fcm_fini,
};

k42_ref fixture_file(void) {
    k42_ref ref = K42_NULL_REF;
    assert_int_equal(k42_create(&fcm_test, NULL, &ref), 0);
    return ref;
}

k42_ref fixture_file_of_blocks(void) {
    k42_ref ref = K42_NULL_REF;
    k42_enter();
    k42_result made = k42_make(&fcm_test, &blocks_wanted, &ref);
    k42_exit();
    assert_int_equal(made, 0);
    return ref;
}

/* Only this file reaches into the object: the representative is the slot's. */
static struct fcm_test *file_of(k42_ref ref) {
    struct fcm_page page;
    k42_result held = k42_call((fcm_ref)ref, get_page, 0, 0, &page);
    if (held == 0)
        held = k42_call((fcm_ref)ref, put_page, 0);
    return test_of(k42_load((fcm_ref)ref));
}

static bool attachment_has(const struct fcm_attachment *attachment, uint64_t page) {
    return page - attachment->first < attachment->pages;
}

void (*fixture_after_unmap)(void);

void fixture_file_evict(k42_ref ref, uint64_t page) {
    k42_enter();
    struct fcm_test *file = file_of(ref);
    struct file_page *leaves = &file->pages[page];
    k42_lock(&file->lock);
    bool ours = leaves->physical && !leaves->leaving;
    leaves->leaving |= ours;
    while (ours && (leaves->held || (file->blocks[0] && first_of_block(file, page)->held))) {
        k42_unlock(&file->lock);
        sched_yield();
        k42_lock(&file->lock);
    }
    struct attached *at = file->first;
    file->walkers++;
    while (ours && at) {
        struct fcm_attachment attachment = at->attachment;
        k42_unlock(&file->lock);
        uintptr_t address = attachment.address + (page - attachment.first) * PAGE;
        if (attachment_has(&attachment, page) &&
            k42_call((hat_ref)attachment.hat, unmap, address, PAGE) == -ENOMEM)
            abort();
        if (fixture_after_unmap) {
            k42_exit();
            fixture_after_unmap();
            k42_enter();
        }
        k42_lock(&file->lock);
        at = at->next;
    }
    file->walkers--;
    sweep(file);
    uint64_t physical = leaves->physical;
    bool in_block = file->blocks[0];
    if (ours) {
        if (in_block)
            memset(machine_memory(physical), 0x5a, PAGE);
        leaves->physical = 0;
        leaves->leaving = false;
    }
    k42_unlock(&file->lock);
    if (ours && !in_block && k42_call((pm_ref)fixture_pm, give, physical, 0, 0) < 0)
        abort();
    k42_exit();
}

uint64_t fixture_attachments(k42_ref ref) {
    k42_enter();
    uint64_t count = file_of(ref)->attachments;
    k42_exit();
    return count;
}
