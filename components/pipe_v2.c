/*
 * The next version of a class: pipes of one reader and one writer whose bytes lie in a chain.
 *
 * A file that defines a class of a name that is there, with a higher version, is an upgrade of it:
 *
 *     ./k42 build components/pipe_v2.c
 *     k42ctl upgrade pipe_v2.k42 --eager     each pipe of version 1 becomes one of version 2
 *     k42ctl show 4711                       how full it was at most, how often its writer waited
 *     k42ctl upgrade pipe.spsc 1             and back
 *     k42ctl unload pipe_v2
 *
 * State. Version 1 has a ring of slots, as many as its capacity asks for. Version 2 has a link for
 * each page that is there, so capacity is a number, and knows how it was used. There is always the
 * link with the last byte that was read; who reads goes on to the next one, which is there as soon
 * as the writer's position says so.
 *
 * Pages, who is at the ends and how far they are pass to other versions and classes in the format
 * that all pipes know (ends.h); what version 2 knows besides begins anew.
 */
#include <k42/kernel/pipe.h>

K42_COMPONENT("pipe_v2");

struct link {
    struct link *next;
    char *page;
};

struct chain {
    struct ends ends;
    struct link *first;           /* the reader's */
    char apart[56];               /* what the two sides write is in lines of their own */
    struct link *last;            /* the writer's, and what its owner counts: */
    uint64_t writes, waits, most; /* most: bytes in it */
};

static struct chain *chain_of(struct ends *ends) {
    return k42_container(ends, struct chain, ends);
}

static struct link *make_link(size_t page) {
    struct link *link = heap_allocate_zeroed(sizeof *link);
    if (link && page && !(link->page = heap_allocate(page))) {
        heap_free(link);
        return NULL;
    }
    return link;
}

/* It and what follows. */
static void free_links(struct link *link) {
    for (struct link *next; link; link = next) {
        next = link->next;
        heap_free(link->page);
        heap_free(link);
    }
}

/* ---- bytes ---- */

static k42_result chain_get(struct ends *ends, uint64_t from, uint64_t to, struct copy *copy,
                            bool consume) {
    struct link *link = chain_of(ends)->first, *here;
    k42_result done = 0, copied;
    for (; from < to && copy->left; link = here, from += (uint64_t)copied, done += copied) {
        size_t within = from % PAGE, bytes = PAGE - within;
        bytes = bytes < to - from ? bytes : to - from;
        here = within ? link : link->next;
        copied = pipe_page_out(&here->page, within, bytes, copy, consume);
        if (copied <= 0)
            return done ? done : copied;
        if (consume && here != link) {
            chain_of(ends)->first = here;
            link->next = NULL;
            free_links(link);
        }
    }
    return done;
}

static k42_result chain_put(struct ends *ends, uint64_t at, uint64_t room, struct copy *copy) {
    struct chain *chain = chain_of(ends);
    k42_result done = 0, copied;
    for (; room && copy->left; at += (uint64_t)copied, room -= (uint64_t)copied, done += copied) {
        size_t within = at % PAGE, bytes = PAGE - within;
        bytes = bytes < room ? bytes : room;
        struct link *link = within ? chain->last : make_link(PAGE);
        copied = link ? pipe_page_in(&link->page, within, bytes, copy) : -ENOMEM;
        if (copied <= 0 && !within)
            free_links(link);
        if (copied <= 0)
            return done ? done : copied;
        if (!within)
            chain->last = chain->last->next = link;
    }
    return done;
}

static k42_result chain_resize(struct ends *ends, uint64_t capacity) {
    (void)ends, (void)capacity;
    return 0;
}

/* ---- methods ---- */

static k42_result chain_read(struct pipe *self, struct copy *copy) {
    return ends_read_with(self, copy, true, pipe_own, pipe_keep, chain_get);
}

static k42_result chain_peek(struct pipe *self, struct copy *copy) {
    return ends_read_with(self, copy, false, pipe_own, pipe_keep, chain_get);
}

static k42_result chain_write(struct pipe *self, struct copy *copy) {
    struct chain *chain = chain_of(ENDS(self));
    k42_result result = ends_write_with(self, copy, pipe_own, pipe_keep, chain_put);
    if (owner_is_self(&chain->ends.write.owner)) {
        uint64_t used = ends_used(&chain->ends);
        chain->most = used > chain->most ? used : chain->most;
        chain->waits += result == -K42_WAIT;
        chain->writes++;
    }
    return result;
}

