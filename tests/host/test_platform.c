/*
 * The Linux host's platform: memory, tables, the base register, threads, modules, messages.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "platform_fixture.h"

/* ---- memory and time ---- */

static void memory_is_zeroed_and_aligned(void **state) {
    (void)state;
    for (size_t size = 1; size < 4096; size = size * 2 + 1) {
        unsigned char *memory = k42_platform_alloc(size);
        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % 16, 0);
        for (size_t at = 0; at < size; at++)
            assert_int_equal(memory[at], 0);
        memset(memory, 0xff, size);
        k42_platform_free(memory);
    }
}

static void reserved_memory_takes_only_the_pages_touched(void **state) {
    (void)state;
    const size_t pages = 4096;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *memory = k42_platform_reserve(pages * page);
    assert_non_null(memory);
    assert_int_equal(memory[7 * page], 0);
    memory[7 * page] = 1;
    unsigned char resident[4096];
    assert_int_equal(mincore(memory, pages * page, resident), 0);
    size_t count = 0;
    for (size_t at = 0; at < pages; at++)
        count += resident[at] & 1;
    assert_int_equal(count, 1);
    k42_platform_unreserve(memory, pages * page);
}

static uint64_t monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void time_is_the_monotonic_clock_in_nanoseconds(void **state) {
    (void)state;
    uint64_t before = monotonic_ns();
    uint64_t now = k42_platform_now_ns();
    uint64_t after = monotonic_ns();
    assert_true(before <= now && now <= after);
}

/* ---- tables ---- */

#define OFFSET 65536 /* of a page that the tests write */

static uint64_t *word_of(void *table, size_t offset) {
    return (uint64_t *)(void *)((char *)table + offset);
}

static void unwritten_page_of_a_table_follows_the_template(void **state) {
    (void)state;
    char *table = k42_platform_table_map();
    *(uint64_t *)k42_platform_template(OFFSET) = 41;
    assert_int_equal(*word_of(table, OFFSET), 41);
    *(uint64_t *)k42_platform_template(OFFSET) = 42;
    assert_int_equal(*word_of(table, OFFSET), 42);
    k42_platform_table_unmap(table);
}

static void written_page_of_a_table_is_its_own(void **state) {
    (void)state;
    char *table = k42_platform_table_map();
    char *other = k42_platform_table_map();
    *(uint64_t *)k42_platform_template(OFFSET) = 1;
    *word_of(table, OFFSET) = 2;
    assert_int_equal(*(uint64_t *)k42_platform_template(OFFSET), 1);
    assert_int_equal(*word_of(other, OFFSET), 1);
    assert_int_equal(*word_of(table, OFFSET), 2);
    k42_platform_table_unmap(other);
    k42_platform_table_unmap(table);
}

static void trimmed_page_shows_the_template_again(void **state) {
    (void)state;
    char *table = k42_platform_table_map();
    *word_of(table, OFFSET) = 2;
    *(uint64_t *)k42_platform_template(OFFSET) = 3;
    k42_platform_table_trim(table, OFFSET, 4096);
    assert_int_equal(*word_of(table, OFFSET), 3);
    k42_platform_table_unmap(table);
}

static void trim_leaves_pages_partly_in_its_range_alone(void **state) {
    (void)state;
    char *table = k42_platform_table_map();
    for (size_t offset = 0; offset < 3 * 4096; offset += 4096)
        *word_of(table, offset) = 9;
    k42_platform_table_trim(table, 64, 2 * 4096);
    assert_int_equal(*word_of(table, 0), 9);
    assert_int_equal(*word_of(table, 4096), 0);
    assert_int_equal(*word_of(table, 2 * 4096), 9);
    k42_platform_table_unmap(table);
}

/* The system call itself, because sanitizers make mlock() do nothing. */
static void locked_memory_can_be_trimmed(void **state) {
    (void)state;
    char *table = k42_platform_table_map();
    *(uint64_t *)k42_platform_template(OFFSET) = 5;
    *word_of(table, OFFSET) = 6;
    if (syscall(SYS_mlock, table + OFFSET, 4096) < 0) {
        k42_platform_table_unmap(table);
        skip();
    }
    k42_platform_table_trim(table, OFFSET, 4096);
    assert_int_equal(*word_of(table, OFFSET), 5);
    k42_platform_table_unmap(table);
}

