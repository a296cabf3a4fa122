/* Numbers of files: the same by every name, another for another file, and which device. */
#include "abi.h"

static struct stat seen(const char *name) {
    struct stat found;
    gives(0, stat, name, &found);
    return found;
}

int main(void) {
    put("file", "");
    put("other", "");
    link("file", "name");
    symlink("file", "soft");
    struct stat file = seen("file"), other = seen("other"), name = seen("name"),
                soft = seen("soft");
    is("by another name", file.st_ino == name.st_ino && file.st_dev == name.st_dev, 1);
    is("by a link", file.st_ino == soft.st_ino, 1);
    is("another", file.st_ino == other.st_ino, 0);
    is("on the same", file.st_dev == other.st_dev, 1);
    struct stat opened, link_itself;
    gives(0, fstat, open("name", O_RDONLY), &opened);
    is("opened", opened.st_ino == file.st_ino, 1);
    gives(0, lstat, "soft", &link_itself);
    is("the link", link_itself.st_ino == file.st_ino, 0);
    rename("file", "moved");
    is("moved", seen("moved").st_ino == file.st_ino, 1);
    is("links", seen("moved").st_nlink, 2);
    is("elsewhere", seen("/proc").st_dev == file.st_dev, 0);
}
