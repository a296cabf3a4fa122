/* add_key: what it makes, what it changes, and what it refuses. */
#include "abi.h"

#include <linux/keyctl.h>

#define SESSION KEY_SPEC_SESSION_KEYRING

static char text[5000];

static const char *described(long key) {
    if (abi_call(keyctl, KEYCTL_DESCRIBE, key, text, sizeof text) < 0)
        return strerror(errno);
    return text;
}

static void makes(void) {
    long key = works(add_key, "user", "one", "secret", 6, SESSION);
    char bytes[16] = "";
    say("%s", described(key));
    gives(6, keyctl, KEYCTL_READ, key, bytes, sizeof bytes);
    say("%s", bytes);
    is("it", works(add_key, "user", "one", "changed", 7, SESSION) == key, 1);
    gives(7, keyctl, KEYCTL_READ, key, bytes, sizeof bytes);
    say("%s", bytes);
    say("%s", described(works(add_key, "logon", "for:one", "secret", 6, SESSION)));
    long ring = works(add_key, "keyring", "ring", 0, 0, SESSION);
    say("%s", described(ring));
    is("another ring", works(add_key, "keyring", "ring", 0, 0, SESSION) != ring, 1);
    say("%s", described(works(add_key, "user", "of a thread", "x", 1, KEY_SPEC_THREAD_KEYRING)));
    say("%s", described(works(add_key, "user", "of a process", "x", 1, KEY_SPEC_PROCESS_KEYRING)));
    works(add_key, "user", ".dots are for rings", "x", 1, SESSION);
    gives(0, keyctl, KEYCTL_REVOKE, key);
    is("a new one", works(add_key, "user", "one", "again", 5, SESSION) != key, 1);
}

static void refuses(void) {
    char *large = pages(1024);
    long key = abi_call(add_key, "user", "two", "x", 1, SESSION);
    fails(ENODEV, add_key, "nothing", "x", "x", 1, SESSION);
    fails(EPERM, add_key, ".user", "x", "x", 1, SESSION);
    fails(EPERM, add_key, "keyring", ".x", 0, 0, SESSION);
    fails(EINVAL, add_key, "", "x", "x", 1, SESSION);
    fails(EINVAL, add_key, "0123456789012345678901234567890123", "x", "x", 1, SESSION);
    fails(EFAULT, add_key, BAD, "x", "x", 1, SESSION);
    fails(EFAULT, add_key, 0, "x", "x", 1, SESSION);
    fails(EFAULT, add_key, "user", BAD, "x", 1, SESSION);
    fails(EFAULT, add_key, "user", "x", BAD, 1, SESSION);
    fails(EINVAL, add_key, "user", 0, "x", 1, SESSION);
    fails(EINVAL, add_key, "user", "", "x", 1, SESSION);
    fails(EINVAL, add_key, "user", "x", "x", 0, SESSION);
    fails(EINVAL, add_key, "user", "x", 0, 0, SESSION);
    fails(EINVAL, add_key, "user", "x", large, 32768, SESSION);
    works(add_key, "user", "large", large, 32767, SESSION);
    fails(EINVAL, add_key, "user", "x", large, 1 << 20, SESSION);
    fails(EINVAL, add_key, "keyring", "x", "x", 1, SESSION);
    fails(EINVAL, add_key, "logon", "x", "x", 1, SESSION);
    fails(EINVAL, add_key, "logon", ":x", "x", 1, SESSION);
    memset(large, 'x', 4096);
    fails(EINVAL, add_key, "user", large, "x", 1, SESSION);
    fails(EINVAL, add_key, "user", "x", "x", 1, 0);
    fails(EINVAL, add_key, "user", "x", "x", 1, KEY_SPEC_GROUP_KEYRING);
    fails(EINVAL, add_key, "user", "x", "x", 1, -9);
    fails(ENOKEY, add_key, "user", "x", "x", 1, KEY_SPEC_REQKEY_AUTH_KEY);
    fails(ENOTDIR, add_key, "user", "x", "x", 1, key);
    fails(ENOKEY, add_key, "user", "x", "x", 1, 1);
}

static void in_states(void) {
    long ring = works(add_key, "keyring", "states", 0, 0, SESSION);
    gives(0, keyctl, KEYCTL_SETPERM, ring, 0x3b3f0000);
    be(SOMEBODY);
    fails(EACCES, add_key, "user", "x", "x", 1, ring);
    exit(0);
}

static void ended_rings(void) {
    long ring = works(add_key, "keyring", "ending", 0, 0, SESSION);
    gives(0, keyctl, KEYCTL_REVOKE, ring);
    fails(EKEYREVOKED, add_key, "user", "x", "x", 1, ring);
    ring = works(add_key, "keyring", "late", 0, 0, SESSION);
    gives(0, keyctl, KEYCTL_SET_TIMEOUT, ring, 1);
    doze(1100);
    fails(EKEYEXPIRED, add_key, "user", "x", "x", 1, ring);
}

/* What may be written to only by somebody else. */
static void locked(void) {
    long key = works(add_key, "user", "locked", "x", 1, SESSION);
    gives(0, keyctl, KEYCTL_SETPERM, key, 0x39390000);
    fails(EACCES, add_key, "user", "locked", "y", 1, SESSION);
}

static void too_many(void) {
    char name[32], *large = pages(8);
    int count = 0;
    be(SOMEBODY);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    fails(EDQUOT, add_key, "user", "large", large, 20001, SESSION);
    while (count < 300) {
        snprintf(name, sizeof name, "many%d", count);
        if (abi_call(add_key, "user", name, "x", 1, SESSION) < 0)
            break;
        count++;
    }
    is("about two hundred", count > 180 && count < 200, 1);
    fails(EDQUOT, add_key, "user", "one more", "x", 1, SESSION);
    fails(EDQUOT, add_key, "user", "many1", large, 19000, SESSION);
}

int main(void) {
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    makes();
    refuses();
    in_child("somebody", in_states);
    ended_rings();
    locked();
    in_child("too many", too_many);
    return 0;
}
