/* Walks over symbolic links: how many, where to, and at the end of a path. */
#include "abi.h"

int main(void) {
    char name[16], to[16], longest[5000];
    struct stat seen;
    put("l0", "end");
    for (int i = 1; i <= 41; i++) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(to, sizeof to, "l%d", i - 1);
        symlink(to, name);
    }
    works(open, "l40", O_RDONLY);
    fails(ELOOP, open, "l41", O_RDONLY);
    mkdir("d", 0755);
    symlink("d", "to_d");
    symlink(".", "here");
    symlink("d/", "to_d_slash");
    gives(0, lstat, "to_d/", &seen);
    is("the folder", S_ISDIR(seen.st_mode), 1);
    gives(0, lstat, "to_d", &seen);
    is("the link", S_ISLNK(seen.st_mode), 1);
    gives(0, mkdir, "to_d/new", 0755);
    fails(ENOTDIR, rmdir, "to_d");
    fails(ENOTDIR, rmdir, "to_d_slash");
    fails(EEXIST, mkdir, "to_d", 0755);
    gives(0, stat, "here/here/./d//new/../new", &seen);
    gives(0, stat, "//../../..//", &seen);
    symlink("nothing/", "dangling");
    fails(ENOENT, open, "dangling", O_RDONLY);
    fails(EEXIST, mkdir, "dangling", 0755);
    symlink("/proc/self", "self");
    gives(0, stat, "self/status", &seen);
    gives(0, unlink, "to_d");
    fails(ENOTDIR, unlink, "l1/");
    memset(longest, '/', sizeof longest);
    longest[4095] = 0;
    gives(0, stat, longest, &seen);
    longest[4095] = '/';
    longest[4096] = 0;
    fails(ENAMETOOLONG, stat, longest, &seen);
    memset(longest, 'n', 255);
    longest[255] = 0;
    gives(0, mkdir, longest, 0755);
    gives(0, symlink, longest, "to_longest");
    gives(255, readlink, "to_longest", longest + 300, 4096);
}
