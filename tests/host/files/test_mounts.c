/*
 * Mounts: paths through them, what they forbid, how much they hold.
 */
#include "file_test.h"

static void dots_lead_out_of_a_mount(void **unused) {
    struct stat in, out;
    (void)unused;
    CALL(SYS_mkdir, "/m", 0755);
    CALL(SYS_mkdir, "/m/n", 0755);
    assert_int_equal(CALL(SYS_mount, "none", "/m/n", "tmpfs", 0, "mode=700,size=1m"), 0);
    assert_int_equal(CALL(SYS_stat, "/m/n", &in), 0);
    assert_int_equal(CALL(SYS_stat, "/m/n/../n/.", &out), 0);
    assert_int_equal(in.st_ino, out.st_ino);
    assert_int_equal(in.st_dev, out.st_dev);
    assert_int_equal(in.st_mode & 0777, 0700);
    assert_int_equal(CALL(SYS_stat, "/m", &out), 0);
    assert_int_not_equal(in.st_dev, out.st_dev);
    assert_int_equal(CALL(SYS_stat, "/m/n/..", &in), 0);
    assert_int_equal(in.st_ino, out.st_ino);
    assert_int_equal(CALL(SYS_rmdir, "/m/n"), -EBUSY);
    assert_int_equal(CALL(SYS_rename, "/m/n", "/m/o"), -EBUSY);
    close_file(make_file("/m/n/f", "in"));
    assert_int_equal(CALL(SYS_link, "/m/n/f", "/m/f"), -EXDEV);
    assert_int_equal(CALL(SYS_rename, "/m/n/f", "/m/f"), -EXDEV);
    int fd = open_file("/m/n/f", O_RDONLY);
    assert_int_equal(CALL(SYS_umount2, "/m/n", 0), -EBUSY);
    close_file(fd);
    assert_int_equal(CALL(SYS_umount2, "/m/n", 0), 0);
    assert_int_equal(CALL(SYS_umount2, "/m/n", 0), -EINVAL);
    assert_int_equal(CALL(SYS_rmdir, "/m/n"), 0);
    assert_int_equal(CALL(SYS_rmdir, "/m"), 0);
}

static void a_bind_mount_shows_the_same_files_and_may_be_read_only(void **unused) {
    (void)unused;
    CALL(SYS_mkdir, "/from", 0755);
    CALL(SYS_mkdir, "/to", 0755);
    close_file(make_file("/from/f", "same"));
    assert_int_equal(CALL(SYS_mount, "/from", "/to", 0, MS_BIND, 0), 0);
    assert_text("/to/f", "same");
    assert_int_equal(CALL(SYS_mount, 0, "/to", 0, MS_BIND | MS_REMOUNT | MS_RDONLY, 0), 0);
    assert_int_equal(CALL(SYS_open, "/to/f", O_WRONLY), -EROFS);
    assert_int_equal(CALL(SYS_mkdir, "/to/d", 0755), -EROFS);
    close_file(open_file("/from/f", O_WRONLY));
    assert_int_equal(CALL(SYS_umount2, "/to", 0), 0);
    CALL(SYS_unlink, "/from/f");
    CALL(SYS_rmdir, "/from");
    CALL(SYS_rmdir, "/to");
}

static void a_full_file_system_takes_no_more_until_something_goes(void **unused) {
    static char bytes[100000];
    struct statfs counts;
    (void)unused;
    CALL(SYS_mkdir, "/full", 0755);
    assert_int_equal(CALL(SYS_mount, "none", "/full", "tmpfs", 0, "size=64k,nr_inodes=4"), 0);
    int fd = open_file("/full/f", O_RDWR | O_CREAT);
    assert_int_equal(CALL(SYS_write, fd, bytes, sizeof bytes), 65536);
    assert_int_equal(CALL(SYS_write, fd, bytes, 1), -ENOSPC);
    assert_int_equal(CALL(SYS_statfs, "/full", &counts), 0);
    assert_int_equal(counts.f_blocks, 16);
    assert_int_equal(counts.f_bfree, 0);
    assert_int_equal(counts.f_ffree, 2);
    assert_int_equal(CALL(SYS_mkdir, "/full/a", 0755), 0);
    assert_int_equal(CALL(SYS_mkdir, "/full/b", 0755), 0);
    assert_int_equal(CALL(SYS_mkdir, "/full/c", 0755), -ENOSPC);
    assert_int_equal(CALL(SYS_ftruncate, fd, 4096), 0);
    assert_int_equal(CALL(SYS_pwrite64, fd, bytes, sizeof bytes, 0), 65536);
    assert_int_equal(CALL(SYS_unlink, "/full/f"), 0);
    assert_int_equal(CALL(SYS_statfs, "/full", &counts), 0);
    assert_int_equal(counts.f_bfree, 0);
    close_file(fd);
    assert_int_equal(CALL(SYS_statfs, "/full", &counts), 0);
    assert_int_equal(counts.f_bfree, 16);
    assert_int_equal(counts.f_ffree, 1);
    for (int turn = 0; turn < 10; turn++) {
        fd = open_file("/full/f", O_RDWR | O_CREAT);
        assert_int_equal(CALL(SYS_write, fd, bytes, sizeof bytes), 65536);
        assert_int_equal(CALL(SYS_unlink, "/full/f"), 0);
        assert_int_equal(CALL(SYS_ftruncate, fd, turn * 4096), 0);
        close_file(fd);
    }
    calls_settle();
    assert_int_equal(CALL(SYS_statfs, "/full", &counts), 0);
    assert_int_equal(counts.f_bfree, 16);
    assert_int_equal(counts.f_ffree, 1);
    assert_int_equal(CALL(SYS_umount2, "/full", 0), 0);
    assert_int_equal(CALL(SYS_rmdir, "/full"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dots_lead_out_of_a_mount),
        cmocka_unit_test(a_bind_mount_shows_the_same_files_and_may_be_read_only),
        cmocka_unit_test(a_full_file_system_takes_no_more_until_something_goes),
    };
    return file_tests_run(tests);
}
