/* Extended attributes of users: kinds of files, rights, sizes, many, over rename and link. */
#include "abi.h"

#include <sys/xattr.h>

static void somebody(void) {
    char data[16];
    be(SOMEBODY);
    gives(3, getxattr, "readable", "user.a", data, 16);
    fails(EACCES, setxattr, "readable", "user.a", "x", 1, 0);
    fails(EACCES, removexattr, "readable", "user.a");
    fails(EACCES, getxattr, "closed", "user.a", data, 16);
    gives(7, listxattr, "closed", data, 16);
    gives(0, setxattr, "writable", "user.a", "new", 3, 0);
    fails(EPERM, setxattr, "sticky", "user.a", "x", 1, 0);
    fails(EPERM, setxattr, "writable", "trusted.a", "x", 1, 0);
}

int main(void) {
    char data[70000], name[300];
    put("file", "");
    put("readable", "");
    put("writable", "");
    put("closed", "");
    mkdir("folder", 0755);
    mkdir("sticky", 01777);
    chmod("sticky", 01777);
    mkfifo("fifo", 0666);
    symlink("file", "link");
    mknod("null", S_IFCHR | 0666, 1 << 8 | 3);
    gives(0, setxattr, "file", "user.a", "one", 3, 0);
    gives(0, setxattr, "folder", "user.a", "one", 3, 0);
    fails(EPERM, setxattr, "fifo", "user.a", "one", 3, 0);
    fails(EPERM, setxattr, "null", "user.a", "one", 3, 0);
    fails(EPERM, lsetxattr, "link", "user.a", "one", 3, 0);
    fails(ENODATA, getxattr, "fifo", "user.a", data, 16);
    fails(ENODATA, lgetxattr, "link", "user.a", data, 16);
    gives(0, setxattr, "fifo", "trusted.a", "one", 3, 0);
    gives(0, setxattr, "sticky", "user.a", "one", 3, 0);
    setxattr("readable", "user.a", "one", 3, 0);
    setxattr("closed", "user.a", "one", 3, 0);
    chmod("closed", 0600);
    chmod("writable", 0666);
    in_child("somebody", somebody);
    fails(EINVAL, setxattr, "file", "user.", "x", 1, 0);
    fails(EOPNOTSUPP, setxattr, "file", "user", "x", 1, 0);
    fails(EOPNOTSUPP, setxattr, "file", "none.x", "x", 1, 0);
    fails(ERANGE, setxattr, "file", "", "x", 1, 0);
    memset(name, 'n', sizeof name);
    memcpy(name, "user.", 5);
    name[255] = 0;
    gives(0, setxattr, "file", name, "long", 4, 0);
    gives(4, getxattr, "file", name, data, 16);
    gives(0, removexattr, "file", name);
    name[255] = 'n';
    name[256] = 0;
    fails(ERANGE, setxattr, "file", name, "long", 4, 0);
    fails(ERANGE, getxattr, "file", name, data, 16);
    gives(0, setxattr, "file", "user.empty", "", 0, 0);
    gives(0, getxattr, "file", "user.empty", data, 16);
    gives(0, setxattr, "file", "user.empty", NULL, 0, 0);
    gives(0, setxattr, "file", "user.b", memset(data, 'd', 2000), 2000, 0);
    gives(2000, getxattr, "file", "user.b", NULL, 0);
    fails(ERANGE, getxattr, "file", "user.b", data, 1999);
    gives(2000, getxattr, "file", "user.b", data, 70000);
    gives(0, setxattr, "file", "user.b", "short", 5, XATTR_REPLACE);
    gives(5, getxattr, "file", "user.b", data, 100);
    gives(25, listxattr, "file", data, 100);
    /* They belong to the file, whatever it is called. */
    link("file", "second");
    rename("file", "third");
    gives(3, getxattr, "second", "user.a", data, 16);
    gives(0, removexattr, "second", "user.a");
    fails(ENODATA, getxattr, "third", "user.a", data, 16);
    put("third", "written");
    gives(5, getxattr, "third", "user.b", data, 16);
}
