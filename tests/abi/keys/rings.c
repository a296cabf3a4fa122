/* Rings: what is in them, which other rings, who looks into them, and whose they are. */
#include "abi.h"

#include <linux/keyctl.h>
#include <pthread.h>

#define SESSION KEY_SPEC_SESSION_KEYRING
#define THREAD  KEY_SPEC_THREAD_KEYRING
#define PROCESS KEY_SPEC_PROCESS_KEYRING

static char text[5000];

static long ring(const char *name, long in) {
    return abi_call(add_key, "keyring", name, 0, 0, in);
}

static long added(const char *name, long in) {
    return abi_call(add_key, "user", name, "secret", 6, in);
}

static long count(long of) {
    return abi_call(keyctl, KEYCTL_READ, of, 0, 0) / 4;
}

static void links(void) {
    long a = ring("a", SESSION), b = ring("b", SESSION), key = added("key", a);
    gives(0, keyctl, KEYCTL_LINK, key, b);
    gives(0, keyctl, KEYCTL_LINK, key, b);
    is("in both", count(a) * 10 + count(b), 11);
    fails(ENOTDIR, keyctl, KEYCTL_LINK, key, key);
    fails(ENOKEY, keyctl, KEYCTL_LINK, 1, b);
    fails(ENOKEY, keyctl, KEYCTL_LINK, key, 1);
    gives(0, keyctl, KEYCTL_UNLINK, key, a);
    fails(ENOENT, keyctl, KEYCTL_UNLINK, key, a);
    fails(ENOTDIR, keyctl, KEYCTL_UNLINK, key, key);
    fails(ENOKEY, keyctl, KEYCTL_UNLINK, key, 1);
    fails(ENOKEY, keyctl, KEYCTL_UNLINK, 1, b);
    long other = added("key", a);
    is("another one", other != key, 1);
    gives(0, keyctl, KEYCTL_LINK, other, b);
    is("in its place", count(b), 1);
    gives(0, keyctl, KEYCTL_CLEAR, b);
    is("cleared", count(b), 0);
    fails(ENOTDIR, keyctl, KEYCTL_CLEAR, other);
    fails(ENOKEY, keyctl, KEYCTL_CLEAR, 1);
}

static void moves(void) {
    long a = ring("a", SESSION), b = ring("b", SESSION), key = added("key", a);
    gives(0, keyctl, KEYCTL_MOVE, key, a, b, 0);
    is("moved", count(a) * 10 + count(b), 1);
    fails(ENOENT, keyctl, KEYCTL_MOVE, key, a, b, 0);
    gives(0, keyctl, KEYCTL_MOVE, key, b, b, 0);
    long other = added("key", a);
    fails(EEXIST, keyctl, KEYCTL_MOVE, other, a, b, KEYCTL_MOVE_EXCL);
    gives(0, keyctl, KEYCTL_MOVE, other, a, b, 0);
    is("in its place", count(a) * 10 + count(b), 1);
    fails(EINVAL, keyctl, KEYCTL_MOVE, other, b, a, 2);
    fails(ENOTDIR, keyctl, KEYCTL_MOVE, other, other, a, 0);
    fails(ENOTDIR, keyctl, KEYCTL_MOVE, other, b, other, 0);
    fails(ENOKEY, keyctl, KEYCTL_MOVE, 1, a, b, 0);
}

static void loops(void) {
    long a = ring("a", SESSION), b = ring("b", a), at = b;
    fails(EDEADLK, keyctl, KEYCTL_LINK, a, a);
    fails(EDEADLK, keyctl, KEYCTL_LINK, a, b);
    for (int n = 0; n < 8; n++)
        at = ring("deeper", at);
    fails(ELOOP, keyctl, KEYCTL_LINK, a, THREAD);
    long key = added("deep", at);
    fails(ENOKEY, keyctl, KEYCTL_SEARCH, a, "user", "deep", 0);
    is("it", works(keyctl, KEYCTL_SEARCH, at, "user", "deep", 0) == key, 1);
}

static void searches(void) {
    long a = ring("a", SESSION), b = ring("b", a), c = ring("c", SESSION), key = added("key", b);
    is("it", works(keyctl, KEYCTL_SEARCH, a, "user", "key", 0) == key, 1);
    is("it", works(keyctl, KEYCTL_SEARCH, a, "user", "key", c) == key, 1);
    is("linked", count(c), 1);
    is("it", works(keyctl, KEYCTL_SEARCH, a, "keyring", "b", 0) == b, 1);
    is("it", works(keyctl, KEYCTL_SEARCH, a, "keyring", "a", 0) == a, 1);
    fails(ENOKEY, keyctl, KEYCTL_SEARCH, a, "user", "nothing", 0);
    fails(ENOKEY, keyctl, KEYCTL_SEARCH, a, "nothing", "key", 0);
    fails(ENOTDIR, keyctl, KEYCTL_SEARCH, key, "user", "key", 0);
    fails(ENOKEY, keyctl, KEYCTL_SEARCH, 1, "user", "key", 0);
    fails(EPERM, keyctl, KEYCTL_SEARCH, a, ".user", "key", 0);
    fails(EFAULT, keyctl, KEYCTL_SEARCH, a, BAD, "key", 0);
    fails(EFAULT, keyctl, KEYCTL_SEARCH, a, "user", BAD, 0);
    gives(0, keyctl, KEYCTL_SETPERM, key, 0x37370000);
    fails(EACCES, keyctl, KEYCTL_SEARCH, a, "user", "key", 0);
    gives(0, keyctl, KEYCTL_SETPERM, b, 0x37370000);
    fails(ENOKEY, keyctl, KEYCTL_SEARCH, a, "user", "key", 0);
    fails(EACCES, keyctl, KEYCTL_SEARCH, b, "user", "key", 0);
    key = added("revoked", a);
    gives(0, keyctl, KEYCTL_REVOKE, key);
    fails(EKEYREVOKED, keyctl, KEYCTL_SEARCH, a, "user", "revoked", 0);
}

