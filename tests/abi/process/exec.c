/* execve and execveat: what runs, and everything refused. */
#include "abi.h"

static char *arguments[] = {"sh", "-c", "echo $0 $1 $FROM", "one", "two", NULL};
static char *variables[] = {"FROM=here", NULL};

static void runs(void) {
    ends(execve, "/bin/sh", arguments, variables);
}

static void runs_at(void) {
    int fd = open("/bin", O_PATH);
    ends(execveat, fd, "sh", arguments, variables, 0);
}

static void runs_open(void) {
    int fd = open("/bin/sh", O_PATH);
    ends(execveat, fd, "", arguments, variables, AT_EMPTY_PATH);
}

static void runs_script(void) {
    char *words[] = {"script", "word", NULL};
    ends(execve, "script", words, variables);
}

int main(void) {
    static char longest[140000];
    put("plain", "no program");
    put("empty", "");
    put("script", "#!/bin/sh -e\necho script $1 $FROM $0\n");
    put("elf", "\177ELF and no more of it than this, which is far too little to be run by anybody");
    put("no_interpreter", "#!/nothing/there\n");
    mkdir("d", 0755);
    in_child("execve", runs);
    in_child("execveat", runs_at);
    in_child("open", runs_open);
    fails(EACCES, execve, "plain", arguments, variables);
    fails(EACCES, execveat, AT_FDCWD, "plain", arguments, variables, 0);
    chmod("plain", 0755);
    chmod("empty", 0755);
    chmod("script", 0755);
    chmod("elf", 0755);
    chmod("no_interpreter", 0755);
    in_child("script", runs_script);
    fails(ENOEXEC, execve, "plain", arguments, variables);
    fails(ENOEXEC, execve, "empty", arguments, variables);
    fails(ENOEXEC, execve, "elf", arguments, variables);
    fails(ENOEXEC, execveat, AT_FDCWD, "plain", arguments, variables, 0);
    fails(ENOENT, execve, "no_interpreter", arguments, variables);
    fails(EACCES, execve, "d", arguments, variables);
    fails(EFAULT, execve, "/bin/sh", BAD, variables);
    fails(EFAULT, execve, "/bin/sh", arguments, BAD);
    fails(EINVAL, execveat, AT_FDCWD, "plain", arguments, variables, 0x8000);
    fails(EBADF, execveat, -1, "plain", arguments, variables, 0);
    fails(EBADF, execveat, -1, "", arguments, variables, AT_EMPTY_PATH);
    symlink("plain", "link");
    fails(ELOOP, execveat, AT_FDCWD, "link", arguments, variables, AT_SYMLINK_NOFOLLOW);
    memset(longest, 'x', sizeof longest - 1);
    arguments[1] = longest;
    fails(E2BIG, execve, "/bin/sh", arguments, variables);
    fails(E2BIG, execveat, AT_FDCWD, "/bin/sh", arguments, variables, 0);
}
