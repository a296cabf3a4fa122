/*
 * Classes of accounts: one number; two numbers (version 2); one number per CPU; one that fails its
 * import two times in three, half of them for want of room.
 *
 * Additions are atomic, so the classes need no lock. A part of a spread account may be on any CPU;
 * the canonical format is the sum, by value. An account that is called after it has handed its
 * state over ends the run at once, where it can be looked into.
 */
#include "account.h"
#include "stress.h"

long account_retired;

static const char *const method_names[] = {"describe", "add", "balance", "pass", "become"};
const struct k42_interface account_interface = {
    .name = "account",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct account_ops),
    .method_names = method_names,
};

struct plain {
    struct k42_root root;
    struct account rep;
    long value, other_half;
    uint32_t gone;
};

struct spread {
    struct k42_clustered_root root;
    long carried; /* what was imported */
    uint32_t gone;
};

struct spread_rep {
    struct account rep;
    struct spread *root;
    long value;
};

static struct plain *plain_of(struct account *self) {
    return k42_container(self, struct plain, rep);
}

static void check_not_gone(const uint32_t *gone, const struct k42_root *root) {
    if (!__atomic_load_n(gone, __ATOMIC_ACQUIRE))
        return;
    stress_say("an account of class %s, once object %u, was called on CPU %d", root->class_->name,
               root->id, k42_cpu());
    stress_die("an account was called after its end");
}

static k42_result describe(struct k42_object *self, char *text, size_t size) {
    (void)self;
    if (size)
        text[0] = 0;
    return 0;
}

static k42_result pass(struct account *self, account_ref other, long hops, long amount) {
    if (hops)
        return k42_call(other, pass, other, hops - 1, amount);
    return self->ops->add(self, amount);
}

/* ---- one number, or two ---- */

static k42_result plain_add(struct account *self, long amount) {
    __atomic_fetch_add(&plain_of(self)->value, amount, __ATOMIC_RELAXED);
    check_not_gone(&plain_of(self)->gone, &plain_of(self)->root);
    return 0;
}

static struct k42_pair plain_balance(struct account *self) {
    struct plain *plain = plain_of(self);
    return (struct k42_pair){0, (uintptr_t)(__atomic_load_n(&plain->value, __ATOMIC_RELAXED) +
                                            __atomic_load_n(&plain->other_half, __ATOMIC_RELAXED))};
}

static k42_result plain_become(struct account *self, struct k42_class *class_) {
    return k42_swap(k42_root_ref(&plain_of(self)->root), class_, NULL);
}

static k42_result halves_add(struct account *self, long amount) {
    struct plain *plain = plain_of(self);
    __atomic_fetch_add(amount & 1 ? &plain->value : &plain->other_half, amount, __ATOMIC_RELAXED);
    check_not_gone(&plain->gone, &plain->root);
    return 0;
}

static void plain_fini(struct k42_root *root) {
    struct plain *plain = (struct plain *)root;
    __atomic_fetch_add(&account_retired, plain->value + plain->other_half, __ATOMIC_RELAXED);
    __atomic_store_n(&plain->gone, 1, __ATOMIC_RELEASE);
}

/* ---- one number per CPU ---- */

static struct spread_rep *spread_of(struct account *self) {
    return (struct spread_rep *)self;
}

static k42_result spread_add(struct account *self, long amount) {
    struct spread *spread = spread_of(self)->root;
    __atomic_fetch_add(&spread_of(self)->value, amount, __ATOMIC_RELAXED);
    check_not_gone(&spread->gone, &spread->root.root);
    return 0;
}

static void sum_rep(void *rep, unsigned first_cpu, void *context) {
    (void)first_cpu;
    *(long *)context += __atomic_load_n(&((struct spread_rep *)rep)->value, __ATOMIC_RELAXED);
}

static long spread_sum(struct spread *spread) {
    long sum = spread->carried;
    k42_each_rep(&spread->root, sum_rep, &sum);
    return sum;
}

static struct k42_pair spread_balance(struct account *self) {
    return (struct k42_pair){0, (uintptr_t)spread_sum(spread_of(self)->root)};
}

static k42_result spread_become(struct account *self, struct k42_class *class_) {
    return k42_swap(k42_root_ref(&spread_of(self)->root->root.root), class_, NULL);
}

static k42_result spread_init_rep(struct k42_root *root, void *rep, unsigned cpu) {
    (void)cpu;
    ((struct spread_rep *)rep)->root = (struct spread *)root;
    return 0;
}