static void closed(void) {
    long a = ring("a", SESSION), key = added("key", SESSION);
    fails(EINVAL, keyctl, KEYCTL_RESTRICT_KEYRING, a, 0, "x");
    fails(ENOKEY, keyctl, KEYCTL_RESTRICT_KEYRING, a, "nothing", "x");
    fails(ENOENT, keyctl, KEYCTL_RESTRICT_KEYRING, a, "user", "x");
    fails(ENOTDIR, keyctl, KEYCTL_RESTRICT_KEYRING, key, 0, 0);
    gives(0, keyctl, KEYCTL_RESTRICT_KEYRING, a, 0, 0);
    fails(EEXIST, keyctl, KEYCTL_RESTRICT_KEYRING, a, 0, 0);
    fails(EPERM, keyctl, KEYCTL_LINK, key, a);
}

static void many(void) {
    long a = ring("many", SESSION);
    char name[16];
    for (int n = 0; n < 500; n++) {
        snprintf(name, sizeof name, "key%d", n);
        if (added(name, a) < 0)
            give_up("one of many");
    }
    is("of them", count(a), 500);
    long one = works(keyctl, KEYCTL_SEARCH, a, "user", "key300", 0);
    gives(0, keyctl, KEYCTL_INVALIDATE, one);
    gives(0, keyctl, KEYCTL_UNLINK, a, SESSION);
}

/* ---- whose they are ---- */

static long inherited;

static void child(void) {
    is("session", abi_call(keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0) == inherited, 1);
    fails(ENOKEY, keyctl, KEYCTL_GET_KEYRING_ID, THREAD, 0);
    fails(ENOKEY, keyctl, KEYCTL_GET_KEYRING_ID, PROCESS, 0);
}

static long of_thread;

static void *thread(void *) {
    is("session", abi_call(keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0) == inherited, 1);
    is("its own", works(keyctl, KEYCTL_GET_KEYRING_ID, THREAD, 0) != of_thread, 1);
    works(keyctl, KEYCTL_GET_KEYRING_ID, PROCESS, 0);
    return NULL;
}

static void *without(void *) {
    fails(ENOKEY, keyctl, KEYCTL_GET_KEYRING_ID, THREAD, 0);
    return NULL;
}

static void passed_on(void) {
    pthread_t one;
    inherited = works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    pthread_create(&one, NULL, without, NULL);
    pthread_join(one, NULL);
    of_thread = works(keyctl, KEYCTL_GET_KEYRING_ID, THREAD, 1);
    works(keyctl, KEYCTL_GET_KEYRING_ID, PROCESS, 1);
    in_child("child", child);
    pthread_create(&one, NULL, thread, NULL);
    pthread_join(one, NULL);
}

static void joins(void) {
    long first = works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, "named");
    works(keyctl, KEYCTL_DESCRIBE, SESSION, text, sizeof text);
    say("%s", text);
    gives(0, keyctl, KEYCTL_SETPERM, SESSION, 0x3f3f0000);
    gives(0, keyctl, KEYCTL_JOIN_SESSION_KEYRING, "named");
    is("another", works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, "other") != first, 1);
    fails(EPERM, keyctl, KEYCTL_JOIN_SESSION_KEYRING, ".named");
    fails(EFAULT, keyctl, KEYCTL_JOIN_SESSION_KEYRING, BAD);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    works(keyctl, KEYCTL_DESCRIBE, SESSION, text, sizeof text);
    say("%s", text);
    int child = fork();
    if (!child) {
        works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, "shared");
        abi_call(keyctl, KEYCTL_SETPERM, SESSION, 0x3f3f0000);
        pause();
    }
    until_asleep(child);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, "shared");
    works(keyctl, KEYCTL_DESCRIBE, SESSION, text, sizeof text);
    say("%s", text);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void gives_parent(void) {
    long own = works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    gives(0, keyctl, KEYCTL_SESSION_TO_PARENT);
    _exit(own == 0);
}

static void gives_as_somebody(void) {
    be(SOMEBODY);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    fails(EPERM, keyctl, KEYCTL_SESSION_TO_PARENT);
}

static void same_session(void) {
    gives(0, keyctl, KEYCTL_SESSION_TO_PARENT);
}

static void given(void) {
    long before = works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    in_child("same", same_session);
    in_child("gives", gives_parent);
    is("another", works(keyctl, KEYCTL_GET_KEYRING_ID, SESSION, 0) != before, 1);
    in_child("as somebody", gives_as_somebody);
}

/* The session's stays; what the others had is nowhere to be found. */
static void program(void) {
    char name[32], command[128];
    char *const words[] = {"sh", "-c", command, NULL};
    snprintf(name, sizeof name, "mine-%d", getpid());
    snprintf(command, sizeof command, "grep -c 'keyring   %s: 1$' /proc/keys", name);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
    added("mine", THREAD);
    added("mine", PROCESS);
    added("mine", SESSION);
    ends(execve, "/bin/sh", words, environ);
}

int main(void) {
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    in_child("links", links);
    in_child("moves", moves);
    in_child("loops", loops);
    in_child("searches", searches);
    in_child("closed", closed);
    in_child("many", many);
    in_child("passed on", passed_on);
    in_child("joins", joins);
    in_child("given", given);
    in_child("program", program);
    return 0;
}
