/*
 * Files and directories by their names, and files that have none.
 */
#include "file_test.h"

#include <k42/k42.h>

static void a_file_that_lost_its_name_lasts_as_long_as_it_is_open(void **unused) {
    char text[8] = {0};
    struct stat stat;
    (void)unused;
    int fd = make_file("/gone", "here");
    assert_int_equal(CALL(SYS_unlink, "/gone"), 0);
    assert_int_equal(CALL(SYS_open, "/gone", O_RDONLY), -ENOENT);
    assert_int_equal(CALL(SYS_pread64, fd, text, 8, 0), 4);
    assert_string_equal(text, "here");
    assert_int_equal(CALL(SYS_fstat, fd, &stat), 0);
    assert_int_equal(stat.st_nlink, 0);
    close_file(fd);
}

static void a_directory_of_ten_thousand_is_listed_once_each(void **unused) {
    enum { MANY = 10000 };
    static char bytes[32768], seen[MANY];
    char name[32];
    (void)unused;
    assert_int_equal(CALL(SYS_mkdir, "/many", 0755), 0);
    for (int n = 0; n < MANY; n++) {
        snprintf(name, sizeof name, "/many/%d", n);
        close_file(open_file(name, O_CREAT | O_WRONLY));
    }
    int fd = open_file("/many", O_RDONLY), count = 0;
    memset(seen, 0, sizeof seen);
    for (long got; (got = CALL(SYS_getdents64, fd, bytes, sizeof bytes)) > 0;) {
        for (long at = 0; at < got;) {
            struct dirent64 *entry = (void *)(bytes + at);
            at += entry->d_reclen;
            if (entry->d_name[0] == '.')
                continue;
            assert_false(seen[atoi(entry->d_name)]++);
            count++;
        }
        /* What is there throughout is listed, whatever comes and goes. */
        close_file(open_file("/many/x", O_CREAT | O_WRONLY));
        CALL(SYS_unlink, "/many/x");
    }
    assert_true(count == MANY || count == MANY + 1);
    close_file(fd);
    for (int n = 0; n < MANY; n++) {
        snprintf(name, sizeof name, "/many/%d", n);
        assert_int_equal(CALL(SYS_unlink, name), 0);
    }
    assert_int_equal(CALL(SYS_rmdir, "/many"), 0);
}