static void spread_fini_rep(struct k42_root *root, void *rep, unsigned cpu) {
    (void)root, (void)cpu;
    __atomic_fetch_add(&account_retired, ((struct spread_rep *)rep)->value, __ATOMIC_RELAXED);
}

static void spread_fini(struct k42_root *root) {
    __atomic_fetch_add(&account_retired, ((struct spread *)root)->carried, __ATOMIC_RELAXED);
}

/* ---- transfer: the sum. What was handed over is no longer the old one's to retire. ---- */

static const struct k42_format sum_format = {"account.sum", 1, 10};

static k42_result plain_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    struct plain *plain = (struct plain *)from;
    (void)part;
    state->word[0] = (uintptr_t)(plain->value + plain->other_half);
    return 0;
}

static void plain_handed_over(struct k42_root *from, struct k42_state *state) {
    (void)state;
    ((struct plain *)from)->value = ((struct plain *)from)->other_half = 0;
    __atomic_store_n(&((struct plain *)from)->gone, 1, __ATOMIC_RELEASE);
}

static k42_result plain_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    ((struct plain *)to)->value = (long)state->word[0];
    return 0;
}

static k42_result brittle_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    static unsigned turn;
    switch (__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) % 6) {
    case 0:
    case 3:
        return plain_import(to, state, part);
    case 1:
    case 4:
        return -ENOSPC;
    default:
        return -EIO;
    }
}

static k42_result spread_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)spread_sum((struct spread *)from);
    return 0;
}

static void clear_rep(void *rep, unsigned first_cpu, void *context) {
    (void)first_cpu, (void)context;
    ((struct spread_rep *)rep)->value = 0;
}

static void spread_handed_over(struct k42_root *from, struct k42_state *state) {
    (void)state;
    ((struct spread *)from)->carried = 0;
    __atomic_store_n(&((struct spread *)from)->gone, 1, __ATOMIC_RELEASE);
    k42_each_rep(&((struct spread *)from)->root, clear_rep, NULL);
}

static k42_result spread_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    ((struct spread *)to)->carried = (long)state->word[0];
    return 0;
}

#define TRANSFERS(name, export, import, handed)                                                    \
    static const struct k42_transfer name[] = {{.format = &sum_format,                             \
                                                .export_state = (export),                          \
                                                .import_state = (import),                          \
                                                .handed_over = (handed)},                          \
                                               {.format = NULL}}
TRANSFERS(plain_transfers, plain_export, plain_import, plain_handed_over);
TRANSFERS(brittle_transfers, plain_export, brittle_import, plain_handed_over);
TRANSFERS(spread_transfers, spread_export, spread_import, spread_handed_over);

#define OPERATIONS(name, add_, balance_, become_)                                                  \
    static const struct account_ops name = {.object.describe = describe,                           \
                                            .add = (add_),                                         \
                                            .balance = (balance_),                                 \
                                            .pass = pass,                                          \
                                            .become = (become_)}
OPERATIONS(plain_ops, plain_add, plain_balance, plain_become);
OPERATIONS(halves_ops, halves_add, plain_balance, plain_become);
OPERATIONS(spread_ops, spread_add, spread_balance, spread_become);

#define PLAIN(symbol, name_, version_, ops_, transfers_)                                           \
    K42_CLASS(symbol) = {.name = (name_),                                                          \
                         .interface = &account_interface,                                          \
                         .version = (version_),                                                    \
                         .kind = &k42_single,                                                      \
                         .root_size = sizeof(struct plain),                                        \
                         .rep_offset = offsetof(struct plain, rep),                                \
                         .ops = &(ops_),                                                           \
                         .fini = plain_fini,                                                       \
                         .transfers = (transfers_)}
PLAIN(account_plain, "account.plain", 1, plain_ops, plain_transfers);
PLAIN(account_plain2, "account.plain", 2, halves_ops, plain_transfers);
PLAIN(account_brittle, "account.brittle", 1, plain_ops, brittle_transfers);

K42_CLASS(account_spread) = {.name = "account.spread",
                             .interface = &account_interface,
                             .version = 1,
                             .kind = &k42_clustered,
                             .root_size = sizeof(struct spread),
                             .rep_size = sizeof(struct spread_rep),
                             .ops = &spread_ops,
                             .init_rep = spread_init_rep,
                             .fini_rep = spread_fini_rep,
                             .fini = spread_fini,
                             .transfers = spread_transfers};
