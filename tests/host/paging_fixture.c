/*
 * The swap of paging_fixture.h. Its cache checks what the swap relies on: that nobody writes to a
 * page which the cache has written, and still has.
 */
#include "paging_fixture.h"

#include <k42/class.h>
#include <k42/lock.h>

#include "../../core/platform.h"

#include "../../kernel/mem/fcm/fcm.h"
#include "../../kernel/mem/frame/frame.h"
#include "../../kernel/sched/wait.h"

enum { PAGES_MOST = 1 << 15 };

enum page_is { ABSENT, CLAIMED, CHANGED, CLEAN };

struct swap_page {
    enum page_is is;
    uint32_t held;
    uint64_t physical;
    char *medium;
};

struct fcm_medium {
    struct k42_root root;
    struct fcm rep;
    struct k42_lock lock;
    uint64_t hand;
    struct swap_page *pages;
};

static k42_ref medium;
static unsigned area;
static uint64_t area_pages, writes;

static struct fcm_medium *medium_of(struct fcm *self) {
    return k42_container(self, struct fcm_medium, rep);
}

static void give_frame(uint64_t physical) {
    struct frame *frame = frame_at(physical);
    if (physical && frame_leave_cache(frame) &&
        k42_call((pm_ref)fixture_pm, give, physical, 0, 0) < 0)
        abort();
}

/* Under the lock. */
static void write_page(struct swap_page *page) {
    if (!page->medium)
        page->medium = malloc(PAGE);
    memcpy(page->medium, machine_memory(page->physical), PAGE);
    page->is = CLEAN;
    __atomic_add_fetch(&writes, 1, __ATOMIC_RELAXED);
}

static k42_result medium_leave(struct fcm *self, uint64_t index, unsigned flags) {
    struct fcm_medium *its = medium_of(self);
    struct swap_page *page = &its->pages[index];
    uint64_t physical = 0;
    k42_result result = -EBUSY;
    k42_lock(&its->lock);
    if (page->is == ABSENT) {
        result = -ENOENT;
    } else if (page->is == CHANGED && !page->held && !(flags & FCM_LEAVE_DIRTY)) {
        write_page(page);
    } else if (page->is != CLAIMED && !page->held) {
        if (page->is == CLEAN && memcmp(page->medium, machine_memory(page->physical), PAGE))
            k42_platform_panic("a page was written to while the cache had it");
        physical = page->physical;
        page->is = ABSENT;
        page->physical = 0;
        result = FCM_HAS_LEFT;
    }
    k42_unlock(&its->lock);
    give_frame(physical);
    return result;
}

static k42_result medium_give_back(struct fcm *self, uint64_t wanted) {
    struct fcm_medium *its = medium_of(self);
    uint64_t freed = 0;
    for (uint64_t n = 1; n < area_pages && freed < wanted; n++) {
        its->hand = its->hand % (area_pages - 1) + 1;
        freed += medium_leave(self, its->hand, 0) == FCM_HAS_LEFT;
    }
    return (k42_result)freed;
}

static k42_result medium_expect(struct fcm *self, uint64_t index) {
    struct fcm_medium *its = medium_of(self);
    k42_lock(&its->lock);
    k42_result result = its->pages[index].is == ABSENT ? 0 : -EEXIST;
    if (!result)
        its->pages[index].is = CLAIMED;
    k42_unlock(&its->lock);
    return result;
}

static k42_result medium_adopt(struct fcm *self, uint64_t index, uint64_t physical) {
    struct fcm_medium *its = medium_of(self);
    struct swap_page *page = &its->pages[index];
    k42_lock(&its->lock);
    k42_result result = page->is == CLAIMED ? 0 : -EINVAL;
    page->is = physical ? CHANGED : ABSENT;
    page->physical = physical;
    k42_unlock(&its->lock);
    return result;
}

static k42_result medium_get_page(struct fcm *self, uint64_t index, unsigned flags,
                                  struct fcm_page *found) {
    struct fcm_medium *its = medium_of(self);
    struct swap_page *page = &its->pages[index];
    struct k42_pair spare = k42_call((pm_ref)fixture_pm, take, 0, 0);
    (void)flags;
    if (spare.result < 0)
        return spare.result;
    k42_lock(&its->lock);
    k42_result result = page->is == CLAIMED ? -K42_WAIT : page->medium || page->is ? 0 : -EIO;
    if (!result && page->is == ABSENT) {
        memcpy(machine_memory(spare.word), page->medium, PAGE);
        *page = (struct swap_page){CLEAN, 0, spare.word, page->medium};
        spare.word = 0;
    }
    if (!result) {
        page->held++;
        *found = (struct fcm_page){page->physical, 0, 1, index};
    }
    k42_unlock(&its->lock);
    give_frame(spare.word);
    return result;
}

static k42_result medium_put_page(struct fcm *self, uint64_t index) {
    struct fcm_medium *its = medium_of(self);
    k42_lock(&its->lock);
    its->pages[index].held--;
    k42_unlock(&its->lock);
    return 0;
}

static k42_result medium_usage(struct fcm *self, struct fcm_usage *usage) {
    (void)self;
    *usage = (struct fcm_usage){0};
    return 0;
}