static void tables_are_opened_once(void **state) {
    (void)state;
    assert_int_equal(k42_platform_tables_open(4096), -EALREADY);
}

/* ---- base ---- */

/* head->self as compiled code finds it from the base. */
static struct k42_cpu_head *self_through_base(void) {
#if K42_TLS
    return k42_head()->self;
#else
    struct k42_cpu_head *self;
    __asm__ volatile("mov %%gs:%c1, %0" : "=r"(self) : "i"(offsetof(struct k42_cpu_head, self)));
    return self;
#endif
}

static void thread_with_a_head_reaches_it_through_the_base(void **state) {
    (void)state;
    assert_null(k42_platform_head());
    struct k42_cpu_head *head = fixture_attach(0);
    assert_ptr_equal(k42_platform_head(), head);
    assert_ptr_equal(self_through_base(), head);
    fixture_detach();
    assert_null(k42_platform_head());
}

static void attach_and_detach(void *found) {
    *(struct k42_cpu_head **)found = k42_platform_head();
    fixture_attach(1);
    fixture_detach();
}

static void *attach_and_detach_pthread(void *found) {
    attach_and_detach(found);
    return NULL;
}

static void new_thread_has_no_head_though_its_creator_has(void **state) {
    (void)state;
    struct k42_cpu_head *found = (void *)1;
    fixture_attach(0);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, attach_and_detach_pthread, &found), 0);
    pthread_join(thread, NULL);
    assert_null(found);
    fixture_detach();
}

#if !K42_TLS
static uintptr_t present_base(void) {
    uintptr_t base;
    syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
    return base;
}

static void read_base(void *base) {
    *(uintptr_t *)base = present_base();
}

static void thread_of_the_runtime_drops_the_base_it_inherits(void **state) {
    (void)state;
    uintptr_t base = 1;
    fixture_attach(0);
    k42_platform_join(k42_platform_spawn("inherits", read_base, &base));
    assert_int_equal(base, 0);
    fixture_detach();
}

static void detaching_leaves_the_base_zero(void **state) {
    (void)state;
    fixture_attach(0);
    assert_int_not_equal(present_base(), 0);
    fixture_detach();
    assert_int_equal(present_base(), 0);
}

static void foreign_base_is_refused_and_left_alone(void **state) {
    (void)state;
    static char foreign[64];
    void *table = k42_platform_table_map();
    syscall(SYS_arch_prctl, ARCH_SET_GS, foreign);
    int was_free = k42_platform_base_free();
    int attached = k42_platform_set_head(table);
    int detached = k42_platform_set_head(NULL);
    uintptr_t left = present_base();
    syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
    assert_int_equal(was_free, 0);
    assert_int_equal(attached, -EBUSY);
    assert_int_equal(detached, -EBUSY);
    assert_int_equal(left, (uintptr_t)foreign);
    assert_null(k42_platform_head());
    k42_platform_table_unmap(table);
}

static void base_of_a_table_that_is_gone_is_still_ours(void **state) {
    (void)state;
    void *table = k42_platform_table_map();
    k42_platform_table_unmap(table);
    syscall(SYS_arch_prctl, ARCH_SET_GS, table);
    int is_free = k42_platform_base_free();
    syscall(SYS_arch_prctl, ARCH_SET_GS, 0);
    assert_int_equal(is_free, 1);
}
#endif

/* ---- threads ---- */

struct portrait {
    uint32_t id, again;
    char name[16];
    int signals_open;
};

static void portray(void *where) {
    struct portrait *portrait = where;
    portrait->id = k42_platform_thread_id();
    portrait->again = k42_platform_thread_id();
    k42_platform_thread_name(portrait->name);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int number = 1; number <= SIGSYS; number++)
        if (number != SIGKILL && number != SIGSTOP && !sigismember(&blocked, number))
            portrait->signals_open++;
}

