/* A tree deeper than a path can be long. */
#include "abi.h"

int main(void) {
    char name[101];
    memset(name, 'd', 100);
    name[100] = 0;
    int begin = open(".", O_PATH), depth;
    for (depth = 0; depth < 60; depth++)
        if (mkdir(name, 0755) || chdir(name))
            give_up("too deep");
    put("file", "down here");
    say("%s", get("file"));
    for (; depth; depth--) {
        if (depth == 60)
            unlink("file");
        if (chdir("..") || rmdir(name))
            give_up("up again");
    }
    struct stat here, there;
    stat(".", &here);
    fstat(begin, &there);
    is("back", here.st_ino == there.st_ino, 1);
}
