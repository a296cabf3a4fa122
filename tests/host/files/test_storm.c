/*
 * A tree that many threads change while all that it is made of is being swapped.
 */
#include "file_test.h"

static const char *random_path(unsigned long *seed) {
    static const char *const names[] = {"/t/a",   "/t/b",     "/t/c",   "/t/a/b",   "/t/a/c",
                                        "/t/b/a", "/t/b/c",   "/t/c/a", "/t/a/b/c", "/t/b/c/a",
                                        "/t/c/b", "/t/c/b/a", "/t/a/x", "/t/b/x",   "/t/c/x"};
    *seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
    return names[(*seed >> 33) % (sizeof names / sizeof *names)];
}

static void change_tree(unsigned long *seed) {
    const char *one = random_path(seed), *two = random_path(seed);
    char bytes[100];
    long fd;
    switch ((*seed >> 45) % 8) {
    case 0:
        CALL(SYS_mkdir, one, 0755);
        break;
    case 1:
        CALL(SYS_rmdir, one);
        break;
    case 2:
        CALL(SYS_unlink, one);
        break;
    case 3:
        CALL(SYS_link, one, two);
        break;
    case 4:
        CALL(SYS_renameat2, AT_FDCWD, one, AT_FDCWD, two, 2 /* RENAME_EXCHANGE */);
        break;
    case 5:
        CALL(SYS_rename, one, two);
        break;
    default:
        fd = CALL(SYS_open, one, O_RDWR | O_CREAT | O_APPEND, 0644);
        if (fd < 0)
            break;
        calls_expect(CALL(SYS_write, fd, bytes, sizeof bytes) == sizeof bytes, "a write failed");
        CALL(SYS_close, fd);
    }
}

static void *change_much(void *argument) {
    unsigned long seed = (unsigned long)argument;
    struct task *task = calls_begin_thread("changer", 1);
    for (int n = 0; n < 4000; n++)
        change_tree(&seed);
    calls_end_thread(task);
    return NULL;
}

/* Removes what a directory has, checking counts of links. */
static void empty_directory(const char *name) {
    static char bytes[4096];
    char path[256];
    struct stat stat;
    int fd = open_file(name, O_RDONLY | O_DIRECTORY);
    assert_true(fd >= 0);
    for (int found = 1; found;) {
        found = 0;
        assert_int_equal(CALL(SYS_lseek, fd, 0, SEEK_SET), 0);
        long got = CALL(SYS_getdents64, fd, bytes, sizeof bytes);
        for (long at = 0; at < got && !found;) {
            struct dirent64 *entry = (void *)(bytes + at);
            at += entry->d_reclen;
            if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
                continue;
            found = 1; /* and then list again: the buffer is used below, too */
            snprintf(path, sizeof path, "%s/%.99s", name, entry->d_name);
            if (entry->d_type != DT_DIR) {
                assert_int_equal(CALL(SYS_unlink, path), 0);
                continue;
            }
            empty_directory(path);
            assert_int_equal(CALL(SYS_stat, path, &stat), 0);
            assert_int_equal(stat.st_nlink, 2);
            assert_int_equal(CALL(SYS_rmdir, path), 0);
        }
    }
    close_file(fd);
}

static void a_tree_that_many_change_stays_a_tree(void **unused) {
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    (void)unused;
    assert_int_equal(CALL(SYS_mkdir, "/t", 0755), 0);
    storm_begin();
    for (unsigned long n = 0; n < THREADS; n++)
        pthread_create(&threads[n], NULL, change_much, (void *)(n + 1));
    for (unsigned long n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    assert_true(storm_end() > 0);
    empty_directory("/t");
    struct stat stat;
    assert_int_equal(CALL(SYS_stat, "/t", &stat), 0);
    assert_int_equal(stat.st_nlink, 2);
    assert_int_equal(CALL(SYS_rmdir, "/t"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tree_that_many_change_stays_a_tree),
    };
    return file_tests_run(tests);
}
