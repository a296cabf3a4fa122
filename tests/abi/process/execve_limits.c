/* How much execve() takes along: one word, all words, by the limit of the stack. */
#include "abi.h"

static char *words[70000], longest[140000];

static void sum(void) {
    ends(execve, "/bin/true", words, NULL);
}

static void with_stack(long bytes) {
    struct rlimit stack = {bytes, RLIM_INFINITY};
    setrlimit(RLIMIT_STACK, &stack);
}

/* So many words of 1,000 bytes. */
static void have(int count) {
    for (int i = 0; i < count; i++)
        words[i] = longest + sizeof longest - 1000;
    words[count] = NULL;
}

int main(void) {
    memset(longest, 'x', sizeof longest - 1);
    /* One word is at most 32 pages, its end counted. */
    words[0] = longest + sizeof longest - 131072;
    in_child("longest word", sum);
    words[0]--;
    fails(E2BIG, execve, "/bin/true", words, NULL);
    char *variable[] = {longest + sizeof longest - 131073, NULL};
    have(1);
    fails(E2BIG, execve, "/bin/true", words, variable);
    /* All are at most a quarter of the stack's limit, but 32 pages at least. */
    with_stack(4 << 20);
    have(950);
    in_child("close to a quarter of 4 MiB", sum);
    have(1100);
    fails(E2BIG, execve, "/bin/true", words, NULL);
    with_stack(8 << 20);
    in_child("within a quarter of 8 MiB", sum);
    with_stack(200 << 10);
    have(100);
    in_child("128 KiB at least", sum);
    have(140);
    fails(E2BIG, execve, "/bin/true", words, NULL);
    /* Pointers count, too. */
    with_stack(1 << 20);
    for (int i = 0; i < 25000; i++)
        words[i] = "";
    words[25000] = NULL;
    in_child("25,000 empty words", sum);
    for (int i = 0; i < 35000; i++)
        words[i] = "";
    words[35000] = NULL;
    fails(E2BIG, execve, "/bin/true", words, NULL);
}
