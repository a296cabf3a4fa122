/*
 * The shared classes and steps of class_fixture.h.
 *
 * Owns: nothing between tests. Fails: the running test, by cmocka's assertions.
 */
#include "class_fixture.h"

#include <sched.h>
#include <unistd.h>

char why[512];

struct k42_class tally_1 = {TALLY_PLAIN("tally.plain", 1)};
struct k42_class tally_other = {TALLY_PLAIN("tally.other", 1)};

/* ---- version 2: more state, laid out otherwise ---- */

#define PIECES 8

struct tally_large {
    struct k42_root root;
    struct tally rep;
    long pieces[PIECES];
    unsigned next;
    char room[512];
};

static struct tally_large *large_of(struct tally *self) {
    return k42_container(self, struct tally_large, rep);
}

static k42_result large_add(struct tally *self, long amount) {
    struct tally_large *object = large_of(self);
    unsigned piece = __atomic_fetch_add(&object->next, 1, __ATOMIC_RELAXED) % PIECES;
    __atomic_fetch_add(&object->pieces[piece], amount, __ATOMIC_RELAXED);
    return 0;
}

static long large_total(const struct tally_large *object) {
    long total = 0;
    for (unsigned i = 0; i < PIECES; i++)
        total += tally_read(&object->pieces[i]);
    return total;
}

static k42_result large_value(struct tally *self) {
    return large_total(large_of(self));
}

static k42_result large_version(struct tally *self) {
    return k42_root_class(&large_of(self)->root)->version;
}

static k42_result large_init(struct k42_root *root, const void *args) {
    if (args)
        ((struct tally_large *)root)->pieces[0] = *(const long *)args;
    return 0;
}

static k42_result large_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)large_total((struct tally_large *)from);
    return 0;
}

static k42_result large_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    ((struct tally_large *)to)->pieces[PIECES - 1] = (long)state->word[0];
    return 0;
}

static const struct k42_transfer large_transfers[] = {
    {.format = &tally_format, .export_state = large_export, .import_state = large_import},
    {.format = NULL},
};
static const struct tally_ops large_ops = {
    .add = large_add, .value = large_value, .version = large_version};
struct k42_class tally_2 = {.name = "tally.plain",
                            .version = 2,
                            .interface = &tally_interface,
                            .kind = &k42_single,
                            .root_size = sizeof(struct tally_large),
                            .rep_offset = offsetof(struct tally_large, rep),
                            .ops = &large_ops,
                            .init = large_init,
                            .transfers = large_transfers};

/* ---- version 3: refuses some; version 4: understands none ---- */

static k42_result picky_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    return state->word[0] % 2 ? -EIO : tally_import(to, state, part);
}

static const struct k42_transfer picky_transfers[] = {
    {.format = &tally_format, .export_state = tally_export, .import_state = picky_import},
    {.format = NULL},
};
struct k42_class tally_picky = {.name = "tally.plain",
                                .version = 3,
                                .interface = &tally_interface,
                                .kind = &k42_single,
                                .root_size = sizeof(struct tally_object),
                                .rep_offset = offsetof(struct tally_object, rep),
                                .ops = &tally_plain_ops,
                                .init = tally_init,
                                .transfers = picky_transfers};

static const struct k42_format alien_format = {"tally.alien", 1, 1};
static const struct k42_transfer alien_transfers[] = {
    {.format = &alien_format, .export_state = tally_export, .import_state = tally_import},
    {.format = NULL},
};
struct k42_class tally_alien = {.name = "tally.plain",
                                .version = 4,
                                .interface = &tally_interface,
                                .kind = &k42_single,
                                .root_size = sizeof(struct tally_object),
                                .rep_offset = offsetof(struct tally_object, rep),
                                .ops = &tally_plain_ops,
                                .init = tally_init,
                                .transfers = alien_transfers};

/* ---- setup and teardown ---- */

int classes_open(void **state) {
    (void)state;
    why[0] = '\0';
    if (k42_init(NULL) < 0 || k42_attach("test") < 0)
        return -1;
    return 0;
}

/* Objects the test left alive, but for factories. */
static long count_tally(const struct k42_object_info *info, void *context) {
    *(long *)context += strcmp(info->interface_name, "k42_factory") != 0;
    return 0;
}

int classes_close(void **state) {
    (void)state;
    long left = 0;
    /* What was destroyed during its swap dies when that ends, what is adapted with its adaptor. */
    assert_int_equal(k42_swap_flush(), 0);
    for (int round = 0; round < 2; round++)
        assert_int_equal(k42_defer_flush(), 0);
    k42_each_object(NULL, count_tally, &left);
    if (left)
        print_error("the test left %ld objects\n", left);
    if (k42_detach() < 0 || k42_shutdown() < 0)
        return -1;
    struct k42_stats stats = stats_now();
    if (stats.mediators_live || stats.roots_live || stats.interposers_live || stats.defers_pending)
        print_error("%lu mediators, %lu roots, %lu interposers, %lu defers were left\n",
                    stats.mediators_live, stats.roots_live, stats.interposers_live,
                    stats.defers_pending);
    return left || stats.mediators_live || stats.roots_live || stats.interposers_live ||
                   stats.defers_pending
               ? -1
               : 0;
}

