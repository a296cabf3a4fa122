/* Ids of users and groups: who may become whom. */
#include "abi.h"

static void show(void) {
    uint32_t r, e, s;
    gives(0, getresuid, &r, &e, &s);
    say("users %d %d %d", r, e, s);
    gives(0, getresgid, &r, &e, &s);
    say("groups %d %d %d", r, e, s);
}

static void sets(void) {
    gives(0, setresgid, 1, 2, 3);
    gives(0, setresuid, 1, 2, 3);
    show();
    gives(1, getuid);
    gives(2, geteuid);
    gives(1, getgid);
    gives(2, getegid);
    gives(0, setresuid, 3, 1, 2);
    gives(0, setresgid, -1, 3, -1);
    show();
    fails(EPERM, setresuid, 4, -1, -1);
    fails(EPERM, setresgid, -1, 4, -1);
    fails(EPERM, setuid, 4);
    fails(EPERM, setgid, 4);
    fails(EPERM, setreuid, 4, -1);
    fails(EPERM, setregid, -1, 4);
    gives(0, setuid, 2);
    gives(0, setgid, 1);
    show();
    gives(0, setreuid, 2, 2);
    gives(0, setregid, 1, -1);
    show();
    fails(EPERM, setgroups, 0, NULL);
    gives(2, setfsuid, 3);
    gives(2, setfsuid, 77);
    gives(2, setfsuid, -1);
    works(setfsgid, 3);
}

static void drops(void) {
    gives(0, setgid, 5);
    gives(0, setuid, 6);
    show();
    fails(EPERM, setuid, 0);
}

static void swaps(void) {
    gives(0, setreuid, 7, 8);
    show();
    gives(0, setreuid, 8, 7);
    show();
}

int main(void) {
    uint32_t groups[] = {9, 3, 5}, seen[3];
    gives(0, setgroups, 3, groups);
    gives(3, getgroups, 0, NULL);
    gives(3, getgroups, 3, seen);
    say("%d %d %d", seen[0], seen[1], seen[2]);
    fails(EINVAL, getgroups, 2, seen);
    fails(EINVAL, getgroups, -1, seen);
    fails(EFAULT, getgroups, 3, BAD);
    fails(EINVAL, setgroups, 65537, groups);
    fails(EFAULT, setgroups, 3, BAD);
    fails(EFAULT, getresuid, BAD, seen, seen);
    fails(EFAULT, getresgid, seen, seen, BAD);
    fails(EINVAL, setuid, -1);
    fails(EINVAL, setgid, -1);
    gives(0, setreuid, -1, -1);
    gives(0, setresuid, -1, -1, -1);
    in_child("sets", sets);
    in_child("drops", drops);
    in_child("swaps", swaps);
}
