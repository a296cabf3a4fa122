/*
 * /proc and the devices of memory as programs see them; and that what is undone leaves no memory
 * behind.
 */
#include "file_test.h"

static void proc_shows_descriptors_and_mounts(void **unused) {
    char text[256] = {0}, path[64];
    static char mounts[4096];
    (void)unused;
    mount_at("/proc", "proc");
    int fd = make_file("/shown", "12345");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    assert_int_equal(CALL(SYS_readlink, path, text, sizeof text), 6);
    assert_string_equal(text, "/shown");
    assert_text(path, "12345"); /* opened anew, from the beginning */
    snprintf(path, sizeof path, "/proc/100/fdinfo/%d", fd);
    int info = open_file(path, O_RDONLY);
    assert_true(CALL(SYS_read, info, text, sizeof text) > 0);
    assert_memory_equal(text, "pos:\t5\nflags:\t0100002\n", 21);
    close_file(info);
    close_file(fd);
    assert_int_equal(CALL(SYS_open, path, O_RDONLY), -ENOENT);
    assert_int_equal(CALL(SYS_open, "/proc/7/fd", O_RDONLY), -ENOENT);
    fd = open_file("/proc/mounts", O_RDONLY);
    assert_true(CALL(SYS_read, fd, mounts, sizeof mounts) > 0);
    assert_non_null(strstr(mounts, "proc /proc proc rw,relatime 0 0\n"));
    close_file(fd);
    assert_int_equal(CALL(SYS_mkdir, "/proc/x", 0755), -ENOENT);
    assert_int_equal(CALL(SYS_unlink, "/shown"), 0);
    unmount_at("/proc");
}

static void an_unnamed_pipe_can_be_opened_through_proc(void **unused) {
    char path[64], byte;
    int pipe[2];
    (void)unused;
    mount_at("/proc", "proc");
    assert_int_equal(CALL(SYS_pipe, pipe), 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", pipe[1]);
    int again = open_file(path, O_WRONLY);
    assert_true(again >= 0);
    close_file(pipe[1]);
    assert_int_equal(CALL(SYS_write, again, "x", 1), 1);
    assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), 1);
    close_file(again);
    close_file(pipe[0]);
    unmount_at("/proc");
}

static void devices_of_memory_do_what_they_are_known_for(void **unused) {
    char bytes[64], more[64];
    (void)unused;
    mount_at("/dev", "devtmpfs");
    int null = open_file("/dev/null", O_RDWR), zero = open_file("/dev/zero", O_RDWR),
        full = open_file("/dev/full", O_RDWR), random = open_file("/dev/urandom", O_RDONLY);
    assert_int_equal(CALL(SYS_write, null, bytes, 64), 64);
    assert_int_equal(CALL(SYS_read, null, bytes, 64), 0);
    memset(bytes, 1, sizeof bytes);
    memset(more, 0, sizeof more);
    assert_int_equal(CALL(SYS_read, zero, bytes, 64), 64);
    assert_memory_equal(bytes, more, 64);
    assert_int_equal(CALL(SYS_write, full, bytes, 1), -ENOSPC);
    assert_int_equal(CALL(SYS_read, random, bytes, 64), 64);
    assert_int_equal(CALL(SYS_getrandom, more, 64, 0), 64);
    assert_memory_not_equal(bytes, more, 64);
    close_file(null);
    close_file(zero);
    close_file(full);
    close_file(random);
    unmount_at("/dev");
}

/* Something of everything, all of it undone. */
static void use_everything(void) {
    int pipe[2];
    char text[64];
    CALL(SYS_mkdir, "/u", 0755);
    CALL(SYS_mount, "none", "/u", "tmpfs", 0, 0);
    CALL(SYS_mkdir, "/u/d", 0755);
    CALL(SYS_mknod, "/u/fifo", S_IFIFO | 0600, 0);
    CALL(SYS_symlink, "d/../f", "/u/link");
    int fd = make_file("/u/f", "something");
    CALL(SYS_setxattr, "/u/f", "user.a", "1", 1, 0);
    CALL(SYS_link, "/u/f", "/u/d/g");
    CALL(SYS_rename, "/u/d/g", "/u/h");
    struct flock lock = {.l_type = F_WRLCK};
    CALL(SYS_fcntl, fd, F_SETLK, &lock);
    close_file(fd);
    close_file(open_file("/u/link", O_RDWR));
    close_file(open_file("/u/fifo", O_RDWR));
    CALL(SYS_pipe, pipe);
    CALL(SYS_write, pipe[1], text, sizeof text);
    close_file(pipe[1]);
    close_file(pipe[0]);
    fd = (int)CALL(SYS_memfd_create, "m", 0);
    CALL(SYS_write, fd, text, sizeof text);
    close_file(fd);
    CALL(SYS_umount2, "/u", 0); /* with all that is in it */
    CALL(SYS_rmdir, "/u");
}

static size_t memory_after(int turns) {
    for (int turn = 0; turn < turns; turn++)
        use_everything();
    calls_settle();
    return mallinfo2().uordblks;
}

/* A block lost in each turn, however small, would make every phase end with more than twice what is
 * allowed for the allocator's own ways, which differ from phase to phase. */
static void what_is_undone_leaves_no_memory_behind(void **unused) {
    enum { TURNS = 2000, PHASES = 20 };
    (void)unused;
    size_t before = memory_after(TURNS), now = 0;
    for (int n = 0; n < PHASES; n++, before = now) {
        now = memory_after(TURNS);
        if (now < before + 16 * TURNS)
            return;
    }
    fail();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(proc_shows_descriptors_and_mounts),
        cmocka_unit_test(an_unnamed_pipe_can_be_opened_through_proc),
        cmocka_unit_test(devices_of_memory_do_what_they_are_known_for),
        cmocka_unit_test(what_is_undone_leaves_no_memory_behind),
    };
    return file_tests_run(tests);
}
