/*
 * The stage of the page caches' tests (pages_stage.h).
 */
#include "pages_stage.h"

#include "../../core/platform.h"
#include "../../kernel/mem/fcm/body.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_SECONDS 300

static _Noreturn void die(const char *what) {
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- memory ---- */

void *heap_allocate(size_t size) {
    return malloc(size);
}

void *heap_allocate_zeroed(size_t size) {
    return calloc(1, size);
}

void heap_free(void *block) {
    free(block);
}

void k42_platform_set_log(void (*log)(const char *line)) {
    (void)log;
}

/* What lasts as long as the program is known to tables that the search for leaks does not read. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable()  ((void)0)
#endif

void stage_open(void) {
    __lsan_disable();
    struct frame_range range = {1u << 20, (1u << 20) + (STAGE_FRAMES << FRAME_SHIFT),
                                FRAME_RANGE_FREE};
    machine_add_bank(range.start, range.end - range.start);
    struct k42_options options = {.max_objects = 1u << 16};
    fcm_plain.ops = fcm_shared.ops;
    if (frames_open(&range, 1) || k42_init(&options) < 0)
        die("the stage does not open");
    stage_attach("main");
    if (pm_open() < 0)
        die("the machine's PM does not open");
    __lsan_enable();
}

void stage_attach(const char *name) {
    if (k42_attach(name) < 0)
        die("a thread cannot attach");
}

uint64_t stage_frames_used(void) {
    struct frame_statistics now;
    if (k42_defer_flush() < 0)
        die("stage_frames_used: called by an active thread");
    frames_collect();
    frames_count(&now);
    return now.used;
}

/* ---- waiting ---- */

static struct wait_bucket buckets[2] = {{.waiters = 1}, {.waiters = 1}};
struct wait_bucket *wait_buckets = buckets;
unsigned wait_shift = 63;

static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wait_changed = PTHREAD_COND_INITIALIZER;
static struct stage_wait *waits;
static __thread struct wait_point noted;
static __thread uint64_t request;

k42_result wait_on(k42_id self, uintptr_t key, uint32_t events) {
    noted = (struct wait_point){.id = self, .key = key, .events = events};
    return -K42_WAIT;
}

uint64_t wait_request(void) {
    static uint64_t requests;
    if (!request)
        request = __atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED);
    return request;
}

void wait_request_end(void) {
    request = 0;
}

static bool is_at(const struct stage_wait *wait, k42_id id, uintptr_t key) {
    return wait->point.id == id && wait->point.key == key;
}

bool wait_anybody(k42_id id, uintptr_t key) {
    bool found = false;
    pthread_mutex_lock(&wait_lock);
    for (struct stage_wait *wait = waits; wait && !found; wait = wait->next)
        found = !wait->fired && is_at(wait, id, key);
    pthread_mutex_unlock(&wait_lock);
    return found;
}

uint32_t wait_notify_slow(k42_id id, uintptr_t key, uint32_t events, uint32_t count) {
    uint32_t woken = 0;
    pthread_mutex_lock(&wait_lock);
    for (struct stage_wait *wait = waits; wait && woken < count; wait = wait->next)
        if (!wait->fired && is_at(wait, id, key) && wait->point.events & events) {
            wait->fired = true;
            woken++;
        }
    if (woken)
        pthread_cond_broadcast(&wait_changed);
    pthread_mutex_unlock(&wait_lock);
    return woken;
}

static bool leave(struct stage_wait *wait) {
    pthread_mutex_lock(&wait_lock);
    struct stage_wait **link = &waits;
    while (*link != wait)
        link = &(*link)->next;
    *link = wait->next;
    wait->in = false;
    pthread_mutex_unlock(&wait_lock);
    return wait->fired;
}

static void sleep_in(struct stage_wait *wait) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_SECONDS;
    k42_exit();
    pthread_mutex_lock(&wait_lock);
    while (!wait->fired)
        if (pthread_cond_timedwait(&wait_changed, &wait_lock, &end)) {
            fprintf(stderr, "nobody told of object %u, key %lu\n", wait->point.id, wait->point.key);
            abort();
        }
    pthread_mutex_unlock(&wait_lock);
    k42_enter();
}

/* Into the table, again, sleep, again: as kernel/sched/wait.c does. */
bool stage_again(struct stage_wait *wait, k42_result *result) {
    if (*result != -K42_WAIT && *result != -K42_FAULT) {
        if (wait->in && leave(wait))
            wait_notify(wait->point.id, wait->point.key, wait->point.events, 1);
        request = 0;
        return false;
    }
    if (*result == -K42_FAULT)
        return true;
    if (wait->in && is_at(wait, noted.id, noted.key))
        sleep_in(wait);
    if (wait->in)
        (void)leave(wait);
    wait->point = noted;
    wait->fired = false;
    wait->in = true;
    pthread_mutex_lock(&wait_lock);
    wait->next = waits;
    waits = wait;
    pthread_mutex_unlock(&wait_lock);
    return true;
}

