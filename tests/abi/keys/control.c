/* keyctl: what it tells of keys and does with them, and how it fails. */
#include "abi.h"

#include <grp.h>
#include <linux/keyctl.h>

#define SESSION KEY_SPEC_SESSION_KEYRING

static char text[5000];

static long added(const char *name) {
    return abi_call(add_key, "user", name, "secret", 6, SESSION);
}

static void describes(void) {
    long key = added("one");
    gives(22, keyctl, KEYCTL_DESCRIBE, key, text, sizeof text);
    say("%s", text);
    text[0] = 0;
    gives(22, keyctl, KEYCTL_DESCRIBE, key, text, 21);
    gives(22, keyctl, KEYCTL_DESCRIBE, key, 0, 0);
    is("nothing written", text[0], 0);
    fails(EFAULT, keyctl, KEYCTL_DESCRIBE, key, BAD, 100);
    fails(ENOKEY, keyctl, KEYCTL_DESCRIBE, 1, text, sizeof text);
    fails(EINVAL, keyctl, KEYCTL_DESCRIBE, 0, text, sizeof text);
    works(keyctl, KEYCTL_DESCRIBE, KEY_SPEC_USER_KEYRING, text, sizeof text);
    say("%s", text);
    works(keyctl, KEYCTL_DESCRIBE, KEY_SPEC_USER_SESSION_KEYRING, text, sizeof text);
    say("%s", text);
    gives(1, keyctl, KEYCTL_GET_SECURITY, key, text, sizeof text);
    fails(EFAULT, keyctl, KEYCTL_GET_SECURITY, key, BAD, 1);
    fails(ENOKEY, keyctl, KEYCTL_GET_SECURITY, 1, text, 1);
}

static void numbers(void) {
    fails(ENOKEY, keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0);
    long ring = works(keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 1);
    is("it", works(keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_THREAD_KEYRING, 0) == ring, 1);
    is("it", works(keyctl, KEYCTL_GET_KEYRING_ID, ring, 0) == ring, 1);
    fails(EINVAL, keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_GROUP_KEYRING, 0);
    fails(ENOKEY, keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_REQUESTOR_KEYRING, 0);
}

static void reads(void) {
    long key = added("read"), ring = abi_call(add_key, "keyring", "read", 0, 0, SESSION);
    long logon = abi_call(add_key, "logon", "read:", "x", 1, SESSION);
    int number = 0;
    gives(6, keyctl, KEYCTL_READ, key, 0, 0);
    memset(text, 0, 10);
    gives(6, keyctl, KEYCTL_READ, key, text, 5);
    is("nothing", text[0], 0);
    gives(6, keyctl, KEYCTL_READ, key, text, 100);
    say("%s", text);
    fails(EFAULT, keyctl, KEYCTL_READ, key, BAD, 100);
    fails(EOPNOTSUPP, keyctl, KEYCTL_READ, logon, text, 100);
    fails(ENOKEY, keyctl, KEYCTL_READ, 1, text, 100);
    fails(ENOKEY, keyctl, KEYCTL_READ, 0, text, 100);
    gives(0, keyctl, KEYCTL_READ, ring, text, 100);
    gives(0, keyctl, KEYCTL_LINK, key, ring);
    gives(4, keyctl, KEYCTL_READ, ring, &number, 4);
    is("its key", number == key, 1);
    gives(0, keyctl, KEYCTL_REVOKE, key);
    fails(EKEYREVOKED, keyctl, KEYCTL_READ, key, text, 100);
}

static void updates(void) {
    long key = added("update"), ring = abi_call(add_key, "keyring", "update", 0, 0, SESSION);
    gives(0, keyctl, KEYCTL_UPDATE, key, "other", 5);
    gives(5, keyctl, KEYCTL_READ, key, text, 100);
    fails(EINVAL, keyctl, KEYCTL_UPDATE, key, 0, 0);
    fails(EINVAL, keyctl, KEYCTL_UPDATE, key, text, 4097);
    fails(EFAULT, keyctl, KEYCTL_UPDATE, key, BAD, 5);
    fails(EOPNOTSUPP, keyctl, KEYCTL_UPDATE, ring, "x", 1);
    fails(ENOKEY, keyctl, KEYCTL_UPDATE, 1, "x", 1);
    gives(0, keyctl, KEYCTL_SET_TIMEOUT, key, 1);
    gives(0, keyctl, KEYCTL_UPDATE, key, "lasts", 5);
    long other = added("late");
    gives(0, keyctl, KEYCTL_SET_TIMEOUT, other, 1);
    doze(1100);
    gives(5, keyctl, KEYCTL_READ, key, text, 100);
    fails(EKEYEXPIRED, keyctl, KEYCTL_UPDATE, other, "x", 1);
    fails(EKEYEXPIRED, keyctl, KEYCTL_DESCRIBE, other, text, 100);
    fails(EKEYEXPIRED, keyctl, KEYCTL_READ, other, text, 100);
    gives(0, keyctl, KEYCTL_UNLINK, other, SESSION);
}

