/* The longest names and paths, and those that are longer by one. */
#include "abi.h"

static char path[5000], name[300];

static void slashes(size_t length) {
    memset(path, '/', length);
    memcpy(path + length - 3, "tmp", 4);
}

int main(void) {
    struct stat seen;
    memset(name, 'n', 255);
    gives(0, mkdir, name, 0700);
    gives(0, rmdir, name);
    name[255] = 'n';
    fails(ENAMETOOLONG, mkdir, name, 0700);
    fails(ENAMETOOLONG, open, name, O_RDONLY);
    fails(ENAMETOOLONG, unlink, name);
    fails(ENAMETOOLONG, rmdir, name);
    fails(ENAMETOOLONG, symlink, "x", name);
    fails(ENAMETOOLONG, link, "/dev/null", name);
    fails(ENAMETOOLONG, mknod, name, S_IFIFO | 0600, 0);
    put("file", "");
    fails(ENAMETOOLONG, rename, "file", name);
    fails(ENAMETOOLONG, stat, name, &seen);
    fails(ENAMETOOLONG, truncate, name, 0);
    fails(ENAMETOOLONG, chdir, name);
    slashes(4095);
    gives(0, stat, path, &seen);
    gives(0, access, path, F_OK);
    slashes(4096);
    fails(ENAMETOOLONG, stat, path, &seen);
    fails(ENAMETOOLONG, access, path, F_OK);
    fails(ENAMETOOLONG, chmod, path, 0700);
    fails(ENAMETOOLONG, chown, path, -1, -1);
    memset(path, 'x', 4095);
    path[4095] = 0;
    gives(0, symlink, path, "longest");
    gives(4095, readlink, "longest", (char[5000]){}, 5000);
    fails(ENAMETOOLONG, stat, "longest", &seen);
    path[4095] = 'x';
    fails(ENAMETOOLONG, symlink, path, "longer");
}
