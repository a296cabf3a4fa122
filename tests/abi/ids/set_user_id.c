/* Programs that run as their owner. */
#include "abi.h"

#include <sys/prctl.h>

static void copy_to(const char *path) {
    char *some = malloc(1 << 16);
    int from = open("/usr/bin/id", O_RDONLY), to = open(path, O_WRONLY | O_CREAT, 0755);
    for (long length; (length = read(from, some, 1 << 16)) > 0;)
        write(to, some, length);
    close(to);
}

static void runs(void) {
    char *words[] = {"id", NULL}, *variables[] = {"LANG=C", NULL};
    be(SOMEBODY);
    ends(execve, "copy", words, variables);
}

static void runs_without(void) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    runs();
}

int main(void) {
    copy_to("copy");
    in_child("as it is", runs);
    chown("copy", 77, 88);
    chmod("copy", 06755);
    in_child("as its owner", runs);
    chmod("copy", 02755);
    in_child("with its group", runs);
    chmod("copy", 04755);
    in_child("without new rights", runs_without);
}
