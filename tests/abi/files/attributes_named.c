/* Extended attributes: created, replaced, listed, removed; rooms too small. */
#include "abi.h"

int main(void) {
    char text[64];
    put("file", "");
    gives(0, setxattr, "file", "user.one", "first", 5, 1);
    fails(EEXIST, setxattr, "file", "user.one", "x", 1, 1);
    fails(ENODATA, setxattr, "file", "user.two", "x", 1, 2);
    gives(0, setxattr, "file", "user.one", "again!", 6, 2);
    gives(6, getxattr, "file", "user.one", NULL, 0);
    fails(ERANGE, getxattr, "file", "user.one", text, 5);
    gives(6, getxattr, "file", "user.one", text, 64);
    gives(0, setxattr, "file", "user.empty", NULL, 0, 0);
    gives(0, getxattr, "file", "user.empty", text, 64);
    gives(20, listxattr, "file", NULL, 0);
    fails(ERANGE, listxattr, "file", text, 10);
    gives(0, removexattr, "file", "user.one");
    fails(ENODATA, removexattr, "file", "user.one");
    fails(ENODATA, getxattr, "file", "user.one", text, 64);
    fails(EOPNOTSUPP, setxattr, "file", "nothing", "x", 1, 0);
    fails(EINVAL, setxattr, "file", "user.x", "x", 1, 9);
    fails(E2BIG, setxattr, "file", "user.x", text, 65537, 0);
}
