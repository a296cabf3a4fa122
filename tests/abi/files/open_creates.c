/* O_CREAT, O_EXCL, O_TRUNC, O_NOFOLLOW and O_DIRECTORY on each kind of entry, together. */
#include "abi.h"

static void made(void) {
    put("file", "text");
    mkdir("folder", 0755);
    symlink("file", "to_file");
    symlink("folder", "to_folder");
    unlink("new");
    symlink("new", "dangling");
    mkfifo("fifo", 0600);
    unlink("none");
    rmdir("none");
}

int main(void) {
    const struct {
        int flag;
        const char *name;
    } flags[] = {{O_CREAT, "create"},
                 {O_CREAT | O_EXCL, "exclusive"},
                 {O_TRUNC, "truncate"},
                 {O_CREAT | O_TRUNC, "create, truncate"},
                 {O_NOFOLLOW, "no link"},
                 {O_CREAT | O_NOFOLLOW, "create, no link"},
                 {O_DIRECTORY, "folder"},
                 {O_DIRECTORY | O_NOFOLLOW, "folder, no link"},
                 {O_PATH | O_NOFOLLOW, "path, no link"},
                 {O_PATH | O_DIRECTORY, "path of a folder"},
                 {O_EXCL, "exclusive alone"}};
    const char *paths[] = {"file", "folder",  "to_file",    "to_folder", "dangling", "fifo",
                           "none", "folder/", "to_folder/", "none/",     ".",        "folder/.."};
    const int modes[] = {O_RDONLY, O_RDWR};
    struct stat seen;
    for (unsigned f = 0; f < sizeof flags / sizeof *flags; f++)
        for (unsigned p = 0; p < sizeof paths / sizeof *paths; p++) {
            char line[200] = "";
            for (int m = 0; m < 2; m++) {
                made();
                long fd = abi_call(open, paths[p], modes[m] | O_NONBLOCK | flags[f].flag, 0640);
                if (fd < 0)
                    sprintf(line + strlen(line), " %s", strerrorname_np(errno));
                else {
                    fstat(fd, &seen);
                    sprintf(line + strlen(line), " %o:%d", seen.st_mode,
                            S_ISREG(seen.st_mode) ? (int)seen.st_size : 0);
                    close(fd);
                }
            }
            say("%s, %s:%s", flags[f].name, paths[p], line);
        }
}
