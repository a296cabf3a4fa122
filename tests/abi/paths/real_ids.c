/* access() asks with the real ids, AT_EACCESS with the effective ones. */
#include "abi.h"

static void ask(const char *path) {
    int modes[] = {F_OK, R_OK, W_OK, X_OK, R_OK | W_OK, R_OK | W_OK | X_OK};
    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
        long real = abi_call(access, path, modes[i]);
        long effective = abi_call(faccessat2, AT_FDCWD, path, modes[i], AT_EACCESS);
        say("%s %d: %ld %ld", path, modes[i], real, effective);
    }
}

static void all(const char *who) {
    say("%s", who);
    ask("root's");
    ask("mine");
    ask("group's");
    ask("anybody's");
    ask("program");
    ask("folder");
    ask("folder/file");
    ask("closed/file");
}

static void real_root(void) {
    setresuid(0, SOMEBODY, 0);
    all("real root");
}

static void effective_root(void) {
    setresuid(SOMEBODY, 0, 0);
    all("effective root");
}

static void by_group(void) {
    setresgid(77, SOMEBODY, SOMEBODY);
    setresuid(99, 99, 99);
    all("by real group");
}

static void make(const char *path, int mode, int user, int group) {
    put(path, "");
    chown(path, user, group);
    chmod(path, mode);
}

int main(void) {
    make("root's", 0600, 0, 0);
    make("mine", 0600, SOMEBODY, SOMEBODY);
    make("group's", 0070, 0, 77);
    make("anybody's", 0006, 0, 0);
    make("program", 0111, 0, 0);
    mkdir("folder", 0755);
    make("folder/file", 0644, 0, 0);
    mkdir("closed", 0700);
    make("closed/file", 0777, 0, 0);
    all("root");
    in_child("one", real_root);
    in_child("two", effective_root);
    in_child("three", by_group);
    fails(EINVAL, access, "mine", 8);
    fails(EINVAL, faccessat2, AT_FDCWD, "mine", R_OK, 0x8000);
}
