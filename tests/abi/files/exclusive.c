/* O_EXCL, O_DIRECTORY, O_NOFOLLOW, O_TRUNC: which of them refuse what. */
#include "abi.h"

int main(void) {
    put("file", "text");
    mkdir("folder", 0700);
    symlink("file", "link");
    symlink("none", "broken");
    fails(EEXIST, open, "file", O_CREAT | O_EXCL | O_RDWR, 0600);
    fails(EEXIST, open, "folder", O_CREAT | O_EXCL | O_RDWR, 0600);
    fails(EEXIST, open, "link", O_CREAT | O_EXCL | O_RDWR, 0600);
    fails(EEXIST, open, "broken", O_CREAT | O_EXCL | O_RDWR, 0600);
    fails(ENOENT, open, "broken", O_RDONLY);
    works(open, "broken", O_CREAT | O_RDWR, 0600);
    is("made", access("none", F_OK), 0);
    fails(ENOTDIR, open, "file", O_DIRECTORY);
    fails(EISDIR, open, "folder", O_WRONLY);
    fails(EISDIR, open, "folder", O_RDWR | O_CREAT, 0600);
    fails(EISDIR, open, "folder", O_TRUNC | O_RDWR);
    fails(ELOOP, open, "link", O_NOFOLLOW);
    fails(ENOTDIR, open, "link", O_NOFOLLOW | O_DIRECTORY);
    fails(ENOTDIR, open, "file/", O_RDONLY);
    fails(EISDIR, open, "new/", O_CREAT | O_RDWR, 0600);
    works(open, "folder/", O_RDONLY);
    works(open, "file", O_TRUNC | O_WRONLY);
    is("empty", get("file")[0], 0);
}