static k42_result chain_set_capacity(struct pipe *self, uint64_t bytes) {
    return pipe_own_set_capacity(self, bytes, chain_resize);
}

static k42_result chain_describe(struct k42_object *object, char *text, size_t size) {
    const struct chain *chain = chain_of(ENDS((struct pipe *)(void *)object));
    size_t used = (size_t)ends_describe(object, text, size);
    return (k42_result)(used + k42_format_text(text + used, size - used,
                                               "; at most %lu; written to %lu times, which waited "
                                               "%lu times",
                                               chain->most, chain->writes, chain->waits));
}

/* ---- its life ---- */

static void chain_fini(struct k42_root *root) {
    struct chain *chain = body_of_root(root);
    if (!chain)
        return;
    free_links(chain->first);
    ends_fini(&chain->ends);
    heap_free(chain);
}

/* With so many links without pages. */
static k42_result begin(struct k42_root *root, uint64_t capacity, uint64_t links) {
    struct chain *chain = heap_allocate_zeroed(sizeof *chain);
    if (!chain)
        return -ENOMEM;
    chain->ends.capacity = capacity;
    for (; links; links--) {
        struct link *link = make_link(0);
        if (!link) {
            free_links(chain->first);
            heap_free(chain);
            return -ENOMEM;
        }
        link->next = chain->first;
        chain->first = link;
    }
    chain->last = chain->first;
    return body_init(root, chain);
}

static k42_result chain_init(struct k42_root *root, const void *args) {
    return args ? begin(root, *(const uint64_t *)args, 1) : 0;
}

/* ---- passing it on ---- */

/* The first link with bytes in it, or NULL. */
static struct link *first_full(const struct chain *chain) {
    return chain->ends.read.position % PAGE ? chain->first : chain->first->next;
}

static char *next_page(const struct ends *ends, uintptr_t *at) {
    struct link *link = *at ? (struct link *)*at : first_full(chain_of((void *)(uintptr_t)ends));
    *at = (uintptr_t)link->next;
    return link->page;
}

static k42_result export_pages(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)body_of_root(from);
    state->word[1] = (uintptr_t)next_page;
    return 0;
}

static void pages_given(struct k42_root *from, struct k42_state *state) {
    struct chain *chain = body_of_root(from);
    (void)state;
    for (struct link *link = first_full(chain); link; link = link->next)
        link->page = NULL;
    ends_given(&chain->ends);
}

/* As many pages as fit, wherever in a page they begin and end, and the link before. */
static k42_result prepare(struct k42_root *to, struct k42_state *state) {
    return begin(to, state->measured, state->measured / PAGE + 2);
}

/* The page of the last byte that was read lies in the first link, if any of it is still to be read;
 * all others follow. What was prepared too much is given back at once. */
static k42_result import_pages(struct k42_root *to, struct k42_state *state, unsigned part) {
    const struct ends *from = pipe_exported(state);
    struct chain *chain = body_of_root(to);
    uintptr_t at = 0;
    (void)part;
    if (from->capacity > chain->ends.capacity)
        return -ENOSPC;
    ends_import(&chain->ends, from);
    chain->last = chain->first;
    for (uint64_t page = ends_first_page(from); page < from->write.position; page += PAGE) {
        if (page >= from->read.position)
            chain->last = chain->last->next;
        chain->last->page = pipe_exported_pages(state)(from, &at);
    }
    free_links(chain->last->next);
    chain->last->next = NULL;
    return 0;
}

static const struct k42_transfer chain_transfers[] = {
    {.format = &pipe_pages_format,
     .measure = ends_measure,
     .prepare = prepare,
     .export_state = export_pages,
     .import_state = import_pages,
     .handed_over = pages_given},
    {.format = NULL},
};

static const struct pipe_ops chain_ops = {
    ENDS_METHODS,       .object.describe = chain_describe,
    .read = chain_read, .write = chain_write,
    .peek = chain_peek, .set_capacity = chain_set_capacity,
};

K42_CLASS(pipe_spsc_2) = {
    .name = "pipe.spsc",
    .interface = &pipe_interface,
    .version = 2,
    .traits = "readers=one writers=one",
    BODY_OBJECT,
    .ops = &chain_ops,
    .init = chain_init,
    .fini = chain_fini,
    .transfers = chain_transfers,
};