static void thread_has_its_name_its_id_and_no_signals(void **state) {
    (void)state;
    struct portrait portrait = {0};
    k42_platform_join(k42_platform_spawn("a-name-longer-than-fits", portray, &portrait));
    assert_string_equal(portrait.name, "a-name-longer-t");
    assert_int_not_equal(portrait.id, 0);
    assert_int_equal(portrait.id, portrait.again);
    assert_int_not_equal(portrait.id, k42_platform_thread_id());
    assert_int_equal(portrait.signals_open, 0);
}

static void starting_a_thread_leaves_the_signals_of_its_creator(void **state) {
    (void)state;
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, NULL, &before);
    struct portrait portrait = {0};
    k42_platform_join(k42_platform_spawn("portrait", portray, &portrait));
    pthread_sigmask(SIG_SETMASK, NULL, &after);
    for (int number = 1; number <= SIGSYS; number++)
        assert_int_equal(sigismember(&before, number), sigismember(&after, number));
}

/* ---- modules ---- */

static k42_result open_module(const char *path, void **handle, char *why, size_t why_size) {
    return k42_platform_module_open(&(struct k42_module_source){.path = path}, handle, why,
                                    why_size);
}

static void module_opens_by_path(void **state) {
    (void)state;
    Dl_info info;
    char why[128] = "";
    void *handle = NULL;
    assert_int_not_equal(dladdr(__extension__(void *) _assert_true, &info), 0);
    assert_int_equal(open_module(info.dli_fname, &handle, why, sizeof(why)), 0);
    assert_string_equal(why, "");
    assert_non_null(handle);
    k42_platform_module_close(handle);
}

static void missing_module_is_refused_by_name(void **state) {
    (void)state;
    char why[128] = "";
    void *handle;
    assert_int_equal(open_module("/nonexistent/part.so", &handle, why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "/nonexistent/part.so"));
}

static void module_path_without_a_slash_means_this_folder(void **state) {
    (void)state;
    char why[128] = "";
    void *handle;
    assert_int_equal(open_module("libm.so.6", &handle, why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "./libm.so.6"));
}

/* ---- messages ---- */

static void log_a_line(void) {
    k42_platform_log("the counter was swapped");
}

static void log_writes_one_line_with_a_prefix(void **state) {
    (void)state;
    char text[256];
    assert_int_equal(fixture_run_in_child(log_a_line, text, sizeof(text)), 0);
    assert_string_equal(text, "k42: the counter was swapped\n");
}

static void panic(void) {
    k42_platform_panic("the table is full");
}

static void panic_says_why_and_aborts(void **state) {
    (void)state;
    assert_panics(panic, "the table is full\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned),
        cmocka_unit_test(reserved_memory_takes_only_the_pages_touched),
        cmocka_unit_test(time_is_the_monotonic_clock_in_nanoseconds),
        cmocka_unit_test(unwritten_page_of_a_table_follows_the_template),
        cmocka_unit_test(written_page_of_a_table_is_its_own),
        cmocka_unit_test(trimmed_page_shows_the_template_again),
        cmocka_unit_test(trim_leaves_pages_partly_in_its_range_alone),
        cmocka_unit_test(locked_memory_can_be_trimmed),
        cmocka_unit_test(tables_are_opened_once),
        cmocka_unit_test(thread_with_a_head_reaches_it_through_the_base),
        cmocka_unit_test(new_thread_has_no_head_though_its_creator_has),
#if !K42_TLS
        cmocka_unit_test(thread_of_the_runtime_drops_the_base_it_inherits),
        cmocka_unit_test(detaching_leaves_the_base_zero),
        cmocka_unit_test(foreign_base_is_refused_and_left_alone),
        cmocka_unit_test(base_of_a_table_that_is_gone_is_still_ours),
#endif
        cmocka_unit_test(thread_has_its_name_its_id_and_no_signals),
        cmocka_unit_test(starting_a_thread_leaves_the_signals_of_its_creator),
        cmocka_unit_test(module_opens_by_path),
        cmocka_unit_test(missing_module_is_refused_by_name),
        cmocka_unit_test(module_path_without_a_slash_means_this_folder),
        cmocka_unit_test(log_writes_one_line_with_a_prefix),
        cmocka_unit_test(panic_says_why_and_aborts),
    };
    return cmocka_run_group_tests_name("platform", tests, fixture_open, fixture_close);
}
