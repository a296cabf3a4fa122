/* What a program gets to see: words, environment, name, auxiliary vector; scripts' first lines. */
#include "abi.h"

#include <elf.h>
#include <sys/auxv.h>

static char *variables[] = {"A=1", "EMPTY=", "novalue", "A=2", "PATH=/usr/bin:/bin", NULL};

static void odd_words(void) {
    char *words[] = {"sh",     "-c", "for a; do echo \"[$a]\"; done", "", "", "a b", "\t\n",
                     "\377\1", NULL};
    ends(execve, "/bin/sh", words, variables);
}

static void no_words(void) {
    char *words[] = {NULL};
    ends(execve, "/bin/true", words, NULL);
}

static void environment_of_it(void) {
    char *words[] = {"cat", "/proc/self/environ", NULL};
    ends(execve, "/bin/cat", words, variables);
}

static void words_of_it(void) {
    char *words[] = {"another name", "/proc/self/cmdline", NULL};
    ends(execve, "/bin/cat", words, variables);
}

static void name_of_it(void) {
    char *words[] = {"x", "/proc/self/comm", NULL};
    symlink("/bin/cat", "a_name_of_more_than_sixteen");
    ends(execve, "a_name_of_more_than_sixteen", words, variables);
}

static void script(void) {
    char *words[] = {"zero", "one", "two words", NULL};
    ends(execve, "./script", words, variables);
}

static void run(const char *what, const char *line) {
    put("script", line);
    chmod("script", 0755);
    in_child(what, script);
}

static void main_of(void) {
    unsigned long kinds[] = {AT_PAGESZ, AT_PHENT, AT_CLKTCK, AT_UID,  AT_EUID,
                             AT_GID,    AT_EGID,  AT_SECURE, AT_FLAGS};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        say("%lu: %lu", kinds[i], getauxval(kinds[i]));
    say("%s", (char *)getauxval(AT_PLATFORM));
    is("random", getauxval(AT_RANDOM) != 0, 1);
    is("entry", getauxval(AT_ENTRY) != 0, 1);
    is("headers", getauxval(AT_PHDR) != 0, 1);
    is("vdso", *(unsigned *)getauxval(AT_SYSINFO_EHDR), 0x464c457f);
    say("%.20s", (char *)getauxval(AT_EXECFN));
}

int main(void) {
    main_of();
    in_child("odd words", odd_words);
    in_child("no words", no_words);
    in_child("environment", environment_of_it);
    in_child("words", words_of_it);
    in_child("name", name_of_it);
    run("plain", "#!/bin/echo\n");
    run("a word", "#!/bin/echo word\n");
    run("two are one", "#!/bin/echo two  words \n");
    run("spaces", "#!   /bin/echo   -n   \n");
    run("tab", "#!\t/bin/echo\tx\n");
    run("no end", "#!/bin/echo last");
    run("relative", "#!../../bin/echo x\n");
    symlink("/bin/echo", "echo");
    run("here", "#!./echo here\n");
    /* A script whose interpreter is a script. */
    put("first", "#!/bin/echo first\n");
    chmod("first", 0755);
    run("nested", "#!./first and\n");
    char deep[64], name[16];
    put("n0", "#!/bin/echo deep\n");
    chmod("n0", 0755);
    for (int i = 1; i < 7; i++) {
        snprintf(deep, sizeof deep, "#!./n%d\n", i - 1);
        snprintf(name, sizeof name, "n%d", i);
        put(name, deep);
        chmod(name, 0755);
    }
    char *words[] = {"x", NULL};
    fails(ELOOP, execve, "./n6", words, variables);
    put("script", "#!\n");
    fails(ENOEXEC, execve, "./script", words, variables);
    put("script", "#!   \n");
    fails(ENOEXEC, execve, "./script", words, variables);
    put("script", "#!/bin/none\n");
    fails(ENOENT, execve, "./script", words, variables);
    put("script", "#!/tmp\n");
    fails(EACCES, execve, "./script", words, variables);
}
