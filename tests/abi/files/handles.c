/* name_to_handle_at and open_by_handle_at: files without their names. */
#include "abi.h"

#include <sys/mount.h>

static struct {
    unsigned bytes;
    int type;
    char rest[128];
} its = {128}, small, link_handle = {128}, folder = {128};

static int mount_id, mounted;

static void somebody(void) {
    int fd = open("m", O_RDONLY);
    be(SOMEBODY);
    fails(EPERM, open_by_handle_at, fd, &its, O_RDONLY);
    its.bytes = 128;
    works(name_to_handle_at, AT_FDCWD, "m/file", &its, &mount_id, 0);
}

static void opened(void) {
    char some[8] = "";
    int fd = works(open_by_handle_at, mounted, &its, O_RDWR);
    gives(3, read, fd, some, 8);
    say("%s", some);
    works(rename, "m/file", "m/folder/moved");
    gives(3, pwrite64, fd, "xyz", 3, 0);
    close(fd);
    fd = works(open_by_handle_at, mounted, &its, O_RDONLY);
    gives(3, read, fd, some, 8);
    say("%s", some);
    char link[32], name[256];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = readlink(link, name, sizeof name - 1);
    name[length > 0 ? length : 0] = 0;
    say("%s", strrchr(name, '/'));
    close(fd);
    fd = works(open_by_handle_at, mounted, &folder, O_RDONLY | O_DIRECTORY);
    gives(0, faccessat, fd, "moved", R_OK);
    close(fd);
    fails(EISDIR, open_by_handle_at, mounted, &folder, O_WRONLY);
    fails(ENOTDIR, open_by_handle_at, mounted, &its, O_RDONLY | O_DIRECTORY);
    fd = works(open_by_handle_at, mounted, &its, O_WRONLY | O_TRUNC);
    close(fd);
    struct stat status;
    works(stat, "m/folder/moved", &status);
    is("size", status.st_size, 0);
}

static void refused(void) {
    int file = open("m/folder/moved", O_RDONLY);
    gives(0, name_to_handle_at, file, "", &its, &mount_id, AT_EMPTY_PATH);
    fails(EBADF, name_to_handle_at, 99, "file", &its, &mount_id, 0);
    fails(EINVAL, name_to_handle_at, AT_FDCWD, "m/file", &its, &mount_id, 0x10);
    fails(EOVERFLOW, name_to_handle_at, AT_FDCWD, "m/folder", &small, &mount_id, 0);
    is("bytes", small.bytes, its.bytes);
    small.bytes = 129;
    fails(EINVAL, name_to_handle_at, AT_FDCWD, "m/folder", &small, &mount_id, 0);
    fails(EOPNOTSUPP, name_to_handle_at, AT_FDCWD, "/proc/self/status", &its, &mount_id, 0);
    fails(EFAULT, name_to_handle_at, AT_FDCWD, "m/folder", BAD, &mount_id, 0);
    fails(EFAULT, name_to_handle_at, AT_FDCWD, "m/folder", &its, BAD, 0);
    fails_on_bad_paths(name_to_handle_at, AT_FDCWD, path, &its, &mount_id, AT_SYMLINK_FOLLOW);
    fails(EBADF, open_by_handle_at, 99, &its, O_RDONLY);
    fails(EFAULT, open_by_handle_at, mounted, BAD, O_RDONLY);
    fails(EINVAL, open_by_handle_at, mounted, &small, O_RDONLY);
    small.bytes = 0;
    fails(EINVAL, open_by_handle_at, mounted, &small, O_RDONLY);
    close(file);
    works(unlink, "m/folder/moved");
    fails(ESTALE, open_by_handle_at, mounted, &its, O_RDONLY);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, open_by_handle_at, mounted, &folder, O_RDONLY);
}

int main(void) {
    works(mkdir, "m", 0755);
    works(mount, "none", "m", "tmpfs", 0, 0);
    put("m/file", "abc");
    works(mkdir, "m/folder", 0755);
    works(symlink, "file", "m/link");
    mounted = works(open, "m", O_RDONLY);
    gives(0, name_to_handle_at, AT_FDCWD, "m/file", &its, &mount_id, 0);
    gives(0, name_to_handle_at, mounted, "link", &link_handle, &mount_id, 0);
    is("of the link itself", memcmp(&its, &link_handle, sizeof its) != 0, 1);
    fails(ELOOP, open_by_handle_at, mounted, &link_handle, O_RDONLY);
    link_handle.bytes = 128;
    gives(0, name_to_handle_at, mounted, "link", &link_handle, &mount_id, AT_SYMLINK_FOLLOW);
    is("of its file", memcmp(&its, &link_handle, sizeof its), 0);
    gives(0, name_to_handle_at, mounted, "folder", &folder, &mount_id, 0);
    in_child("somebody", somebody);
    opened();
    refused();
    close(mounted);
    umount2("m", MNT_DETACH);
}
