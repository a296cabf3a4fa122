/* mkdir, rmdir, unlink, unlinkat, symlink, readlink: on each kind of entry, twice, by flags. */
#include "abi.h"

static void made(void) {
    put("file", "");
    mkdir("empty", 0755);
    mkdir("full", 0755);
    put("full/x", "");
    symlink("file", "to_file");
    symlink("empty", "to_folder");
    symlink("none", "dangling");
    mkfifo("fifo", 0600);
}

static const char *const all[] = {"file",     "empty",      "full",  "to_file", "to_folder",
                                  "dangling", "fifo",       "none",  ".",       "..",
                                  "empty/",   "to_folder/", "file/", ""};

static const char *result(long value) {
    return value < 0 ? strerrorname_np(errno) : "done";
}

int main(void) {
    char text[64];
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        const char *path = all[i];
        made();
        say("'%s': mkdir %s", path, result(abi_call(mkdir, path, 0755)));
        if (!strcmp(path, "none"))
            rmdir("none");
        say("  mkfifo %s", result(abi_call(mknod, path, S_IFIFO | 0600, 0)));
        if (!strcmp(path, "none"))
            unlink("none");
        say("  symlink %s", result(abi_call(symlink, "x", path)));
        if (!strcmp(path, "none"))
            unlink("none");
        say("  link %s", result(abi_call(link, "file", path)));
        if (!strcmp(path, "none"))
            unlink("none");
        memset(text, 0, sizeof text);
        say("  readlink %s %s", result(abi_call(readlink, path, text, 63)), text);
        say("  readlink of none %s", result(abi_call(readlink, path, text, 0)));
        say("  chmod %s", result(abi_call(chmod, path, 0755)));
        say("  truncate %s", result(abi_call(truncate, path, 0)));
        say("  unlinkat wrong %s", result(abi_call(unlinkat, AT_FDCWD, path, 1)));
        say("  rmdir %s", result(abi_call(rmdir, path)));
        made();
        say("  unlink %s", result(abi_call(unlink, path)));
        made();
        say("  unlinkat %s", result(abi_call(unlinkat, AT_FDCWD, path, AT_REMOVEDIR)));
        made();
        say("  chdir %s", result(abi_call(chdir, path)));
        if (!strcmp(path, "empty") || !strcmp(path, "full") || !strcmp(path, "to_folder") ||
            !strcmp(path, "empty/") || !strcmp(path, "to_folder/"))
            chdir("..");
        if (!strcmp(path, ".."))
            break;
    }
}