/* ---- registering ---- */

void must_register(struct k42_class *class_) {
    k42_result result = k42_class_register(class_, why, sizeof why);
    if (result < 0)
        fail_msg("%s: %s", k42_error_name(result), why);
}

static long count_class(const struct k42_class_info *info, void *context) {
    (void)info;
    ++*(long *)context;
    return 0;
}

long classes_listed(void) {
    long count = 0;
    k42_each_class(count_class, &count);
    return count;
}

static long take_info(const struct k42_class_info *info, void *context) {
    struct k42_class_info *wanted = context;
    if (info->class_ != wanted->class_)
        return 0;
    *wanted = *info;
    return 1;
}

struct k42_class_info class_info(const struct k42_class *class_) {
    struct k42_class_info info = {.class_ = (struct k42_class *)(uintptr_t)class_};
    assert_int_equal(k42_each_class(take_info, &info), 1);
    return info;
}

void assert_refused(struct k42_class *class_, k42_result error, const char *says) {
    long listed = classes_listed();
    struct k42_class_record *record = class_->record;
    why[0] = '\0';
    assert_int_equal(k42_class_register(class_, why, sizeof why), error);
    if (!strstr(why, says))
        fail_msg("'%s' does not say '%s'", why, says);
    assert_int_equal(classes_listed(), listed);
    assert_ptr_equal(class_->record, record);
}

/* ---- objects ---- */

k42_ref make(struct k42_class *class_, long total) {
    k42_ref ref = K42_NULL_REF;
    assert_int_equal(k42_create(class_, &total, &ref), 0);
    return ref;
}

k42_result make_by_factory(k42_factory_ref factory, const struct k42_interface *interface_,
                           k42_ref *ref) {
    k42_enter();
    k42_result result = k42_call(factory, create, interface_, NULL, ref);
    k42_exit();
    return result;
}

k42_result make_by_name(const char *name, k42_ref *ref) {
    k42_factory_ref factory;
    k42_result result = k42_factory_find(name, &factory);
    return result < 0 ? result : make_by_factory(factory, &tally_interface, ref);
}

void destroy(k42_ref ref) {
    assert_int_equal(k42_destroy(ref), 0);
}

k42_result add(k42_ref ref, long amount) {
    k42_enter();
    k42_result result = k42_call((tally_ref)ref, add, amount);
    k42_exit();
    return result;
}

k42_result value(k42_ref ref) {
    k42_enter();
    k42_result result = k42_call((tally_ref)ref, value);
    k42_exit();
    return result;
}

k42_result version(k42_ref ref) {
    k42_enter();
    k42_result result = k42_call((tally_ref)ref, version);
    k42_exit();
    return result;
}

uint32_t inspected_version(k42_ref ref) {
    struct k42_object_info info;
    assert_int_equal(k42_inspect(ref, &info), 0);
    return info.version;
}

struct k42_stats stats_now(void) {
    struct k42_stats stats;
    k42_stats(&stats);
    return stats;
}

/* ---- upgrade ---- */

struct k42_upgrade upgrade_to(struct k42_class *to, k42_result expected) {
    struct k42_upgrade upgrade = {.to = to};
    assert_int_equal(k42_upgrade(&upgrade), expected);
    return upgrade;
}

/* ---- components ---- */

const char *component_path(const char *name) {
    static char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    assert_true(length > 0);
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    snprintf(slash + 1, sizeof path - (size_t)(slash + 1 - path), "%s.so", name);
    return path;
}

struct k42_component *must_load(const char *name) {
    struct k42_component *component = NULL;
    k42_result result = k42_component_load(component_path(name), &component, why, sizeof why);
    if (result < 0)
        fail_msg("%s: %s", k42_error_name(result), why);
    return component;
}

void must_unload(struct k42_component *component) {
    k42_result result = k42_component_unload(component, why, sizeof why);
    if (result < 0)
        fail_msg("%s: %s", k42_error_name(result), why);
}

void assert_busy(struct k42_component *component, const char *says) {
    why[0] = '\0';
    assert_int_equal(k42_component_unload(component, why, sizeof why), -EBUSY);
    if (!strstr(why, says))
        fail_msg("'%s' does not say '%s'", why, says);
}

/* ---- threads ---- */

void word_await(const uint32_t *word, uint32_t at_least) {
    while (word_load(word) < at_least)
        sched_yield();
}

struct beginning {
    void *(*fn)(void *);
    void *argument;
};

static void *attached_thread(void *argument) {
    struct beginning beginning = *(struct beginning *)argument;
    free(argument);
    if (k42_attach("helper") < 0)
        abort();
    void *result = beginning.fn(beginning.argument);
    if (k42_detach() < 0)
        abort();
    return result;
}

pthread_t begin_thread(void *(*fn)(void *), void *argument) {
    pthread_t thread;
    struct beginning *beginning = malloc(sizeof *beginning);
    assert_non_null(beginning);
    *beginning = (struct beginning){fn, argument};
    assert_int_equal(pthread_create(&thread, NULL, attached_thread, beginning), 0);
    return thread;
}

void end_thread(pthread_t thread) {
    assert_int_equal(pthread_join(thread, NULL), 0);
}
