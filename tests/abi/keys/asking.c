/* request_key: where it looks, what it finds, and what becomes of what is not there. */
#include "abi.h"

#include <linux/keyctl.h>

#define SESSION KEY_SPEC_SESSION_KEYRING
#define THREAD  KEY_SPEC_THREAD_KEYRING
#define PROCESS KEY_SPEC_PROCESS_KEYRING

static void finds(void) {
    long in_session = works(add_key, "user", "x", "1", 1, SESSION);
    is("it", works(request_key, "user", "x", 0, 0) == in_session, 1);
    long in_process = works(add_key, "user", "x", "2", 1, PROCESS);
    is("it", works(request_key, "user", "x", 0, 0) == in_process, 1);
    long in_thread = works(add_key, "user", "x", "3", 1, THREAD);
    is("it", works(request_key, "user", "x", "told", 0) == in_thread, 1);
    long ring = works(add_key, "keyring", "ring", 0, 0, SESSION);
    is("it", works(request_key, "keyring", "ring", 0, 0) == ring, 1);
    long inner = works(add_key, "user", "inner", "4", 1, ring);
    is("it", works(request_key, "user", "inner", 0, ring) == inner, 1);
    is("it", works(request_key, "user", "inner", 0, THREAD) == inner, 1);
    is("it", works(keyctl, KEYCTL_SEARCH, THREAD, "user", "inner", 0) == inner, 1);
}

static void does_not(void) {
    char *large = pages(2);
    fails(ENOKEY, request_key, "user", "nothing", 0, 0);
    fails(ENOKEY, request_key, "nothing", "x", 0, 0);
    fails(EPERM, request_key, ".x", "x", 0, 0);
    fails(EPERM, request_key, "keyring", "nothing", "told", 0);
    fails(EINVAL, request_key, "", "x", 0, 0);
    fails(EFAULT, request_key, BAD, "x", 0, 0);
    fails(EFAULT, request_key, "user", BAD, 0, 0);
    fails(EFAULT, request_key, "user", 0, 0, 0);
    fails(EFAULT, request_key, "user", "x", BAD, 0);
    fails(EINVAL, request_key, "user", "x", 0, -9);
    fails(ENOKEY, request_key, "user", "x", 0, 1);
    memset(large, 'x', 4096);
    fails(EINVAL, request_key, "user", large, 0, 0);
    fails(EINVAL, request_key, "user", "x", large, 0);
    fails(EINVAL, request_key, "logon", "no colon", "told", 0);
}

/* There is nobody who would make it: that is known for a while. */
static void negative(void) {
    fails(ENOENT, request_key, "user", "not made", "told", SESSION);
    fails(ENOKEY, request_key, "user", "not made", "told", SESSION);
    fails(ENOKEY, request_key, "user", "not made", 0, 0);
    fails(ENOKEY, keyctl, KEYCTL_SEARCH, SESSION, "user", "not made", 0);
    long key = works(add_key, "user", "not made", "now", 3, SESSION);
    is("it", works(request_key, "user", "not made", 0, 0) == key, 1);
}

/* The one ring that could be searched has one that is not to be had. */
static void not_to_be_had(void) {
    long key = works(add_key, "user", "revoked", "x", 1, SESSION);
    gives(0, keyctl, KEYCTL_REVOKE, key);
    fails(EKEYREVOKED, request_key, "user", "revoked", 0, 0);
    key = works(add_key, "user", "hidden", "x", 1, SESSION);
    gives(0, keyctl, KEYCTL_SETPERM, key, 0x27270000);
    fails(EACCES, request_key, "user", "hidden", 0, 0);
}

static void in_states(void) {
    long key = works(add_key, "user", "ending", "x", 1, SESSION);
    long other = works(add_key, "user", "other", "x", 1, SESSION);
    fails(ENOTDIR, request_key, "user", "ending", 0, other);
    gives(0, keyctl, KEYCTL_SETPERM, key, 0x2f2f0000);
    is("it", works(request_key, "user", "ending", 0, 0) == key, 1);
    fails(EACCES, request_key, "user", "ending", 0, THREAD);
    gives(0, keyctl, KEYCTL_SETPERM, key, 0x27270000);
    fails(ENOKEY, request_key, "user", "ending", 0, 0);
    long ring = works(add_key, "keyring", "late", 0, 0, SESSION);
    gives(0, keyctl, KEYCTL_SET_TIMEOUT, ring, 1);
    key = works(add_key, "user", "late", "x", 1, SESSION);
    gives(0, keyctl, KEYCTL_SET_TIMEOUT, key, 1);
    doze(1100);
    fails(EKEYEXPIRED, request_key, "user", "x", 0, ring);
    fails(ENOKEY, request_key, "user", "late", 0, 0);
    fails(EKEYEXPIRED, keyctl, KEYCTL_SEARCH, SESSION, "user", "late", 0);
    ring = works(add_key, "keyring", "closed", 0, 0, SESSION);
    gives(0, keyctl, KEYCTL_RESTRICT_KEYRING, ring, 0, 0);
    fails(EPERM, request_key, "user", "other", 0, ring);
    fails(EPERM, add_key, "user", "x", "x", 1, ring);
}

static void too_much(void) {
    char *large = pages(8);
    be(SOMEBODY);
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    long key = works(add_key, "user", "small", "x", 1, THREAD);
    long room = 20000;
    while (room > 0 && abi_call(add_key, "user", "large", large, room, SESSION) < 0)
        room -= 1;
    is("it is full", room > 0, 1);
    fails(EDQUOT, request_key, "user", "small", 0, SESSION);
    fails(EDQUOT, keyctl, KEYCTL_LINK, key, SESSION);
}

/* Where what is asked for goes. */
static void defaults(void) {
    gives(0, keyctl, KEYCTL_SET_REQKEY_KEYRING, -1);
    gives(0, keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_PROCESS_KEYRING);
    gives(2, keyctl, KEYCTL_SET_REQKEY_KEYRING, -1);
    fails(ENOENT, request_key, "user", "goes there", "told", 0);
    int numbers[8];
    is("in the process's", abi_call(keyctl, KEYCTL_READ, PROCESS, numbers, sizeof numbers), 4);
    fails(EINVAL, keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_GROUP_KEYRING);
    fails(EINVAL, keyctl, KEYCTL_SET_REQKEY_KEYRING, 99);
    gives(2, keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_DEFAULT);
    gives(0, keyctl, KEYCTL_SET_REQKEY_KEYRING, KEY_REQKEY_DEFL_THREAD_KEYRING);
}

int main(void) {
    works(keyctl, KEYCTL_JOIN_SESSION_KEYRING, 0);
    in_child("finds", finds);
    in_child("does not", does_not);
    in_child("negative", negative);
    in_child("not to be had", not_to_be_had);
    in_child("states", in_states);
    in_child("too much", too_much);
    in_child("defaults", defaults);
    return 0;
}
