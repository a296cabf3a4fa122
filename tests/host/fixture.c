/*
 * The counter and gauge classes, setting up and tearing down (fixture.h).
 *
 * All counter classes share their methods; they differ in root, formats and in what of a swap they
 * refuse. A representative counts on its own, a root holds what was imported. Locking: none, the
 * counts are atomic.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors.h"

/* ---- roots and representatives ---- */

struct counter_rep {
    struct counter counter;
    struct k42_root *root;
    long count;
};

/* What every root keeps, whatever its kind. */
struct counter_state {
    long base[FIXTURE_PARTS]; /* imported, in parts or all in the first */
    long *cell;               /* counter_cell: what was added, by pointer */
    long room;                /* counter_roomy: the most it may import */
    uint32_t gone;            /* its successor has taken over */
};

struct counter_single {
    struct k42_root root;
    struct counter_rep rep;
    struct counter_state state;
};

struct counter_clustered {
    struct k42_clustered_root root;
    struct counter_state state;
};

struct fixture_hooks fixture_hooks;
long fixture_begun, fixture_roots, fixture_reps, fixture_handed_over, fixture_called_when_gone;
uint32_t fixture_last_fini_cpu;

static void count(long *counter, long change) {
    __atomic_fetch_add(counter, change, __ATOMIC_ACQ_REL);
}

static int is_single(const struct k42_root *root) {
    return root->class_->kind == &k42_single;
}

static struct counter_state *state_of(struct k42_root *root) {
    return is_single(root) ? &((struct counter_single *)root)->state
                           : &((struct counter_clustered *)root)->state;
}

static struct counter_rep *rep_of(struct counter *self) {
    return (struct counter_rep *)self;
}

static void add_rep(void *rep, unsigned first_cpu, void *context) {
    (void)first_cpu;
    *(long *)context += fixture_read(&((struct counter_rep *)rep)->count);
}

/* What the representatives have counted. */
static long counted(struct k42_root *root) {
    struct counter_state *state = state_of(root);
    long sum = state->cell ? fixture_read(state->cell) : 0;
    if (is_single(root))
        sum += fixture_read(&((struct counter_single *)root)->rep.count);
    else
        k42_each_rep((struct k42_clustered_root *)root, add_rep, &sum);
    return sum;
}

static long total(struct k42_root *root) {
    long sum = counted(root);
    for (int part = 0; part < FIXTURE_PARTS; part++)
        sum += fixture_read(&state_of(root)->base[part]);
    return sum;
}

/* ---- methods ---- */

static void enter_method(struct counter *self) {
    if (__atomic_load_n(&state_of(rep_of(self)->root)->gone, __ATOMIC_ACQUIRE))
        count(&fixture_called_when_gone, 1);
}

static k42_result counter_describe(struct k42_object *self, char *text, size_t size) {
    return snprintf(text, size, "at %ld", total(((struct counter_rep *)self)->root));
}

static k42_result counter_add(struct counter *self, long amount) {
    struct counter_rep *rep = rep_of(self);
    long *cell = state_of(rep->root)->cell;
    enter_method(self);
    count(cell ? cell : &rep->count, amount);
    return 0;
}

static k42_result counter_value(struct counter *self) {
    enter_method(self);
    return total(rep_of(self)->root);
}

k42_result fixture_number(const struct k42_class *class_) {
    k42_result number = 0;
    while (counter_classes[number] != class_)
        number++;
    return number;
}

static k42_result counter_which(struct counter *self) {
    enter_method(self);
    return fixture_number(rep_of(self)->root->class_);
}

static k42_result counter_hold(struct counter *self, struct gate *gate, long amount) {
    gate_pass(gate);
    return counter_add(self, amount);
}

static k42_result counter_hold_then_add(struct counter *self, struct gate *gate, k42_ref other,
                                        long amount) {
    enter_method(self);
    gate_pass(gate);
    return k42_call((counter_ref)other, add, amount);
}

static k42_result counter_hold_then_relay(struct counter *self, struct gate *gate, k42_ref via,
                                          k42_ref other, long amount) {
    enter_method(self);
    gate_pass(gate);
    return k42_call((counter_ref)via, relay, other, amount);
}

static k42_result counter_relay(struct counter *self, k42_ref other, long amount) {
    enter_method(self);
    return k42_call((counter_ref)other, add, amount);
}