static const struct fcm_ops medium_ops = {
    .leave = medium_leave,
    .give_back = medium_give_back,
    .expect = medium_expect,
    .adopt = medium_adopt,
    .get_page = medium_get_page,
    .put_page = medium_put_page,
    .usage = medium_usage,
};

static k42_result medium_init(struct k42_root *root, const void *args) {
    struct fcm_medium *its = k42_container(root, struct fcm_medium, root);
    (void)args;
    its->pages = calloc(PAGES_MOST, sizeof *its->pages);
    return its->pages ? 0 : -ENOMEM;
}

static void medium_fini(struct k42_root *root) {
    struct fcm_medium *its = k42_container(root, struct fcm_medium, root);
    k42_enter();
    for (unsigned n = 0; n < PAGES_MOST; n++) {
        if (its->pages[n].held || its->pages[n].is == CLAIMED)
            abort();
        give_frame(its->pages[n].physical);
        free(its->pages[n].medium);
    }
    k42_exit();
    free(its->pages);
}

K42_CLASS(fcm_medium) = {
    .name = "fcm.medium",
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct fcm_medium),
    .rep_offset = offsetof(struct fcm_medium, rep),
    .ops = &medium_ops,
    .init = medium_init,
    .fini = medium_fini,
};

/* ---- relief's thread ---- */

void fixture_swap_on(uint64_t pages) {
    assert_true(pages <= PAGES_MOST);
    assert_int_equal(k42_create(&fcm_medium, NULL, &medium), 0);
    area_pages = pages;
    __atomic_store_n(&writes, 0, __ATOMIC_RELAXED);
    struct swap_new new = {.fcm = medium, .pages = pages, .path = "medium"};
    k42_enter();
    struct k42_pair added = swap_add(&new);
    assert_int_equal(added.result, 0);
    area = (unsigned)added.word;
    swap_begin(area);
    k42_exit();
}

static long bring_all_of(const struct k42_object_info *info, void *context) {
    hat_ref hat = (hat_ref)k42_id_ref(info->id);
    struct k42_pair at = {0, 0};
    (void)context;
    while ((at = k42_call(hat, next_out, at.word, area)).result >= 0) {
        k42_result result;
        do
            result = k42_call(hat, bring, at.word);
        while (result == -K42_WAIT);
        assert_true(result == 0 || result == -K42_STALE);
    }
    return 0;
}

void fixture_swap_off(void) {
    assert_int_equal(swap_close(area), 0);
    assert_int_equal(k42_synchronize(), 0);
    for (unsigned round = 0; round < 100 && swap_used(area); round++) {
        k42_enter();
        (void)k42_each_object(&hat_interface, bring_all_of, NULL);
        (void)swap_give_back(0);
        k42_exit();
        fixture_settle();
    }
    assert_int_equal(swap_used(area), 0);
    assert_true(swap_remove(area) == K42_NULL_REF);
    assert_int_equal(k42_destroy(medium), 0);
    fixture_settle();
}

static uint64_t page_out_of(hat_ref hat, uint64_t wanted) {
    k42_enter();
    struct k42_pair sent = k42_call(hat, page_out, wanted, K42_NULL_REF, NULL);
    k42_exit();
    return sent.result > 0 ? (uint64_t)sent.result : 0;
}

static void spare_nothing(void) {
    k42_enter();
    swap_cancel_spares();
    k42_exit();
}

struct walk {
    uint64_t wanted, sent;
};

static long send_some(const struct k42_object_info *info, void *context) {
    struct walk *walk = context;
    walk->sent += page_out_of((hat_ref)k42_id_ref(info->id), walk->wanted);
    return 0;
}

uint64_t fixture_page_out(uint64_t wanted) {
    struct walk walk = {.wanted = wanted};
    (void)k42_each_object(&hat_interface, send_some, &walk);
    spare_nothing();
    return walk.sent;
}

uint64_t fixture_page_out_of(hat_ref hat, uint64_t wanted) {
    uint64_t sent = page_out_of(hat, wanted);
    spare_nothing();
    return sent;
}

struct search {
    hat_ref other, found;
};

static long is_another(const struct k42_object_info *info, void *context) {
    struct search *search = context;
    if (info->id != k42_id_of(search->other))
        search->found = (hat_ref)k42_id_ref(info->id);
    return search->found != (hat_ref)K42_NULL_REF;
}

hat_ref fixture_hat_besides(hat_ref other) {
    struct search search = {other, (hat_ref)K42_NULL_REF};
    (void)k42_each_object(&hat_interface, is_another, &search);
    return search.found;
}

/* Twice: what is written now can be given back the next time. */
void fixture_swap_settle(void) {
    for (unsigned round = 0; round < 2; round++) {
        k42_enter();
        (void)swap_give_back(~0ul);
        k42_exit();
    }
}

/* A page that was used goes in the third round at the latest. */
void fixture_all_out(void) {
    for (unsigned idle = 0; idle < 4; idle++)
        if (fixture_page_out(~0ul))
            idle = 0;
        else
            fixture_swap_settle();
}

uint64_t fixture_swap_writes(void) {
    return __atomic_load_n(&writes, __ATOMIC_RELAXED);
}

uint64_t fixture_swap_used(void) {
    return swap_used(area);
}
