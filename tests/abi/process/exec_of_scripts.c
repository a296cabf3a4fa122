/* Scripts: their interpreter, its one argument, interpreters that are scripts, and none. */
#include "abi.h"

static void script(const char *name, const char *text) {
    put(name, text);
    chmod(name, 0755);
}

static void run(const char *what, const char *name) {
    char *words[] = {"zero", "first", NULL}, *none[] = {NULL};
    int child = fork();
    if (!child) {
        execve(name, words, none);
        say("%s: %s", what, strerrorname_np(errno));
        _exit(9);
    }
    int status;
    waitpid(child, &status, 0);
    say("%s: %d", what, WEXITSTATUS(status));
}

int main(void) {
    script("plain", "#!/bin/sh\nexit $#\n");
    script("argument", "#!/bin/sh -e\nfalse\nexit 0\n");
    script("spaces", "#! \t /bin/sh   \t\nexit 4\n");
    script("nested", "#!./plain\n");
    script("missing", "#!/no/such\n");
    script("empty", "#!\n");
    script("folder", "#!/tmp\n");
    script("text", "exit 3\n");
    script("nothing", "");
    put("closed", "#!/bin/sh\n");
    run("plain", "./plain");
    run("argument", "./argument");
    run("spaces", "./spaces");
    run("nested", "./nested");
    run("missing", "./missing");
    run("empty", "./empty");
    run("folder", "./folder");
    run("text", "./text");
    run("nothing", "./nothing");
    run("closed", "./closed");
    char *none[] = {NULL};
    fails(EACCES, execve, "./closed", none, none);
    fails(ENOEXEC, execve, "./text", none, none);
    fails(ENOENT, execve, "./missing", none, none);
}