static void a_file_without_a_name_can_get_one(void **unused) {
    char path[64];
    (void)unused;
    int fd = open_file("/", O_TMPFILE | O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(CALL(SYS_write, fd, "now", 3), 3);
    mount_at("/proc", "proc");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal(CALL(SYS_linkat, AT_FDCWD, path, AT_FDCWD, "/named", AT_SYMLINK_FOLLOW), 0);
    close_file(fd);
    assert_text("/named", "now");
    assert_int_equal(CALL(SYS_unlink, "/named"), 0);
    unmount_at("/proc");
}

static void the_working_directory_knows_its_name(void **unused) {
    char name[256];
    (void)unused;
    CALL(SYS_mkdir, "/one", 0755);
    CALL(SYS_mkdir, "/one/two", 0755);
    assert_int_equal(CALL(SYS_chdir, "/one/two"), 0);
    assert_int_equal(CALL(SYS_rename, "/one", "/uno"), 0);
    assert_int_equal(CALL(SYS_getcwd, name, sizeof name), 9);
    assert_string_equal(name, "/uno/two");
    assert_int_equal(CALL(SYS_getcwd, name, 8), -ERANGE);
    assert_int_equal(CALL(SYS_rmdir, "/uno/two"), 0);
    assert_int_equal(CALL(SYS_getcwd, name, sizeof name), -ENOENT);
    assert_int_equal(CALL(SYS_open, "x", O_CREAT | O_RDWR, 0644), -ENOENT);
    assert_int_equal(CALL(SYS_chdir, "/"), 0);
    assert_int_equal(CALL(SYS_rmdir, "/uno"), 0);
}

/* An entry of an archive, behind what is there; returns the new length. */
static size_t add_entry(char *archive, size_t at, const char *name, unsigned mode, unsigned number,
                        unsigned links, const char *data) {
    size_t name_size = strlen(name) + 1, size = strlen(data);
    at += (size_t)sprintf(
        archive + at, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", number, mode,
        1u, 2u, links, 77u, (unsigned)size, 0u, 0u, 1u, 3u, (unsigned)name_size, 0u);
    memcpy(archive + at, name, name_size);
    at = (at + name_size + 3) & ~(size_t)3;
    memcpy(archive + at, data, size);
    return (at + size + 3) & ~(size_t)3;
}

static void archives_are_put_over_one_another_without_copying(void **unused) {
    static char archive[4096];
    struct stat stat;
    (void)unused;
    size_t end = add_entry(archive, 0, "./d", S_IFDIR | 0700, 1, 2, "");
    end = add_entry(archive, end, "d/f", S_IFREG | 0640, 2, 1, "first");
    end = add_entry(archive, end, "d/g", S_IFREG | 0644, 3, 2, "");
    end = add_entry(archive, end, "made/h", S_IFREG | 0644, 3, 2, "shared");
    end = add_entry(archive, end, "l", S_IFLNK | 0777, 4, 1, "d/f");
    end = add_entry(archive, end, "null", S_IFCHR | 0666, 5, 1, "");
    end = add_entry(archive, end, "a/../b", S_IFREG | 0644, 6, 1, "outside");
    end = add_entry(archive, end, "TRAILER!!!", 0, 0, 1, "");
    end = add_entry(archive, end + 256, "d", S_IFDIR | 0755, 1, 2, "");
    end = add_entry(archive, end, "d/f", S_IFREG | 0600, 3, 1, "second");
    end = add_entry(archive, end, "TRAILER!!!", 0, 0, 1, "");
    assert_int_equal(CALL(SYS_mkdir, "/filled", 0755), 0);
    assert_int_equal(calls_mount_archive("/filled", archive, end), 8);
    assert_text("/filled/d/f", "second");
    assert_text("/filled/l", "second");
    assert_text("/filled/d/g", "shared");
    assert_int_equal(CALL(SYS_stat, "/filled/made/h", &stat), 0);
    assert_int_equal(stat.st_nlink, 2);
    assert_int_equal(stat.st_size, 6);
    assert_int_equal(stat.st_mtime, 77);
    assert_int_equal(stat.st_uid, 1);
    assert_int_equal(stat.st_gid, 2);
    assert_int_equal(CALL(SYS_stat, "/filled/d", &stat), 0);
    assert_int_equal(stat.st_mode, S_IFDIR | 0755);
    assert_int_equal(CALL(SYS_stat, "/filled/null", &stat), 0);
    assert_int_equal(stat.st_rdev, 0x103);
    assert_int_equal(CALL(SYS_open, "/filled/b", O_RDONLY), -ENOENT);
    /* What is written does not reach the archive. */
    int fd = open_file("/filled/d/f", O_RDWR | O_APPEND);
    assert_int_equal(CALL(SYS_write, fd, "!", 1), 1);
    close_file(fd);
    assert_text("/filled/d/f", "second!");
    assert_null(memmem(archive, sizeof archive, "second!", 7));
    assert_int_equal(CALL(SYS_umount2, "/filled", 0), 0);
    assert_int_equal(CALL(SYS_rmdir, "/filled"), 0);
}

static void attributes_can_be_extended(void **unused) {
    char value[16];
    (void)unused;
    close_file(make_file("/x", ""));
    assert_int_equal(CALL(SYS_setxattr, "/x", "user.a", "12345", 5, 0), 0);
    assert_int_equal(CALL(SYS_setxattr, "/x", "user.a", "1", 1, 1 /* XATTR_CREATE */), -EEXIST);
    assert_int_equal(CALL(SYS_getxattr, "/x", "user.a", value, 2), -ERANGE);
    assert_int_equal(CALL(SYS_getxattr, "/x", "user.a", value, sizeof value), 5);
    assert_int_equal(CALL(SYS_listxattr, "/x", value, sizeof value), 7);
    assert_string_equal(value, "user.a");
    assert_int_equal(CALL(SYS_removexattr, "/x", "user.a"), 0);
    assert_int_equal(CALL(SYS_getxattr, "/x", "user.a", value, sizeof value), -ENODATA);
    assert_int_equal(CALL(SYS_getxattr, "/x", "other.a", value, sizeof value), -EOPNOTSUPP);
    assert_int_equal(CALL(SYS_unlink, "/x"), 0);
}

/* ---- directories, by size ---- */

static int is_of(int fd, const char *class_name) {
    char name[48];
    return !strcmp(calls_class_of_node(fd, name), class_name);
}

static void assert_becomes(int fd, const char *class_name) {
    for (int n = 0; n < 100 && !is_of(fd, class_name); n++)
        assert_int_equal(k42_swap_flush(), 0);
    assert_true(is_of(fd, class_name));
}

static char *numbered(const char *folder, unsigned long number) {
    static __thread char path[64];
    snprintf(path, sizeof path, "%s/name%lu", folder, number);
    return path;
}

static void make_names(const char *folder, unsigned from, unsigned to) {
    for (unsigned n = from; n < to; n++)
        close_file(open_file(numbered(folder, n), O_CREAT | O_EXCL));
}

static void take_names(const char *folder, unsigned from, unsigned to) {
    for (unsigned n = from; n < to; n++)
        assert_int_equal(CALL(SYS_unlink, numbered(folder, n)), 0);
}

static void assert_names(const char *folder, unsigned from, unsigned to) {
    struct stat stat;
    for (unsigned n = from; n < to; n++)
        assert_int_equal(CALL(SYS_stat, numbered(folder, n), &stat), 0);
    assert_int_equal(CALL(SYS_stat, numbered(folder, to), &stat), -ENOENT);
}

static void a_directory_that_grows_is_hashed_and_one_that_shrank_a_list(void **unused) {
    (void)unused;
    assert_int_equal(CALL(SYS_mkdir, "/d", 0755), 0);
    int fd = open_file("/d", O_RDONLY | O_DIRECTORY);
    for (int turn = 0; turn < 3; turn++) {
        make_names("/d", 0, 8);
        assert_int_equal(k42_swap_flush(), 0);
        assert_true(is_of(fd, "node.ramfs.directory.list"));
        assert_names("/d", 0, 8);
        make_names("/d", 8, 100);
        assert_becomes(fd, "node.ramfs.directory.hash");
        assert_names("/d", 0, 100);
        take_names("/d", 2, 100);
        make_names("/d", 2, 3);
        assert_int_equal(k42_swap_flush(), 0);
        assert_true(is_of(fd, "node.ramfs.directory.hash"));
        take_names("/d", 1, 3);
        make_names("/d", 1, 2);
        assert_becomes(fd, "node.ramfs.directory.list");
        assert_names("/d", 0, 2);
        take_names("/d", 0, 2);
    }
    close_file(fd);
    assert_int_equal(CALL(SYS_rmdir, "/d"), 0);
}

/* Each has names of its own, in a directory whose kind changes all the time, and finds them as long
 * as they are there, also those it moves to another. */
static void *keep_names(void *argument) {
    unsigned long mine = 1000 * (unsigned long)argument;
    struct task *task = calls_begin_thread("namer", 1);
    struct stat stat;
    char other[64];
    for (unsigned long n = 0; n < 1500; n++) {
        unsigned long name = mine + n % 30;
        long fd = CALL(SYS_open, numbered("/d", name), O_RDWR | O_CREAT | O_EXCL, 0644);
        calls_expect(fd >= 0 && CALL(SYS_close, fd) == 0, "a name could not be made");
        snprintf(other, sizeof other, "/e/name%lu", name);
        if (n % 3 == 0) {
            calls_expect(CALL(SYS_rename, numbered("/d", name), other) == 0, "not moved");
            calls_expect(CALL(SYS_stat, other, &stat) == 0, "a moved name is lost");
            calls_expect(CALL(SYS_rename, other, numbered("/d", name)) == 0, "not moved back");
        }
        if (n < 29)
            continue;
        name = mine + (n + 1) % 30; /* the oldest */
        calls_expect(CALL(SYS_stat, numbered("/d", name), &stat) == 0, "a name is lost");
        calls_expect(CALL(SYS_unlink, numbered("/d", name)) == 0, "a name does not go");
        calls_expect(CALL(SYS_stat, numbered("/d", name), &stat) == -ENOENT, "a name stays");
    }
    for (unsigned long n = 0; n < 30; n++)
        (void)CALL(SYS_unlink, numbered("/d", mine + n));
    calls_end_thread(task);
    return NULL;
}

static void no_name_is_lost_while_the_kind_of_directory_changes(void **unused) {
    enum { THREADS = 3 };
    pthread_t threads[THREADS];
    (void)unused;
    assert_int_equal(CALL(SYS_mkdir, "/d", 0755), 0);
    assert_int_equal(CALL(SYS_mkdir, "/e", 0755), 0);
    storm_begin();
    for (unsigned long n = 0; n < THREADS; n++)
        pthread_create(&threads[n], NULL, keep_names, (void *)(n + 1));
    for (unsigned long n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    assert_true(storm_end() > 0);
    assert_int_equal(CALL(SYS_rmdir, "/d"), 0);
    assert_int_equal(CALL(SYS_rmdir, "/e"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_lost_its_name_lasts_as_long_as_it_is_open),
        cmocka_unit_test(a_directory_of_ten_thousand_is_listed_once_each),
        cmocka_unit_test(a_file_without_a_name_can_get_one),
        cmocka_unit_test(the_working_directory_knows_its_name),
        cmocka_unit_test(archives_are_put_over_one_another_without_copying),
        cmocka_unit_test(attributes_can_be_extended),
        cmocka_unit_test(a_directory_that_grows_is_hashed_and_one_that_shrank_a_list),
        cmocka_unit_test(no_name_is_lost_while_the_kind_of_directory_changes),
    };
    return file_tests_run(tests);
}