static void ends_keys(void) {
    long key = added("end"), other = added("invalid");
    gives(0, keyctl, KEYCTL_REVOKE, key);
    fails(EKEYREVOKED, keyctl, KEYCTL_REVOKE, key);
    fails(EKEYREVOKED, keyctl, KEYCTL_DESCRIBE, key, text, 100);
    fails(EKEYREVOKED, keyctl, KEYCTL_SET_TIMEOUT, key, 1);
    fails(EKEYREVOKED, keyctl, KEYCTL_SETPERM, key, 0);
    gives(0, keyctl, KEYCTL_UNLINK, key, SESSION);
    gives(0, keyctl, KEYCTL_INVALIDATE, other);
    fails(ENOKEY, keyctl, KEYCTL_DESCRIBE, other, text, 100);
    fails(ENOKEY, keyctl, KEYCTL_REVOKE, 1);
    fails(ENOKEY, keyctl, KEYCTL_INVALIDATE, 1);
    fails(ENOKEY, keyctl, KEYCTL_SET_TIMEOUT, 1, 1);
}

static void owners(void) {
    long key = added("owned");
    gives(0, keyctl, KEYCTL_CHOWN, key, -1, -1);
    gives(0, keyctl, KEYCTL_CHOWN, key, SOMEBODY, 7);
    works(keyctl, KEYCTL_DESCRIBE, key, text, 100);
    say("%s", text);
    fails(ENOKEY, keyctl, KEYCTL_CHOWN, 1, 1, 1);
    gives(0, keyctl, KEYCTL_SETPERM, key, 0x3f3f3f3f);
    fails(EINVAL, keyctl, KEYCTL_SETPERM, key, 0x40000000);
    fails(ENOKEY, keyctl, KEYCTL_SETPERM, 1, 0);
    be(SOMEBODY);
    fails(EACCES, keyctl, KEYCTL_CHOWN, key, 0, -1);
    fails(EACCES, keyctl, KEYCTL_CHOWN, key, -1, 99);
    gives(0, keyctl, KEYCTL_CHOWN, key, SOMEBODY, SOMEBODY);
    gives(0, keyctl, KEYCTL_SETPERM, key, 0x3f010000);
}

