/* Every call with a folder's descriptor: a file's, a path's, none, closed; absolute names pass. */
#include "abi.h"

#include <linux/openat2.h>

static int fd;
static char absolute[PATH_MAX + 8];

static long call(int which, const char *path) {
    struct stat seen;
    char text[64];
    struct timespec times[2] = {};
    struct open_how how = {};
    char seenx[256];
    switch (which) {
    case 0:
        return abi_call(openat, fd, path, O_RDONLY);
    case 1:
        return abi_call(newfstatat, fd, path, &seen, 0);
    case 2:
        return abi_call(faccessat, fd, path, R_OK);
    case 3:
        return abi_call(faccessat2, fd, path, R_OK, AT_SYMLINK_NOFOLLOW);
    case 4:
        return abi_call(fchmodat, fd, path, 0644);
    case 5:
        return abi_call(fchownat, fd, path, -1, -1, 0);
    case 6:
        return abi_call(utimensat, fd, path, NULL, 0);
    case 7:
        return abi_call(futimesat, fd, path, NULL);
    case 8:
        return abi_call(readlinkat, fd, path, text, 64);
    case 9:
        return abi_call(mkdirat, fd, path, 0755);
    case 10:
        return abi_call(mknodat, fd, path, S_IFREG | 0644, 0);
    case 11:
        return abi_call(symlinkat, "x", fd, path);
    case 12:
        return abi_call(linkat, fd, path, AT_FDCWD, "linked", 0);
    case 13:
        return abi_call(linkat, AT_FDCWD, "file", fd, path, 0);
    case 14:
        return abi_call(renameat, fd, path, fd, path);
    case 15:
        return abi_call(statx, fd, path, 0, STATX_TYPE, seenx);
    case 16:
        return abi_call(openat2, fd, path, &how, sizeof how);
    case 17:
        return abi_call(name_to_handle_at, fd, path, text, text, 0x8000);
    case 18:
        return abi_call(unlinkat, fd, path, AT_REMOVEDIR);
    default:
        return abi_call(execveat, fd, path, NULL, NULL, 0);
    }
}

static void all(const char *what, int with, const char *path) {
    char line[600] = "";
    fd = with;
    for (int which = 0; which < 20; which++) {
        long result = call(which, path);
        sprintf(line + strlen(line), " %s", result < 0 ? strerrorname_np(errno) : "0");
        unlink("linked");
    }
    say("%s:%s", what, line);
}

int main(void) {
    put("file", "text");
    chmod("file", 0644);
    mkdir("folder", 0755);
    put("folder/inner", "text");
    int file = open("file", O_RDONLY), folder = open("folder", O_RDONLY),
        path = open("folder", O_PATH), of_file = open("file", O_PATH);
    getcwd(absolute, PATH_MAX);
    strcat(absolute, "/file");
    all("folder", folder, "inner");
    all("by O_PATH", path, "inner");
    all("a file", file, "inner");
    all("a file by O_PATH", of_file, "inner");
    all("none", -1, "inner");
    all("closed", 999, "inner");
    all("the working folder", AT_FDCWD, "file");
    all("absolute", -1, absolute);
    all("absolute, a file", file, absolute);
    all("above", folder, "../file");
    all("nothing there", folder, "none/x");
    all("empty", folder, "");
    all("empty, a file", file, "");
    all("empty, closed", 999, "");
    int ends[2];
    pipe(ends);
    all("a pipe", ends[0], "x");
}
