/* Slashes and dots: doubled, trailing, above the root, after what is no folder. */
#include "abi.h"

static void try(const char *path) {
    struct stat seen;
    long followed = abi_call(stat, path, &seen), mode = followed ? 0 : seen.st_mode;
    int error = followed ? errno : 0;
    long itself = abi_call(lstat, path, &seen);
    say("'%s': %s %lo; %s %o", path, error ? strerrorname_np(error) : "is", mode,
        itself ? strerrorname_np(errno) : "is", itself ? 0 : seen.st_mode);
}

int main(void) {
    const char *paths[] = {
        "d",         "d/",         "d//",         "d/.",      "d/./",      "d/..",
        "./d",       ".//.//d",    "d/../d/../d", "d/f",      "d//f",      "d/f/",
        "d/f/.",     "d/f/..",     "d/l",         "d/l/",     "d/l/.",     "to_d",
        "to_d/",     "to_d/.",     "to_d/..",     "to_d/f",   "to_d//f/",  "dangling",
        "dangling/", "dangling/x", "slashed",     "slashed/", "slashed/f", "none",
        "none/",     "none/.",     "none/../d",   "...",      " ",         "d/f/../f"};
    umask(0);
    mkdir("d", 0755);
    put("d/f", "");
    symlink("f", "d/l");
    symlink("d", "to_d");
    symlink("none", "dangling");
    symlink("d/", "slashed");
    for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++)
        try(paths[i]);
    struct stat root, above;
    stat("/", &root);
    stat("/../../..", &above);
    is("above the root", root.st_ino == above.st_ino, 1);
    stat("//", &above);
    is("two slashes", root.st_ino == above.st_ino, 1);
    fails(ENOTDIR, mkdir, "d/f/x", 0755);
    gives(0, mkdir, "new/", 0755);
    gives(0, mkdir, "other//", 0755);
    fails(EEXIST, mkdir, "new/.", 0755);
    fails(ENOENT, mkdir, "third/.", 0755);
    fails(EEXIST, mkdir, "/", 0755);
    fails(EEXIST, mkdir, "dangling", 0755);
    fails(EEXIST, mkdir, "dangling/", 0755);
    gives(0, rmdir, "new//");
    fails(EINVAL, rmdir, "other/.");
    fails(ENOTEMPTY, rmdir, "other/..");
    fails(ENOTDIR, rmdir, "to_d");
    fails(ENOTDIR, rmdir, "to_d/");
    fails(ENOTDIR, unlink, "d/f/");
    fails(EISDIR, unlink, "other");
    fails(EISDIR, unlink, "other/");
    fails(ENOTDIR, unlink, "to_d/");
    fails(EISDIR, open, "d/g/", O_CREAT | O_WRONLY, 0644);
    fails(ENOENT, link, "d/f", "d/h/");
    fails(ENOTDIR, link, "d/f/", "d/h");
    fails(ENOENT, symlink, "x", "d/s/");
    fails(ENOENT, mknod, "d/n/", S_IFREG | 0644, 0);
    fails(ENOTDIR, rename, "d/f", "d/h/");
    gives(0, rename, "other/", "renamed/");
    fails(ENOTDIR, rename, "d/f/", "d/h");
    fails(EINVAL, readlink, "to_d/", (char[8]){0}, 8);
    fails(ENOTDIR, truncate, "d/f/", 0);
    fails(ENOTDIR, chdir, "d/f/");
}