static struct k42_pair counter_mix(struct counter *self, uintptr_t a, uintptr_t b, uintptr_t c,
                                   uintptr_t d, uintptr_t e) {
    enter_method(self);
    return (struct k42_pair){.result = (k42_result)(a + 2 * b + 3 * c + 4 * d + 5 * e),
                             .word = COUNTER_MIX_WORD(a, b, c, d, e)};
}

static k42_result counter_run(struct counter *self, void (*fn)(void *), void *context) {
    enter_method(self);
    fn(context);
    return 0;
}

static const struct counter_ops counter_ops = {
    .object.describe = counter_describe,
    .add = counter_add,
    .value = counter_value,
    .which = counter_which,
    .hold = counter_hold,
    .hold_then_add = counter_hold_then_add,
    .hold_then_relay = counter_hold_then_relay,
    .relay = counter_relay,
    .mix = counter_mix,
    .run = counter_run,
};

static const char *const counter_methods[] = {
    "describe",        "add",   "value", "which", "hold", "hold_then_add",
    "hold_then_relay", "relay", "mix",   "run"};
const struct k42_interface counter_interface = {
    .name = "counter",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct counter_ops),
    .method_names = counter_methods,
};

/* ---- making and ending ---- */

static k42_result counter_init(struct k42_root *root, const void *args) {
    struct k42_class *class_ = root->class_;
    if (class_ == &counter_unborn && !args)
        return -ENOMEM;
    if (is_single(root))
        ((struct counter_single *)root)->rep.root = root;
    if (args && (class_ == &counter_cell || class_ == &counter_cell2) &&
        !(state_of(root)->cell = calloc(1, sizeof(long))))
        return -ENOMEM;
    count(&fixture_begun, 1);
    count(&fixture_roots, 1);
    return 0;
}

static void counter_fini(struct k42_root *root) {
    free(state_of(root)->cell);
    count(&fixture_roots, -1);
}

static k42_result counter_init_rep(struct k42_root *root, void *rep, unsigned cpu) {
    k42_result result = fixture_hooks.init_rep ? fixture_hooks.init_rep(cpu) : 0;
    if (result < 0)
        return result;
    ((struct counter_rep *)rep)->root = root;
    count(&fixture_reps, 1);
    return 0;
}

static void counter_fini_rep(struct k42_root *root, void *rep, unsigned cpu) {
    (void)root, (void)rep;
    __atomic_store_n(&fixture_last_fini_cpu, cpu, __ATOMIC_RELEASE);
    count(&fixture_reps, -1);
}

/* ---- transfer ---- */

static const struct k42_format by_value = {"counter.value", 1, 10};
static const struct k42_format by_parts = {"counter.parts", 1, 5};
static const struct k42_format by_cell = {"counter.cell", 1, 1};
static const struct k42_format by_nothing = {"counter.nothing", 1, 1};

static size_t measure_total(struct k42_root *from) {
    return (size_t)total(from);
}

static k42_result prepare(struct k42_root *to, struct k42_state *state) {
    if (state->format->cost == by_parts.cost)
        state->parts = FIXTURE_PARTS;
    state_of(to)->room = (long)k42_state_room(state, state->measured);
    if (fixture_hooks.prepare)
        fixture_hooks.prepare(state);
    return to->class_ == &counter_unready ? -ENOMEM : 0;
}

static k42_result export_value(struct k42_root *from, struct k42_state *state, unsigned part) {
    if (fixture_hooks.export_part)
        fixture_hooks.export_part(part);
    state->word[0] = (uintptr_t)total(from);
    return 0;
}

static k42_result import_value(struct k42_root *to, struct k42_state *state, unsigned part) {
    if (fixture_hooks.import_part)
        fixture_hooks.import_part(part);
    if (to->class_ == &counter_failing)
        return -EIO;
    if (to->class_ == &counter_roomy && (long)state->word[0] > state_of(to)->room)
        return -ENOSPC;
    state_of(to)->base[0] = (long)state->word[0];
    return 0;
}

static k42_result export_part(struct k42_root *from, struct k42_state *state, unsigned part) {
    if (fixture_hooks.export_part)
        fixture_hooks.export_part(part);
    long share = state_of(from)->base[part] + (part == 0 ? counted(from) : 0);
    state->word[part] = (uintptr_t)share;
    return 0;
}

