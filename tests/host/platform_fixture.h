/*
 * For the tests of the host platform alone, without the runtime above it: CPUs made by hand.
 *
 * A test program includes this once. It stands in for core/table.c: up to FIXTURE_CPUS heads, each
 * in a table of its own, published before their thread uses them.
 */
#ifndef K42_TESTS_PLATFORM_FIXTURE_H
#define K42_TESTS_PLATFORM_FIXTURE_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../core/host/host.h"

#define FIXTURE_CPUS        4
#define FIXTURE_TABLE_BYTES (1024 * 1024)

static struct k42_cpu_head *fixture_heads[FIXTURE_CPUS];
static uint32_t fixture_limit;

struct k42_cpu_head *k42_cpu_head_of(uint32_t cpu) {
    return __atomic_load_n(&fixture_heads[cpu], __ATOMIC_ACQUIRE);
}

uint32_t k42_cpu_limit(void) {
    return __atomic_load_n(&fixture_limit, __ATOMIC_ACQUIRE);
}

/* Makes the calling thread CPU `number`, in a new table. */
static inline struct k42_cpu_head *fixture_attach(uint32_t number) {
    struct k42_cpu_head *head = k42_platform_table_map();
    if (!head)
        k42_platform_panic("the test has no memory for a table");
    head->self = head;
    head->number = number;
    __atomic_store_n(&fixture_heads[number], head, __ATOMIC_RELEASE);
    uint32_t limit = k42_cpu_limit();
    while (limit <= number && !__atomic_compare_exchange_n(&fixture_limit, &limit, number + 1, 0,
                                                           __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        ;
    if (k42_platform_set_head(head) < 0)
        k42_platform_panic("the test's thread cannot take the base register");
    return head;
}

/* The calling thread is no CPU any more. Nobody may be looking at heads. */
static inline void fixture_detach(void) {
    struct k42_cpu_head *head = k42_platform_head();
    __atomic_store_n(&fixture_heads[head->number], NULL, __ATOMIC_RELEASE);
    (void)k42_platform_set_head(NULL);
    k42_platform_table_unmap(head);
}

/* ---- words that threads tell one another ---- */

static inline uint32_t load(uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void store(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_RELEASE);
}

static inline void wait_for(uint32_t *word, uint32_t value) {
    while (load(word) != value)
        k42_platform_yield();
}

/* Time for a thread that is wrongly able to go on to do so; a right one is never in a hurry. */
static inline void give_others_time(void) {
    for (int turn = 0; turn < 200; turn++)
        k42_platform_yield();
}

/* ---- setting up, and running in a child ---- */

static inline int fixture_open(void **state) {
    (void)state;
    if (k42_platform_barrier_open() < 0)
        return -1;
    return k42_platform_tables_open(FIXTURE_TABLE_BYTES);
}

static inline int fixture_close(void **state) {
    (void)state;
    k42_platform_tables_close();
    return 0;
}

/*
 * Runs `act` in a child; returns how it ended, as waitpid() tells, and what it wrote to standard
 * error.
 */
static inline int fixture_run_in_child(void (*act)(void), char *text, size_t size) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        act();
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = '\0';
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* Runs `act` in a child and asserts that it aborts with a message that contains `says`. */
static inline void assert_panics(void (*act)(void), const char *says) {
    char text[8192];
    int status = fixture_run_in_child(act, text, sizeof(text));
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "k42: panic: "));
    assert_non_null(strstr(text, says));
}

#endif
