/* getcwd and chdir: names that change, rooms too small, folders without a name. */
#include "abi.h"

int main(void) {
    char name[200], before[200];
    long root = works(getcwd, before, 200);
    mkdir("a", 0700);
    mkdir("a/b", 0700);
    gives(0, chdir, "a/b");
    is("longer", abi_call(getcwd, name, 200) - root, 4);
    rename("../../a", "../../longer");
    is("renamed", abi_call(getcwd, name, 200) - root, 9);
    fails(ERANGE, getcwd, name, 5);
    fails(ERANGE, getcwd, name, 0);
    fails(EFAULT, getcwd, BAD, 200);
    gives(0, chdir, "..");
    gives(0, rmdir, "b");
    gives(0, chdir, before);
    int fd = open("longer", O_PATH);
    gives(0, fchdir, fd);
    gives(0, rmdir, "../longer");
    fails(ENOENT, getcwd, name, 200);
}