static k42_result import_part(struct k42_root *to, struct k42_state *state, unsigned part) {
    if (fixture_hooks.import_part)
        fixture_hooks.import_part(part);
    k42_result result = fixture_hooks.import_fails ? fixture_hooks.import_fails(part) : 0;
    if (result < 0)
        return result;
    state_of(to)->base[part] = (long)state->word[part];
    return 0;
}

static k42_result export_cell(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)state_of(from)->cell;
    state->word[1] = (uintptr_t)(total(from) - fixture_read(state_of(from)->cell));
    return 0;
}

static k42_result import_cell(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    state_of(to)->cell = (long *)state->word[0];
    state_of(to)->base[0] = (long)state->word[1];
    return 0;
}

static void handed_over(struct k42_root *from, struct k42_state *state) {
    if (state->format->cost == by_cell.cost)
        state_of(from)->cell = NULL;
    __atomic_store_n(&state_of(from)->gone, 1, __ATOMIC_RELEASE);
    count(&fixture_handed_over, 1);
}

#define TRANSFER(format_, export_, import_)                                                        \
    {                                                                                              \
        .format = &(format_), .measure = measure_total, .prepare = prepare,                        \
        .export_state = (export_), .import_state = (import_), .handed_over = handed_over,          \
    }
static const struct k42_transfer value_only[] = {TRANSFER(by_value, export_value, import_value),
                                                 {.format = NULL}};
static const struct k42_transfer value_and_parts[] = {
    TRANSFER(by_value, export_value, import_value),
    TRANSFER(by_parts, export_part, import_part),
    {.format = NULL}};
static const struct k42_transfer value_and_cell[] = {TRANSFER(by_value, export_value, import_value),
                                                     TRANSFER(by_cell, export_cell, import_cell),
                                                     {.format = NULL}};
static const struct k42_transfer nothing_common[] = {
    TRANSFER(by_nothing, export_value, import_value), {.format = NULL}};

/* ---- classes ---- */

#define SINGLE(symbol, name_, transfers_)                                                          \
    K42_CLASS(symbol) = {                                                                          \
        .name = name_,                                                                             \
        .interface = &counter_interface,                                                           \
        .version = 1,                                                                              \
        .kind = &k42_single,                                                                       \
        .root_size = sizeof(struct counter_single),                                                \
        .rep_offset = offsetof(struct counter_single, rep),                                        \
        .ops = &counter_ops,                                                                       \
        .init = counter_init,                                                                      \
        .fini = counter_fini,                                                                      \
        .transfers = transfers_,                                                                   \
    }
#define CLUSTERED(symbol, name_, cluster_)                                                         \
    K42_CLASS(symbol) = {                                                                          \
        .name = name_,                                                                             \
        .interface = &counter_interface,                                                           \
        .version = 1,                                                                              \
        .cluster = cluster_,                                                                       \
        .kind = &k42_clustered,                                                                    \
        .root_size = sizeof(struct counter_clustered),                                             \
        .rep_size = sizeof(struct counter_rep),                                                    \
        .ops = &counter_ops,                                                                       \
        .init = counter_init,                                                                      \
        .init_rep = counter_init_rep,                                                              \
        .fini_rep = counter_fini_rep,                                                              \
        .fini = counter_fini,                                                                      \
        .transfers = value_and_parts,                                                              \
    }

SINGLE(counter_plain, "counter.plain", value_only);
SINGLE(counter_second, "counter.second", value_only);
SINGLE(counter_cell, "counter.cell", value_and_cell);
SINGLE(counter_cell2, "counter.cell2", value_and_cell);
CLUSTERED(counter_percpu, "counter.percpu", 1);
CLUSTERED(counter_pairs, "counter.pairs", 2);
SINGLE(counter_sharded, "counter.sharded", value_and_parts);
SINGLE(counter_roomy, "counter.roomy", value_only);
SINGLE(counter_failing, "counter.failing", value_only);
SINGLE(counter_unready, "counter.unready", value_only);
SINGLE(counter_unborn, "counter.unborn", value_only);
SINGLE(counter_alien, "counter.alien", nothing_common);

struct k42_class *const counter_classes[] = {&counter_plain,   &counter_second, &counter_cell,
                                             &counter_cell2,   &counter_percpu, &counter_pairs,
                                             &counter_sharded, &counter_roomy,  &counter_failing,
                                             &counter_unready, &counter_unborn, &counter_alien};
