/* pivot_root, below a root of the case's own. */
#include "abi.h"

#include <sys/mount.h>

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, pivot_root, "/new", "/new/old");
}

static void where(void) {
    char text[PATH_MAX];
    say("%s", getcwd(text, sizeof text));
}

/* Another one, whose root is the same, has the new one, too. */
static void watches(void) {
    doze(1);
    for (int i = 0; i < 10000 && access("/old/here", F_OK); i++)
        doze(1);
    where();
    say("%s", get("/old/here"));
}

/* Its root is another one, and stays. */
static void apart(void) {
    chroot("/apart");
    chdir("/");
    put("ready", "");
    for (int i = 0; i < 10000 && access("/over", F_OK); i++)
        doze(1);
    where();
    say("%s", get("/file"));
}

static void inside(void) {
    chroot("all/root");
    chdir("/");
    fails_on_bad_paths(pivot_root, path, "/new/old");
    fails_on_bad_paths(pivot_root, "/new", path);
    in_child("somebody", somebody);
    fails(EBUSY, pivot_root, "/new", "/");
    fails(EBUSY, pivot_root, "/", "/new/old");
    fails(EBUSY, pivot_root, "/apart", "/new/old");
    fails(EINVAL, pivot_root, "/new/old", "/new/old");
    fails(EINVAL, pivot_root, "/new", "/other");
    fails(EINVAL, pivot_root, "/other", "/new/old");
    int watcher = start(watches), other = start(apart);
    for (int i = 0; i < 10000 && access("/apart/ready", F_OK); i++)
        doze(1);
    gives(0, pivot_root, "/new", "/new/old");
    where();
    say("%s", get("/there"));
    say("%s", get("/old/here"));
    is("gone", access("/here", F_OK), -1);
    put("/old/apart/over", "");
    ended("watcher", watcher);
    ended("apart", other);
    /* As those do that have no folder to put it: one upon the other, and away with it. */
    chdir("/last");
    gives(0, pivot_root, ".", ".");
    gives(0, umount2, ".", MNT_DETACH);
    where();
    say("%s", get("/end"));
}

int main(void) {
    mkdir("all", 0755);
    mount("none", "all", "tmpfs", 0, NULL);
    mount(NULL, "all", NULL, MS_PRIVATE, NULL);
    mkdir("all/root", 0755);
    mount("none", "all/root", "tmpfs", 0, NULL);
    chmod("all/root", 0755);
    put("all/root/here", "here");
    mkdir("all/root/apart", 0755), mkdir("all/root/new", 0755);
    mkdir("all/root/other", 0755);
    put("all/root/apart/file", "apart");
    mount("none", "all/root/other", "tmpfs", 0, NULL);
    mount("none", "all/root/new", "tmpfs", 0, NULL);
    put("all/root/new/there", "there");
    mkdir("all/root/new/old", 0755), mkdir("all/root/new/last", 0755);
    mount("none", "all/root/new/last", "tmpfs", 0, NULL);
    put("all/root/new/last/end", "end");
    in_child("inside", inside);
    gives(0, umount2, "all", MNT_DETACH);
    gives(0, rmdir, "all");
}
