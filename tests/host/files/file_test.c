/*
 * Calls on files that must succeed (file_test.h).
 */
#include "file_test.h"

int open_file(const char *name, int flags) {
    return (int)CALL(SYS_open, name, flags, 0644);
}

int make_file(const char *name, const char *text) {
    int fd = open_file(name, O_RDWR | O_CREAT | O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(CALL(SYS_write, fd, text, strlen(text)), strlen(text));
    return fd;
}

void close_file(int fd) {
    assert_int_equal(CALL(SYS_close, fd), 0);
}

void assert_text(const char *name, const char *text) {
    static char bytes[4096];
    int fd = open_file(name, O_RDONLY);
    assert_true(fd >= 0);
    long got = CALL(SYS_read, fd, bytes, sizeof bytes - 1);
    assert_true(got >= 0);
    bytes[got] = 0;
    assert_string_equal(bytes, text);
    close_file(fd);
}

void mount_at(const char *directory, const char *type) {
    assert_int_equal(CALL(SYS_mkdir, directory, 0755), 0);
    assert_int_equal(CALL(SYS_mount, type, directory, type, 0, 0), 0);
}

void unmount_at(const char *directory) {
    assert_int_equal(CALL(SYS_umount2, directory, 0), 0);
    assert_int_equal(CALL(SYS_rmdir, directory), 0);
}

int file_tests_begin(void **unused) {
    (void)unused;
    calls_open();
    return 0;
}

int file_tests_end(void **unused) {
    (void)unused;
    calls_close();
    return 0;
}
