/* setgroups, getgroups; what each of the set*id calls lets whom do; the file system's ids. */
#include "abi.h"

#include <grp.h>

static void ids(const char *what) {
    unsigned u[3], g[3];
    abi_call(getresuid, u, u + 1, u + 2);
    abi_call(getresgid, g, g + 1, g + 2);
    say("%s: %d %d %d, %d %d %d, files %ld %ld", what, u[0], u[1], u[2], g[0], g[1], g[2],
        abi_call(setfsuid, -1), abi_call(setfsgid, -1));
}

static void users(void) {
    gives(0, setresuid, 1, 2, 3);
    ids("three");
    fails(EPERM, setuid, 4);
    gives(0, setuid, 1);
    ids("setuid to the real one");
    gives(0, setuid, 3);
    ids("to the saved one");
    fails(EPERM, setuid, 2);
    fails(EPERM, setreuid, 2, -1);
    gives(0, setreuid, 3, 1);
    ids("exchanged");
    fails(EPERM, setresuid, 5, -1, -1);
    gives(0, setresuid, -1, -1, -1);
    gives(0, setresuid, 3, 3, 3);
    ids("all the same");
    fails(EPERM, setgroups, 0, NULL);
    fails(EPERM, setgid, 9);
}

static void saved(void) {
    gives(0, setreuid, 5, 6);
    ids("setreuid of root saves the effective one");
    gives(0, setreuid, -1, 5);
    ids("one of the three");
}

static void not_root(void) {
    gives(0, setresuid, 0, 7, 7);
    ids("real root alone");
    gives(0, setuid, 0);
    ids("effective again, the saved one stays");
    gives(0, setuid, 8);
    ids("root's setuid sets all three");
}

static void groups_of_it(void) {
    gid_t got[70000];
    unsigned some[] = {5, 3, 3, 9};
    gives(0, setgroups, 4, some);
    gives(4, getgroups, 0, NULL);
    gives(4, getgroups, 10, got);
    say("%d %d %d %d", got[0], got[1], got[2], got[3]);
    fails(EINVAL, getgroups, 3, got);
    fails(EINVAL, getgroups, -1, got);
    fails(EFAULT, getgroups, 4, BAD);
    fails(EFAULT, setgroups, 4, BAD);
    fails(EINVAL, setgroups, 65537, got);
    for (int i = 0; i < 65536; i++)
        got[i] = 100000 - i;
    gives(0, setgroups, 65536, got);
    gives(65536, getgroups, 0, NULL);
    gives(0, setgroups, 0, NULL);
    gives(0, getgroups, 10, got);
}

static void files(void) {
    gives(0, setfsuid, SOMEBODY);
    gives(SOMEBODY, setfsuid, -1);
    gives(SOMEBODY, setfsuid, 0);
    put("mine", "");
    setfsuid(SOMEBODY);
    setfsgid(SOMEBODY);
    put("theirs", "");
    struct stat seen;
    stat("theirs", &seen);
    say("%d %d", seen.st_uid, seen.st_gid);
    fails(EACCES, open, "mine", O_WRONLY);
    setresuid(-1, 77, -1);
    gives(77, setfsuid, -1);
    gives(77, setfsuid, 9);
    gives(77, setfsuid, 0);
}

int main(void) {
    chmod(".", 0777);
    ids("at first");
    in_child("users", users);
    in_child("saved", saved);
    in_child("not root", not_root);
    in_child("groups", groups_of_it);
    in_child("files", files);
    gives(0, setresgid, 1, 2, 3);
    ids("groups");
    gives(0, setregid, -1, 5);
    ids("saved with it");
    fails(EFAULT, getresuid, BAD, BAD, BAD);
    fails(EFAULT, getresgid, BAD, BAD, BAD);
    fails(EINVAL, setuid, -1);
    fails(EINVAL, setgid, -1);
}