/* ---- copies ---- */

__thread size_t stage_copy_limit;
__thread void (*stage_copying)(void);

static size_t next_length(const struct copy *copy, size_t length) {
    void (*copying)(void) = stage_copying;
    stage_copying = NULL;
    if (copying)
        copying();
    if (length > copy->left)
        length = copy->left;
    return stage_copy_limit && length > stage_copy_limit ? stage_copy_limit : length;
}

static k42_result moved(struct copy *copy, size_t length) {
    copy->at += length;
    copy->here -= length;
    copy->left -= length;
    if (stage_copy_limit)
        stage_copy_limit = 0;
    return (k42_result)length;
}

/* Words whole, as a processor would, since a page may be on its way to the medium meanwhile. */
static void copy_words(void *to, const void *from, size_t length) {
    if (((uintptr_t)to | (uintptr_t)from | length) % 8) {
        memcpy(to, from, length);
        return;
    }
    for (size_t i = 0; i < length / 8; i++)
        __atomic_store_n((uint64_t *)to + i,
                         __atomic_load_n((const uint64_t *)from + i, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
}

k42_result copy_out(struct copy *copy, const void *from, size_t length) {
    length = next_length(copy, length);
    copy_words((void *)copy->at, from, length);
    return moved(copy, length);
}

k42_result copy_out_zeros(struct copy *copy, size_t length) {
    length = next_length(copy, length);
    memset((void *)copy->at, 0, length);
    return moved(copy, length);
}

k42_result copy_in(struct copy *copy, void *to, size_t length) {
    length = next_length(copy, length);
    copy_words(to, (const void *)copy->at, length);
    return moved(copy, length);
}

k42_result stage_read(fcm_ref fcm, uint64_t offset, void *bytes, size_t length) {
    struct copy copy = copy_of_kernel(bytes, length);
    return CALL(fcm, read, offset, &copy);
}

k42_result stage_write(fcm_ref fcm, uint64_t offset, const void *bytes, size_t length) {
    struct copy copy = copy_of_kernel((void *)(uintptr_t)bytes, length);
    return CALL(fcm, write, offset, &copy, NULL);
}

/* ---- an address space ---- */

struct stage_hat {
    struct k42_root root;
    struct hat rep;
    pthread_mutex_t lock;
    uint64_t pages[SPACE_PAGES]; /* physical address and protection */
    uint8_t accessed[SPACE_PAGES];
};

#define HAT(self) k42_container(self, struct stage_hat, rep)

static k42_result hat_init(struct k42_root *root, const void *args) {
    (void)args;
    return -pthread_mutex_init(&k42_container(root, struct stage_hat, root)->lock, NULL);
}

static uint64_t page_at(uintptr_t address) {
    uint64_t page = (address - SPACE_START) / FRAME_BYTES;
    if (page >= SPACE_PAGES)
        die("the address space was asked for something outside it");
    return page;
}

static k42_result hat_map(struct hat *self, uintptr_t address, uint64_t physical,
                          unsigned protection, const struct hat_lease *lease) {
    struct stage_hat *hat = HAT(self);
    uint64_t *page = &hat->pages[page_at(address)];
    k42_result result = 0;
    (void)lease;
    pthread_mutex_lock(&hat->lock);
    if (*page && (*page & ~(uint64_t)7) != physical)
        result = -EEXIST;
    else
        *page = physical | protection | (*page & 7);
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
        changed += hat->pages[page] != 0;
        hat->pages[page] &= keep;
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
    k42_result seen = hat->pages[page] && hat->accessed[page] ? HAT_ACCESSED : 0;
    hat->accessed[page] = 0;
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
        usage->mapped += hat->pages[i] != 0;
    pthread_mutex_unlock(&hat->lock);
    return 0;
}

/* The processor: 1 when the access was made, 0 for a fault. */
static k42_result hat_describe(struct k42_object *self, char *text, size_t size) {
    struct stage_hat *hat = HAT((struct hat *)(void *)self);
    (void)text, (void)size;
    uint64_t index = door.at / FRAME_BYTES;
    pthread_mutex_lock(&hat->lock);
    uint64_t page = hat->pages[index];
    bool allowed = page & (door.write ? HAT_WRITE : HAT_READ);
    if (allowed) {
        hat->accessed[index] = 1;
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
        die("no address space");
    attachment = attachment_of(space);
    if (CALL(fcm, attach, &attachment))
        die("cannot attach");
}

void space_close(struct space *space) {
    struct fcm_attachment attachment = attachment_of(space);
    if (CALL((hat_ref)space->hat, unmap, SPACE_START, SPACE_PAGES * FRAME_BYTES) < 0 ||
        CALL(space->fcm, detach, &attachment) || k42_destroy(space->hat) < 0)
        die("cannot close an address space");
}

/* Active. One attempt to make the access possible: as a region does it. */
static k42_result fault(struct space *space) {
    uint64_t index = door.at / FRAME_BYTES;
    uintptr_t address = SPACE_START + index * FRAME_BYTES;
    struct fcm_page page;
    k42_result result = k42_call(space->fcm, get_page, index, door.write ? FCM_WRITE : 0, &page);
    if (result)
        return result;
    unsigned protection = HAT_READ | (door.write && page.writable ? HAT_WRITE : 0);
    result = k42_call((hat_ref)space->hat, map, address, page.physical, protection, NULL);
    k42_result dropped =
        result ? k42_call(space->fcm, put_page, index) : k42_call(space->fcm, mapped, index, 1);
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

/* ---- a medium ---- */

struct asked {
    struct fr_page page;
    bool write;
};

struct stage_fr {
    struct k42_root root;
    struct fr rep;
    struct medium *medium;
    pthread_mutex_t lock;
    char *pages[MEDIUM_PAGES];
    struct asked asked[MEDIUM_PAGES];
    unsigned count;
    bool ending;
    pthread_t thread;
};

#define FR(self) k42_container(self, struct stage_fr, rep)

static void carry(struct stage_fr *fr, const struct fr_page *page, bool write) {
    char *memory = machine_memory(page->physical);
    if (!fr->pages[page->index])
        fr->pages[page->index] = calloc(1, FRAME_BYTES);
    /* As a disk would: whole blocks, and what is behind the file's end is anything. */
    if (write) {
        for (size_t i = 0; i < page->bytes / 8; i++)
            ((uint64_t *)fr->pages[page->index])[i] =
                __atomic_load_n((uint64_t *)memory + i, __ATOMIC_RELAXED);
        memcpy(fr->pages[page->index] + page->bytes / 8 * 8, memory + page->bytes / 8 * 8,
               page->bytes % 8);
    } else {
        memcpy(memory, fr->pages[page->index], FRAME_BYTES);
    }
}

/* Under the lock: what is to come of it. */
static k42_result act(struct stage_fr *fr, const struct asked *asked) {
    k42_result *fail = asked->write ? &fr->medium->fail_write : &fr->medium->fail_fill;
    k42_result result = *fail;
    *fail = 0;
    if (!result)
        carry(fr, &asked->page, asked->write);
    return result;
}

static k42_result ask(struct stage_fr *fr, const struct fr_page *page, bool write) {
    struct medium *medium = fr->medium;
    struct asked asked = {*page, write};
    if (page->index >= MEDIUM_PAGES || !page->bytes || page->bytes > FRAME_BYTES)
        die("the medium was asked for a page that is none");
    pthread_mutex_lock(&fr->lock);
    k42_result result = FR_STARTED;
    if (medium->refuse) {
        medium->refuse--;
        result = wait_on(k42_root_id(&fr->root), 0, (uint32_t)WAIT_ANY);
    } else {
        write ? medium->writes++ : medium->fills++;
        if (!write && !fr->pages[page->index] && !medium->late && !medium->fail_fill)
            result = FR_ZERO;
        else if (medium->late && fr->count < MEDIUM_PAGES)
            fr->asked[fr->count++] = asked;
        else
            result = act(fr, &asked);
    }
    pthread_mutex_unlock(&fr->lock);
    if (result == -K42_WAIT)
        wait_notify(k42_root_id(&fr->root), 0, (uint32_t)WAIT_ANY, WAIT_ALL);
    return result;
}

static k42_result fr_fill(struct fr *self, const struct fr_page *page) {
    return ask(FR(self), page, false);
}

static k42_result fr_write(struct fr *self, const struct fr_page *page) {
    return ask(FR(self), page, true);
}

static void forget(struct stage_fr *fr, uint64_t first, uint64_t end) {
    for (uint64_t page = first; page < end && page < MEDIUM_PAGES; page++) {
        free(fr->pages[page]);
        fr->pages[page] = NULL;
    }
}

static k42_result fr_resize(struct fr *self, uint64_t size) {
    struct stage_fr *fr = FR(self);
    uint64_t page = size / FRAME_BYTES, here = size % FRAME_BYTES;
    if (size > MEDIUM_PAGES * FRAME_BYTES)
        return -EFBIG;
    pthread_mutex_lock(&fr->lock);
    fr->medium->size = size;
    forget(fr, page + (here != 0), MEDIUM_PAGES);
    if (here && fr->pages[page])
        memset(fr->pages[page] + here, 0, FRAME_BYTES - here);
    pthread_mutex_unlock(&fr->lock);
    return 0;
}

static k42_result fr_punch(struct fr *self, uint64_t first, uint64_t pages) {
    struct stage_fr *fr = FR(self);
    pthread_mutex_lock(&fr->lock);
    forget(fr, first, first + pages);
    pthread_mutex_unlock(&fr->lock);
    return 0;
}

static k42_result fr_flush(struct fr *self) {
    __atomic_add_fetch(&FR(self)->medium->flushes, 1, __ATOMIC_RELAXED);
    return 0;
}

static k42_result fr_describe(struct k42_object *self, char *text, size_t size) {
    (void)self, (void)text, (void)size;
    return 0;
}

static unsigned answer(struct stage_fr *fr, bool by_hand) {
    unsigned count = 0;
    for (;;) {
        pthread_mutex_lock(&fr->lock);
        bool any = fr->count != 0 && (by_hand || !fr->medium->by_hand);
        struct asked asked = any ? fr->asked[--fr->count] : (struct asked){.write = false};
        k42_result result = any ? act(fr, &asked) : 0;
        pthread_mutex_unlock(&fr->lock);
        if (!any)
            return count;
        count++;
        fcm_ref fcm = (fcm_ref)asked.page.fcm;
        if (asked.write ? TRY(fcm, written, asked.page.index, result)
                        : TRY(fcm, filled, asked.page.index, result))
            die("an answer of the medium was not expected");
    }
}

static void *answers(void *argument) {
    struct stage_fr *fr = argument;
    stage_attach("medium");
    while (!__atomic_load_n(&fr->ending, __ATOMIC_ACQUIRE)) {
        (void)answer(fr, false);
        usleep(50);
    }
    if (k42_detach() < 0)
        die("the medium's thread cannot detach");
    return NULL;
}

static k42_result fr_init(struct k42_root *root, const void *args) {
    struct stage_fr *fr = k42_container(root, struct stage_fr, root);
    fr->medium = (struct medium *)args;
    pthread_mutex_init(&fr->lock, NULL);
    return -pthread_create(&fr->thread, NULL, answers, fr);
}

static const struct fr_ops stage_fr_ops = {
    .object.describe = fr_describe,
    .fill = fr_fill,
    .write = fr_write,
    .resize = fr_resize,
    .punch = fr_punch,
    .flush = fr_flush,
};

K42_CLASS(stage_fr) = {
    .name = "stage.fr",
    .interface = &fr_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct stage_fr),
    .rep_offset = offsetof(struct stage_fr, rep),
    .ops = &stage_fr_ops,
    .init = fr_init,
};

/* Where the object is, which stays put: there is no other class of it. */
static struct stage_fr *fr_of(struct medium *medium) {
    k42_enter();
    struct fr *rep = k42_load(medium->fr);
    (void)k42_call_object(medium->fr, describe, NULL, 0);
    rep = k42_load(medium->fr);
    k42_exit();
    return FR(rep);
}

void medium_open(struct medium *medium) {
    k42_ref fr;
    if (k42_create(&stage_fr, medium, &fr) < 0)
        die("no medium");
    medium->fr = (fr_ref)fr;
}

void medium_close(struct medium *medium) {
    struct stage_fr *fr = fr_of(medium);
    __atomic_store_n(&fr->ending, true, __ATOMIC_RELEASE);
    pthread_join(fr->thread, NULL);
    forget(fr, 0, MEDIUM_PAGES);
    if (k42_destroy((k42_ref)medium->fr) < 0)
        die("cannot end the medium");
}

void medium_set_by_hand(struct medium *medium, bool by_hand) {
    struct stage_fr *fr = fr_of(medium);
    pthread_mutex_lock(&fr->lock);
    medium->by_hand = by_hand;
    pthread_mutex_unlock(&fr->lock);
}

unsigned medium_answer(struct medium *medium) {
    return answer(fr_of(medium), true);
}

uint64_t medium_word(struct medium *medium, uint64_t page, unsigned word) {
    struct stage_fr *fr = fr_of(medium);
    pthread_mutex_lock(&fr->lock);
    uint64_t value = fr->pages[page] ? ((uint64_t *)fr->pages[page])[word] : 0;
    pthread_mutex_unlock(&fr->lock);
    return value;
}

/* ---- the canonical format alone ---- */

static k42_result plain_init(struct k42_root *root, const void *args) {
    return fcm_body_init(root, args);
}

K42_CLASS(fcm_plain) = {
    .name = "fcm.plain",
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .init = plain_init,
    .fini = fcm_body_fini,
    .transfers = &fcm_body_transfers[1],
};
