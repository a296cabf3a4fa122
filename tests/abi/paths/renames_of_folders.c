/* rename and renameat2 with folders: trees, dots, into themselves, exchanges, who may. */
#include "abi.h"

static void try(const char *from, const char *to, unsigned flags) {
    long result = abi_call(renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
    say("%s -> %s, %u: %s", from, to, flags, result ? strerrorname_np(errno) : "done");
}

static void somebody(void) {
    be(SOMEBODY);
    try("theirs/folder", "theirs/moved", 0);
    try("theirs/folder", "mine/moved", 0);
    try("mine/own", "mine/moved", 0);
    try("mine/moved", "mine/own", 0);
    /* Somebody else's folder cannot be given another parent: its '..' would be written. */
    try("mine/root's", "mine/sub/root's", 0);
    try("mine/root's", "mine/renamed", 0);
    try("mine/own", "mine/sub/own", 0);
    try("mine/renamed", "mine/sub/own", RENAME_EXCHANGE);
}

int main(void) {
    const char *made[] = {"a",    "a/b",      "a/b/c",    "d",
                          "e",    "e/full",   "theirs",   "theirs/folder",
                          "mine", "mine/own", "mine/sub", "mine/root's"};
    for (unsigned i = 0; i < sizeof made / sizeof *made; i++)
        mkdir(made[i], 0755);
    put("f", "file");
    put("g", "other");
    symlink("a", "l");
    symlink("nothing", "dangling");
    chown("mine", SOMEBODY, SOMEBODY);
    chown("mine/own", SOMEBODY, SOMEBODY);
    chown("mine/sub", SOMEBODY, SOMEBODY);
    const char *pairs[][2] = {
        {"a", "a"},        {"a", "a/"},       {"a", "a/b"},    {"a", "a/b/c/d"}, {"a/b", "a"},
        {"a/b/c", "a"},    {"a", "d"},        {"d", "a"},      {"a", "e"},       {"a", "f"},
        {"f", "a"},        {"f", "d"},        {"f", "l"},      {"l", "f"},       {"f", "f/x"},
        {"a", "l"},        {"a", "l/x"},      {"a/.", "x"},    {"a/b/..", "x"},  {"..", "x"},
        {"f", "dangling"}, {"dangling", "g"}, {"a", "none/x"}, {"none", "x"},    {"none/x", "x"},
        {"d/", "y/"},      {"g", "y/"},       {"y", "d"},      {"", "x"},        {"f", ""},
        {"l", "l2"}};
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++)
        try(pairs[i][0], pairs[i][1], 0);
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++)
        try(pairs[i][0], pairs[i][1], RENAME_NOREPLACE);
    for (unsigned i = 0; i < sizeof pairs / sizeof *pairs; i++)
        try(pairs[i][0], pairs[i][1], RENAME_EXCHANGE);
    in_child("somebody", somebody);
}
