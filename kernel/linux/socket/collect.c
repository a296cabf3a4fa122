/*
 * Sockets that are on their way in each other, where nobody can receive them any more.
 *
 * A socket is a candidate when all that hold its file are parcels. Of a candidate's holds those are
 * counted that are in inboxes of candidates. One that has others as well can be received by
 * somebody, and so can whatever is in its inbox, and in the inboxes of that. The other candidates
 * hold each other and nothing else holds them: what is in their inboxes is thrown away, and with it
 * they end as any file does.
 *
 * Why nothing is thrown away that somebody has. The gate is closed, so what is on its way and in
 * which inbox stays as it is. Candidates are chosen twice, a grace period apart, and only those are
 * left whose file nobody took a hold of in between. At the first look no table of descriptors had
 * it. Who had found it in one before that, and was still in a call with it, has left by the second
 * look, and if he took a hold, to put it into a table again, say, that is counted by then. So
 * nobody can come to it any more: not from a table, not by a call under way, not by receiving it.
 *
 * It goes step by step on the runtime's worker, which waits for grace periods anyway. Meanwhile
 * sockets that are to be sent or received wait at the gate; so it is only looked when programs have
 * sockets on their way and close some, and no grace period is waited for without a candidate.
 *
 * Data: static, of the one look that is made at a time (flight.c). Fails: without memory nothing is
 * thrown away until the next look.
 */
#include "../../fs/file.h"
#include "../../mem/heap/heap.h"
#include "flight.h"
#include "inbox.h"
#include "socket.h"
#include "socket_file.h"

struct passenger {
    struct passenger *next; /* of the same hash */
    struct passenger *todo; /* of those whose inboxes are to be looked through */
    k42_id file;
    uint32_t on_its_way; /* holds of parcels */
    uint32_t within;     /* of those, in inboxes of candidates */
    uint32_t taken;      /* holds ever taken, at the first look */
    bool candidate, receivable;
};

static struct {
    struct k42_defer defer;
    unsigned count, room, buckets;
    struct passenger *nodes, **hashed, *todo;
} look;

static struct passenger **bucket_of(k42_id file) {
    return &look.hashed[file * 0x9e3779b9u & (look.buckets - 1)];
}

static struct passenger *find(k42_id file) {
    struct passenger *node = *bucket_of(file);
    while (node && node->file != file)
        node = node->next;
    return node;
}

static void note(k42_id file, void *argument) {
    struct passenger *node = find(file);
    (void)argument;
    if (!node && look.count < look.room) {
        node = &look.nodes[look.count++];
        *node = (struct passenger){.file = file, .next = *bucket_of(file)};
        *bucket_of(file) = node;
    }
    if (node)
        node->on_its_way++;
}

static bool make_room(void) {
    look.room = flight_count() + 64;
    for (look.buckets = 64; look.buckets < look.room; look.buckets *= 2)
        ;
    look.count = 0;
    look.nodes = heap_allocate(look.room * sizeof *look.nodes);
    look.hashed = heap_allocate_zeroed(look.buckets * sizeof *look.hashed);
    return look.nodes && look.hashed;
}

static void free_room(void) {
    heap_free(look.nodes);
    heap_free(look.hashed);
    look.nodes = NULL;
    look.hashed = NULL;
}

/* ---- the inboxes of candidates ---- */

static socket_ref socket_of(const struct passenger *node) {
    k42_result id = k42_call((file_ref)k42_id_ref(node->file), control, FILE_OBJECT, 0);
    return (socket_ref)(id > 0 ? k42_id_ref((k42_id)id) : K42_NULL_REF);
}

static inbox_ref inbox_of(const struct passenger *node) {
    k42_result id = k42_call(socket_of(node), number, SOCKET_INBOX);
    return (inbox_ref)(id > 0 ? k42_id_ref((k42_id)id) : K42_NULL_REF);
}

static void count_within(k42_id file, void *argument) {
    struct passenger *node = find(file);
    (void)argument;
    if (node)
        node->within++;
}

static void make_receivable(struct passenger *node) {
    if (!node || node->receivable || !node->candidate)
        return;
    node->receivable = true;
    node->todo = look.todo;
    look.todo = node;
}

static void is_receivable(k42_id file, void *argument) {
    (void)argument;
    make_receivable(find(file));
}

static void look_through(const struct passenger *node, void (*fn)(k42_id file, void *argument)) {
    (void)!k42_call(inbox_of(node), each_file, fn, NULL);
}

static void mark(void) {
    for (unsigned i = 0; i < look.count; i++)
        if (look.nodes[i].candidate)
            look_through(&look.nodes[i], count_within);
    for (unsigned i = 0; i < look.count; i++)
        if (look.nodes[i].within < look.nodes[i].on_its_way)
            make_receivable(&look.nodes[i]);
    while (look.todo) {
        struct passenger *node = look.todo;
        look.todo = node->todo;
        look_through(node, is_receivable);
    }
}

static void throw_away(void) {
    for (unsigned i = 0; i < look.count; i++)
        if (look.nodes[i].candidate && !look.nodes[i].receivable)
            (void)!k42_call(inbox_of(&look.nodes[i]), end);
}

/* ---- the steps ---- */

static struct socket_holds holds_of(const struct passenger *node) {
    struct socket_holds holds = {0};
    (void)!k42_call((file_ref)k42_id_ref(node->file), control, FILE_LOOK, (uintptr_t)&holds);
    return holds;
}

static unsigned choose(void) {
    unsigned candidates = 0;
    for (unsigned i = 0; i < look.count; i++) {
        struct socket_holds holds = holds_of(&look.nodes[i]);
        look.nodes[i].taken = holds.taken;
        look.nodes[i].candidate = holds.holds == look.nodes[i].on_its_way;
        candidates += look.nodes[i].candidate;
    }
    return candidates;
}

static void choose_again(void) {
    for (unsigned i = 0; i < look.count; i++) {
        struct socket_holds holds = holds_of(&look.nodes[i]);
        look.nodes[i].candidate &=
            holds.holds == look.nodes[i].on_its_way && holds.taken == look.nodes[i].taken;
    }
}

static void finish(void) {
    free_room();
    flight_open_gate();
    collect_ended();
}

static void second_look(struct k42_defer *defer) {
    (void)defer;
    k42_enter();
    choose_again();
    mark();
    throw_away();
    k42_exit();
    finish();
}

static void first_look(struct k42_defer *defer) {
    if (!flight_close_gate()) {
        k42_defer(defer, first_look);
        return;
    }
    bool room = make_room();
    if (!room) {
        finish();
        return;
    }
    flight_each(note, NULL);
    k42_enter();
    unsigned candidates = choose();
    k42_exit();
    if (candidates)
        k42_defer(defer, second_look);
    else
        finish();
}

void collect_begin(void) {
    k42_defer(&look.defer, first_look);
}
