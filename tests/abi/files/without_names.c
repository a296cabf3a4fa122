/* Files that have no name any more, or not yet. */
#include "abi.h"

int main(void) {
    char data[8] = "", path[64];
    struct stat seen;
    put("file", "text");
    int fd = open("file", O_RDWR);
    gives(0, unlink, "file");
    gives(4, read, fd, data, sizeof data);
    gives(0, fstat, fd, &seen);
    is("links", seen.st_nlink, 0);
    fails(ENOENT, linkat, fd, "", AT_FDCWD, "back", AT_EMPTY_PATH);
    int temporary = works(open, ".", O_TMPFILE | O_RDWR, 0640);
    gives(3, write, temporary, "new", 3);
    snprintf(path, sizeof path, "/proc/self/fd/%d", temporary);
    gives(0, linkat, AT_FDCWD, path, AT_FDCWD, "named", AT_SYMLINK_FOLLOW);
    say("%s", get("named"));
    gives(0, fstat, temporary, &seen);
    say("%o %d", seen.st_mode, (int)seen.st_nlink);
    temporary = works(open, ".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
    snprintf(path, sizeof path, "/proc/self/fd/%d", temporary);
    fails(ENOENT, linkat, AT_FDCWD, path, AT_FDCWD, "other", AT_SYMLINK_FOLLOW);
    int again = works(open, path, O_RDONLY);
    gives(0, fstat, again, &seen);
    is("links", seen.st_nlink, 0);
}
