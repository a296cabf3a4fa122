/*
 * Files that cannot be executed: cut off, spoilt, led astray; and how execve() says so.
 */
#include "abuse.h"

#include <elf.h>
#include <stddef.h>

static struct {
    Elf64_Ehdr header;
    Elf64_Phdr programs[4];
    char interpreter[64];
} bad;

/* A program of one page, before it is spoilt. */
static void good(void) {
    memset(&bad, 0, sizeof bad);
    memcpy(bad.header.e_ident, "\177ELF\2\1\1", 7);
    bad.header.e_type = ET_EXEC;
    bad.header.e_machine = EM_X86_64;
    bad.header.e_version = 1;
    bad.header.e_entry = 0x400000;
    bad.header.e_phoff = offsetof(__typeof__(bad), programs);
    bad.header.e_ehsize = sizeof bad.header;
    bad.header.e_phentsize = sizeof *bad.programs;
    bad.header.e_phnum = 1;
    bad.programs[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                   .p_flags = PF_R | PF_X,
                                   .p_vaddr = 0x400000,
                                   .p_filesz = sizeof bad,
                                   .p_memsz = sizeof bad,
                                   .p_align = 4096};
}

static void interpreter(const char *path) {
    good();
    strcpy(bad.interpreter, path);
    bad.programs[1] = (Elf64_Phdr){.p_type = PT_INTERP,
                                   .p_offset = offsetof(__typeof__(bad), interpreter),
                                   .p_filesz = strlen(path) + 1};
    bad.header.e_phnum = 2;
}

/* Exactly how: the error, or that the program ran. */
static void run(const char *what, const char *path) {
    int status;
    char *none[] = {(char *)"x", NULL};
    pid_t child = fork();
    if (child == 0) {
        execve(path, none, none + 1);
        say("%s: %s", what, strerrorname_np(errno));
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status)
        say_status(what, status);
}

/* Linux may find out when the old program has gone, and then kills: so only that nothing ran. */
static void run_refused(const char *what, const char *path) {
    int status, null = open("/dev/null", O_RDWR);
    char *none[] = {(char *)"x", NULL};
    pid_t child = fork();
    if (child == 0) {
        execve(path, none, none + 1);
        _exit(111);
    }
    close(null);
    waitpid(child, &status, 0);
    say("%s: %s", what, WIFSIGNALED(status) || WEXITSTATUS(status) == 111 ? "refused" : "ran");
}

static void try(const char *what) {
    make("bad", &bad, sizeof bad, 0755);
    run(what, "./bad");
}

static void try_refused(const char *what) {
    make("bad", &bad, sizeof bad, 0755);
    run_refused(what, "./bad");
}

static void cut_headers(void) {
    good();
    for (size_t size = 0; size < offsetof(__typeof__(bad), programs) + sizeof *bad.programs;
         size += size < 8 ? 1 : 13) {
        char what[40];
        make("bad", &bad, size, 0755);
        snprintf(what, sizeof what, "%zu bytes", size);
        run(what, "./bad");
    }
}

static void bad_headers(void) {
    good(), bad.header.e_machine = EM_ARM, try("another machine");
    good(), bad.header.e_type = ET_REL, try("an object file");
    good(), bad.header.e_ident[4] = 9, bad.header.e_phnum = 0, try("no programs");
    good(), bad.header.e_phnum = 0xffff, try("65535 programs");
    good(), bad.header.e_phentsize = 1, try("programs of one byte");
    good(), bad.header.e_phoff = ~0ul - 8, try("programs at the end of all");
    good(), bad.header.e_phoff = 1ul << 40, try("programs beyond the end");
    good(), bad.programs[0].p_filesz = 1ul << 60, try_refused("a segment of an exabyte");
    good(), bad.programs[0].p_memsz = ~0ul, try_refused("memory that wraps around");
    good(), bad.programs[0].p_memsz = 16, try_refused("less memory than file");
    good(), bad.programs[0].p_vaddr = 1ul << 63, try_refused("a segment of the kernel's");
    good(), bad.programs[0].p_vaddr = 0x400010, try_refused("a segment not aligned");
    good(), bad.programs[0].p_offset = 1ul << 62, try_refused("a segment from nowhere");
    good(), bad.programs[1] = bad.programs[0], bad.header.e_phnum = 2;
    bad.header.e_entry = 1ul << 63, try_refused("segments that overlap, and no entry");
}

static void bad_interpreters(void) {
    mkdir("directory", 0755);
    make("plain", "#!/bin/true\n", 12, 0644);
    make("empty", "", 0, 0755);
    make("short", image, 100, 0755);
    make("text", "echo\n", 5, 0755);
    interpreter("./missing"), try("a missing interpreter");
    interpreter("./directory"), try("a directory as interpreter");
    interpreter("./plain"), try("an interpreter without x");
    interpreter("./empty"), try("an empty interpreter");
    interpreter("./short"), try_refused("an interpreter cut off");
    interpreter("./text"), try_refused("a text as interpreter");
    interpreter("./bad"), try_refused("itself as interpreter");
    interpreter(""), try_refused("an interpreter without name");
    interpreter("./missing"), bad.programs[1].p_filesz = 1ul << 40;
    try("an interpreter with an endless name");
    interpreter("./missing"), bad.programs[1].p_filesz = 3, try("a name without end");
    interpreter("./missing"), bad.programs[1].p_offset = ~0ul - 4, try("a name from nowhere");
}

void exec(void) {
    cut_headers();
    bad_headers();
    bad_interpreters();
    run("a directory", "./directory");
    run("a file without x", "./plain");
    run("an empty file", "./empty");
    make("loop", "#!./loop\n", 9, 0755);
    run("a script of itself", "./loop");
    make("a", "#!./b\n", 6, 0755);
    make("b", "#!./a\n", 6, 0755);
    run("scripts of each other", "./a");
    make("into", "#!./directory\n", 14, 0755);
    run("a script of a directory", "./into");
    /* Cut in its segments: it may begin and be killed, or not begin. */
    for (size_t at = 64; at < image_size; at += image_size / 7) {
        make("cut", image, at, 0755);
        run_refused("a program cut off", "./cut");
    }
}
