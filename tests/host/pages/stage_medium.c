/*
 * Media in the tests of page caches (stage.h): an FR that keeps pages in memory and answers at
 * once, from a thread or by hand. Its lock covers what is on it and what is asked of it.
 */
#include "stage.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

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
    if (!fr->medium->fails_on)
        *fail = 0;
    if (!result)
        carry(fr, &asked->page, asked->write);
    return result;
}

static k42_result ask(struct stage_fr *fr, const struct fr_page *page, bool write) {
    struct medium *medium = fr->medium;
    struct asked asked = {*page, write};
    if (page->index >= MEDIUM_PAGES || !page->bytes || page->bytes > FRAME_BYTES)
        stage_die("the medium was asked for a page that is none");
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

/* A medium that answers late has a page at a time taken from a run when it is nearly full. */
static k42_result fr_fill_run(struct fr *self, const struct fr_run *run) {
    if (!FR(self)->medium->late)
        return -ENOTSUP;
    for (uint32_t i = 0; i < run->count; i++) {
        uint64_t left = run->bytes - i * FRAME_BYTES;
        struct fr_page page = {run->fcm, run->index + i, run->physical[i],
                               left < FRAME_BYTES ? left : FRAME_BYTES};
        k42_result result = ask(FR(self), &page, false);
        if (result < 0)
            return i ? (k42_result)i : result;
        if (result != FR_STARTED)
            stage_die("a medium that answers late has answered at once");
    }
    __atomic_add_fetch(&FR(self)->medium->runs, 1, __ATOMIC_RELAXED);
    return run->count;
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

/* Under the lock: brings what was asked of a page to the end of the list. */
static bool bring_to_end(struct stage_fr *fr, uint64_t page) {
    for (unsigned at = 0; at < fr->count; at++)
        if (fr->asked[at].page.index == page) {
            struct asked last = fr->asked[fr->count - 1];
            fr->asked[fr->count - 1] = fr->asked[at];
            fr->asked[at] = last;
            return true;
        }
    return false;
}

#define ANY_PAGE (~0ul)

/* What was asked last, or of one page. False: nothing was. */
static bool answer_one(struct stage_fr *fr, bool by_hand, uint64_t page) {
    pthread_mutex_lock(&fr->lock);
    bool any = fr->count != 0 && (by_hand || !fr->medium->by_hand) &&
               (page == ANY_PAGE || bring_to_end(fr, page));
    struct asked asked = any ? fr->asked[--fr->count] : (struct asked){.write = false};
    k42_result result = any ? act(fr, &asked) : 0;
    pthread_mutex_unlock(&fr->lock);
    if (!any)
        return false;
    fcm_ref fcm = (fcm_ref)asked.page.fcm;
    if (asked.write ? TRY(fcm, written, asked.page.index, result)
                    : TRY(fcm, filled, asked.page.index, result))
        stage_die("an answer of the medium was not expected");
    return true;
}

static unsigned answer(struct stage_fr *fr, bool by_hand) {
    unsigned count = 0;
    while (answer_one(fr, by_hand, ANY_PAGE))
        count++;
    return count;
}

static void *answers(void *argument) {
    struct stage_fr *fr = argument;
    stage_attach("medium");
    while (!__atomic_load_n(&fr->ending, __ATOMIC_ACQUIRE)) {
        (void)answer(fr, false);
        usleep(50);
    }
    if (k42_detach() < 0)
        stage_die("the medium's thread cannot detach");
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
    .fill_run = fr_fill_run,
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
        stage_die("no medium");
    medium->fr = (fr_ref)fr;
}

void medium_close(struct medium *medium) {
    struct stage_fr *fr = fr_of(medium);
    __atomic_store_n(&fr->ending, true, __ATOMIC_RELEASE);
    pthread_join(fr->thread, NULL);
    forget(fr, 0, MEDIUM_PAGES);
    if (k42_destroy((k42_ref)medium->fr) < 0)
        stage_die("cannot end the medium");
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

bool medium_answer_page(struct medium *medium, uint64_t page) {
    return answer_one(fr_of(medium), true, page);
}

uint64_t medium_word(struct medium *medium, uint64_t page, unsigned word) {
    struct stage_fr *fr = fr_of(medium);
    pthread_mutex_lock(&fr->lock);
    uint64_t value = fr->pages[page] ? ((uint64_t *)fr->pages[page])[word] : 0;
    pthread_mutex_unlock(&fr->lock);
    return value;
}
