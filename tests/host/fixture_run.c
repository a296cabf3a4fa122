/*
 * Setting the runtime up and down for one test, single calls, and tests that run in a child.
 *
 * Owned by the test's main thread. The lines logged are kept under a lock, since any thread logs.
 */
#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what the runtime says ---- */

static pthread_mutex_t lines_lock = PTHREAD_MUTEX_INITIALIZER;
static char lines[65536];
static size_t lines_length;

static void keep_line(const char *line) {
    pthread_mutex_lock(&lines_lock);
    size_t length = strlen(line);
    if (lines_length + length + 2 < sizeof lines) {
        memcpy(lines + lines_length, line, length);
        lines_length += length;
        lines[lines_length++] = '\n';
        lines[lines_length] = '\0';
    }
    pthread_mutex_unlock(&lines_lock);
}

int fixture_logged(const char *text) {
    pthread_mutex_lock(&lines_lock);
    int found = strstr(lines, text) != NULL;
    pthread_mutex_unlock(&lines_lock);
    return found;
}

/* ---- setup and teardown ---- */

int fixture_open_with(const struct k42_options *options) {
    struct k42_options own = *options;
    fixture_hooks = (struct fixture_hooks){0};
    fixture_roots = fixture_reps = fixture_handed_over = fixture_called_when_gone = 0;
    lines_length = 0;
    lines[0] = '\0';
    own.log = keep_line;
    if (k42_init(&own) < 0 || k42_attach("test") < 0) {
        fprintf(stderr, "%s", lines);
        return -1;
    }
    return 0;
}

int fixture_open(void **state) {
    (void)state;
    /* No line of the watchdog unless a test asks for it. */
    return fixture_open_with(
        &(struct k42_options){.max_objects = 1u << 17, .watchdog_ns = 300000000000ull});
}

static int left_behind(const char *what, uint64_t count) {
    if (count)
        fprintf(stderr, "left behind: %lu %s\n", (unsigned long)count, what);
    return count != 0;
}

int fixture_close(void **state) {
    (void)state;
    int failed = 0;
    k42_result result = k42_swap_flush();
    if (!result)
        result = k42_defer_flush();
    struct k42_stats stats = fixture_stats();
    if (!result)
        result = k42_detach();
    if (!result)
        result = k42_shutdown();
    if (result < 0) {
        fprintf(stderr, "the runtime does not end: %s\n%s", k42_error_name(result), lines);
        return -1;
    }
    failed |= left_behind("roots without an object", stats.roots_live - stats.objects);
    failed |= left_behind("mediators", stats.mediators_live);
    stats = fixture_stats();
    failed |= left_behind("mediators", stats.mediators_live);
    failed |= left_behind("interposers", stats.interposers_live);
    failed |= left_behind("deferred calls", stats.defers_pending);
    failed |= left_behind("roots of the tests' classes", (uint64_t)fixture_read(&fixture_roots));
    failed |= left_behind("representatives", (uint64_t)fixture_read(&fixture_reps));
    failed |=
        left_behind("calls of replaced objects", (uint64_t)fixture_read(&fixture_called_when_gone));
    return failed ? -1 : 0;
}

struct k42_stats fixture_stats(void) {
    struct k42_stats stats;
    k42_stats(&stats);
    return stats;
}

/* ---- single steps ---- */

k42_ref fixture_create(struct k42_class *class_) {
    k42_ref ref = K42_NULL_REF;
    /* Any args that are not NULL mean: with a state of its own. */
    assert_int_equal(k42_create(class_, "", &ref), 0);
    return ref;
}

k42_result fixture_add(k42_ref ref, long amount) {
    k42_enter();
    k42_result result = k42_call((counter_ref)ref, add, amount);
    k42_exit();
    return result;
}

k42_result fixture_value(k42_ref ref) {
    k42_enter();
    k42_result result = k42_call((counter_ref)ref, value);
    k42_exit();
    return result;
}

k42_result fixture_which(k42_ref ref) {
    k42_enter();
    k42_result result = k42_call((counter_ref)ref, which);
    k42_exit();
    return result;
}

void fixture_destroy(k42_ref ref) {
    assert_int_equal(k42_destroy(ref), 0);
    assert_int_equal(k42_defer_flush(), 0);
}

/* ---- running in a child ---- */

int fixture_in_child(void (*act)(void), char *text, size_t size) {
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0, 0};
        setrlimit(RLIMIT_CORE, &no_core);
        dup2(ends[1], STDERR_FILENO);
        alarm(300);
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

void fixture_assert_panics(void (*act)(void), const char *says) {
    char text[8192];
    int status = fixture_in_child(act, text, sizeof text);
    if (!strstr(text, says))
        print_error("a message with \"%s\" was expected, but it was:\n%s", says, text);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(text, "k42: panic: "));
    assert_non_null(strstr(text, says));
}

void fixture_assert_child_succeeds(void (*act)(void)) {
    char text[8192];
    int status = fixture_in_child(act, text, sizeof text);
    if (status)
        print_error("the child said:\n%s", text);
    assert_int_equal(status, 0);
}