/* Each right, as the owner's who does not possess the key. */
static void each_right(void) {
    long key = added("rights");
    static const unsigned bits[] = {1, 2, 4, 8, 16, 32};
    abi_call(keyctl, KEYCTL_CHOWN, key, SOMEBODY, -1);
    for (int n = 0; n < 6; n++) {
        abi_call(keyctl, KEYCTL_SETPERM, key, bits[n] << 16 | 0x3f000000u);
        int child = fork();
        if (!child) {
            be(SOMEBODY);
            abi_call(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
            say("%d: %ld %ld %ld %ld %ld %ld", n, abi_call(keyctl, KEYCTL_DESCRIBE, key, text, 100),
                abi_call(keyctl, KEYCTL_READ, key, text, 100),
                abi_call(keyctl, KEYCTL_UPDATE, key, "x", 1),
                abi_call(keyctl, KEYCTL_GET_KEYRING_ID, key, 0) == key,
                abi_call(keyctl, KEYCTL_LINK, key, KEY_SPEC_THREAD_KEYRING),
                abi_call(keyctl, KEYCTL_SET_TIMEOUT, key, 0));
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    abi_call(keyctl, KEYCTL_SETPERM, key, 0x3f000000);
    be(SOMEBODY);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    fails(EACCES, keyctl, KEYCTL_DESCRIBE, key, text, 100);
    fails(EACCES, keyctl, KEYCTL_READ, key, text, 100);
    fails(EACCES, keyctl, KEYCTL_UPDATE, key, "x", 1);
    fails(EACCES, keyctl, KEYCTL_LINK, key, SESSION);
    fails(EACCES, keyctl, KEYCTL_REVOKE, key);
    fails(EACCES, keyctl, KEYCTL_INVALIDATE, key);
    fails(EACCES, keyctl, KEYCTL_SETPERM, key, 0);
    fails(EACCES, keyctl, KEYCTL_CHOWN, key, SOMEBODY, -1);
    fails(EACCES, keyctl, KEYCTL_SET_TIMEOUT, key, 1);
    fails(EACCES, keyctl, KEYCTL_GET_KEYRING_ID, key, 0);
}

static void groups(void) {
    long key = added("group");
    abi_call(keyctl, KEYCTL_CHOWN, key, 0, 77);
    abi_call(keyctl, KEYCTL_SETPERM, key, 0x3f000300);
    gid_t one = 77;
    setgroups(1, &one);
    setresuid(SOMEBODY, SOMEBODY, SOMEBODY);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    gives(6, keyctl, KEYCTL_READ, key, text, 100);
    fails(EACCES, keyctl, KEYCTL_UPDATE, key, "x", 1);
}

/* What only somebody could do who was asked to make a key. */
static void making(void) {
    struct iovec one = {text, 1};
    fails(EPERM, keyctl, KEYCTL_INSTANTIATE, 5, "x", 1, 0);
    fails(EPERM, keyctl, KEYCTL_INSTANTIATE, 5, BAD, 1, 0);
    fails(EINVAL, keyctl, KEYCTL_INSTANTIATE, 5, text, 1 << 20, 0);
    fails(EPERM, keyctl, KEYCTL_INSTANTIATE_IOV, 5, &one, 1, 0);
    fails(EFAULT, keyctl, KEYCTL_INSTANTIATE_IOV, 5, BAD, 1, 0);
    fails(EPERM, keyctl, KEYCTL_NEGATE, 5, 1, 0);
    fails(EPERM, keyctl, KEYCTL_REJECT, 5, 1, EACCES, 0);
    fails(EINVAL, keyctl, KEYCTL_REJECT, 5, 1, 0, 0);
    fails(EINVAL, keyctl, KEYCTL_REJECT, 5, 1, 4095, 0);
    fails(EINVAL, keyctl, KEYCTL_REJECT, 5, 1, 512, 0);
    gives(0, keyctl, KEYCTL_ASSUME_AUTHORITY, 0);
    fails(ENOKEY, keyctl, KEYCTL_ASSUME_AUTHORITY, 5);
    fails(EINVAL, keyctl, KEYCTL_ASSUME_AUTHORITY, -5);
    fails(EOPNOTSUPP, keyctl, 99);
}

static void capabilities(void) {
    unsigned char has[8] = {0, 0, 1, 1, 1, 1, 1, 1};
    gives(2, keyctl, KEYCTL_CAPABILITIES, has, sizeof has);
    is("these", has[0] & 0xe1, 0xe1);
    is("the rest", has[2] | has[7], 0);
    gives(2, keyctl, KEYCTL_CAPABILITIES, has, 1);
    gives(2, keyctl, KEYCTL_CAPABILITIES, 0, 0);
    fails(EFAULT, keyctl, KEYCTL_CAPABILITIES, BAD, 2);
}

static void lasting(void) {
    long ring = works(keyctl, KEYCTL_GET_PERSISTENT, -1, SESSION);
    is("it", works(keyctl, KEYCTL_GET_PERSISTENT, 0, SESSION) == ring, 1);
    works(keyctl, KEYCTL_DESCRIBE, ring, text, 100);
    say("%s", text);
    fails(ENOTDIR, keyctl, KEYCTL_GET_PERSISTENT, -1, added("no ring"));
    fails(EINVAL, keyctl, KEYCTL_GET_PERSISTENT, -1, 0);
    be(SOMEBODY);
    fails(EPERM, keyctl, KEYCTL_GET_PERSISTENT, 0, SESSION);
}

static void shown_in_proc(void) {
    added("in /proc");
    char line[16];
    int is_there = 0;
    FILE *keys = fopen("/proc/keys", "r");
    for (char *one = NULL; keys && getline(&one, &(size_t){0}, keys) > 0; one = NULL)
        if (strstr(one, "user      in /proc: 6") && strstr(one, " perm 3f010000     0     0 "))
            is_there++;
    is("lines", is_there, 1);
    FILE *users = fopen("/proc/key-users", "r");
    is("users", users && fgets(line, sizeof line, users) && strchr(line, ':'), 1);
}

int main(void) {
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    in_child("describes", describes);
    in_child("numbers", numbers);
    in_child("reads", reads);
    in_child("updates", updates);
    in_child("ends", ends_keys);
    in_child("owners", owners);
    in_child("each right", each_right);
    in_child("groups", groups);
    in_child("making", making);
    in_child("capabilities", capabilities);
    in_child("lasting", lasting);
    in_child("shown", shown_in_proc);
    return 0;
}
