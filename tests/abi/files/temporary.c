/* Files without a name (O_TMPFILE): made, given one, or never. */
#include "abi.h"

int main(void) {
    struct stat seen;
    char path[64];
    mkdir("folder", 0755);
    int fd = works(open, "folder", O_TMPFILE | O_RDWR, 0666);
    fstat(fd, &seen);
    say("%o, %d links, %d bytes", seen.st_mode, (int)seen.st_nlink, (int)seen.st_size);
    gives(4, write, fd, "text", 4);
    is("the folder stays empty", rmdir("folder"), 0);
    mkdir("folder", 0755);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    fails(ENOENT, linkat, AT_FDCWD, "nothing", AT_FDCWD, "name", 0);
    int other = works(open, "folder", O_TMPFILE | O_WRONLY, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", other);
    write(other, "some", 4);
    gives(0, linkat, AT_FDCWD, path, AT_FDCWD, "folder/name", AT_SYMLINK_FOLLOW);
    say("%s", get("folder/name"));
    fstat(other, &seen);
    is("links", seen.st_nlink, 1);
    fails(EEXIST, linkat, AT_FDCWD, path, AT_FDCWD, "folder/name", AT_SYMLINK_FOLLOW);
    gives(0, linkat, other, "", AT_FDCWD, "folder/second", AT_EMPTY_PATH);
    fstat(other, &seen);
    is("links", seen.st_nlink, 2);
    write(other, " more", 5);
    say("%s", get("folder/second"));
    /* O_EXCL says that it is never to have a name. */
    int never = works(open, "folder", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    snprintf(path, sizeof path, "/proc/self/fd/%d", never);
    fails(ENOENT, linkat, AT_FDCWD, path, AT_FDCWD, "folder/never", AT_SYMLINK_FOLLOW);
    fails(EINVAL, open, "folder", O_TMPFILE | O_RDONLY, 0600);
    fails(ENOTDIR, open, "folder/name", O_TMPFILE | O_RDWR, 0600);
    fails(ENOENT, open, "nothing", O_TMPFILE | O_RDWR, 0600);
    fails(EISDIR, open, "folder", __O_TMPFILE & ~O_DIRECTORY ? O_RDWR : O_RDWR, 0600);
    umask(077);
    fstat(works(open, "folder", O_TMPFILE | O_RDWR, 0666), &seen);
    say("%o", seen.st_mode);
    int mine = open("folder", O_TMPFILE | O_RDWR, 0600);
    with_rights_of(SOMEBODY);
    fails(EACCES, open, "folder", O_TMPFILE | O_RDWR, 0600);
    with_rights_of(0);
    gives(0, unlink, "folder/name");
    gives(0, unlink, "folder/second");
    gives(0, fstat, other, &seen);
    is("links", seen.st_nlink, 0);
    /* A named file whose last name went cannot have another. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", other);
    fails(ENOENT, linkat, AT_FDCWD, path, AT_FDCWD, "folder/again", AT_SYMLINK_FOLLOW);
    close(mine);
}
