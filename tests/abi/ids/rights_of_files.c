/* Which of owner's, group's and others' rights count, for whom. */
#include "abi.h"

static void tries(int user, int group) {
    if (setgroups(0, NULL) || setresgid(group, group, group) || setresuid(user, user, user))
        give_up("ids");
    for (int i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%d", i);
        int r = open(name, O_RDONLY), rerror = errno, w = open(name, O_WRONLY), werror = errno;
        say("user %d group %d, %s: %s %s", user, group, name,
            r < 0 ? strerrorname_np(rerror) : "read", w < 0 ? strerrorname_np(werror) : "written");
    }
}

static void owner(void) {
    tries(100, 200);
}

static void member(void) {
    tries(101, 200);
}

static void other(void) {
    tries(101, 201);
}

int main(void) {
    static const int modes[] = {0700, 0070, 0007, 0400, 0044, 0222};
    for (int i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof name, "f%d", i);
        put(name, "");
        chown(name, 100, 200);
        chmod(name, modes[i]);
    }
    in_child("owner", owner);
    in_child("member", member);
    in_child("other", other);
}
