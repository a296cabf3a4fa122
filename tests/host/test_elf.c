/*
 * The reader of ELF headers, on headers made here and on this program's own file, and the reader of
 * scripts' first lines.
 */
#include "../../kernel/linux/exec/elf.h"
#include "../../kernel/linux/exec/script.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define END 0x7ffffffff000ul

/* A file of a header and some program headers, which tests change. */
struct sample {
    Elf64_Ehdr header;
    Elf64_Phdr programs[40];
};

static struct sample sample(void) {
    struct sample file = {
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_EXEC,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_entry = 0x401000,
                   .e_phoff = sizeof(Elf64_Ehdr),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 2},
        .programs = {{.p_type = PT_LOAD,
                      .p_flags = PF_R | PF_X,
                      .p_offset = 0,
                      .p_vaddr = 0x400000,
                      .p_filesz = 0x1800,
                      .p_memsz = 0x1800,
                      .p_align = 0x1000},
                     {.p_type = PT_LOAD,
                      .p_flags = PF_R | PF_W,
                      .p_offset = 0x1800,
                      .p_vaddr = 0x402800,
                      .p_filesz = 0x100,
                      .p_memsz = 0x3000,
                      .p_align = 0x1000}},
    };
    return file;
}

static int read_sample(const struct sample *file, struct elf_program *program) {
    int error = elf_read_header(program, (const uint8_t *)file, sizeof *file);
    if (error)
        return error;
    return elf_read_segments(program, (const uint8_t *)file + program->table_offset,
                             sizeof *file - program->table_offset, END);
}

static int read_changed(const struct sample *file) {
    struct elf_program program;
    return read_sample(file, &program);
}

static void segments_are_read_as_they_stand(void **state) {
    struct sample file = sample();
    struct elf_program program;
    (void)state;
    assert_int_equal(read_sample(&file, &program), 0);
    assert_false(program.movable);
    assert_int_equal(program.entry, 0x401000);
    assert_int_equal(program.segments, 2);
    assert_int_equal(program.low, 0x400000);
    assert_int_equal(program.high, 0x406000);
    assert_int_equal(program.table_address, 0x400040);
    assert_int_equal(program.segment[0].protection, ELF_READ | ELF_EXECUTE);
    assert_int_equal(program.segment[1].protection, ELF_READ | ELF_WRITE);
    assert_int_equal(program.segment[1].memory_size, 0x3000);
    assert_int_equal(program.stack, ELF_STACK_DEFAULT);
    assert_int_equal(program.interpreter_size, 0);
}

static void what_is_no_program_of_this_machine_is_refused(void **state) {
    (void)state;
    struct sample file = sample();
    file.header.e_ident[0] = 'x';
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file = sample();
    file.header.e_ident[EI_CLASS] = ELFCLASS32;
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file = sample();
    file.header.e_machine = EM_AARCH64;
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file = sample();
    file.header.e_type = ET_REL;
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file = sample();
    file.header.e_phentsize = 32;
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file = sample();
    file.header.e_phnum = 0;
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file.header.e_phnum = 1171;
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file = sample();
    file.header.e_phoff = UINT64_MAX - 10;
    assert_int_equal(read_changed(&file), -ENOEXEC);
}

static void a_truncated_header_is_refused(void **state) {
    struct sample file = sample();
    struct elf_program program;
    (void)state;
    assert_int_equal(elf_read_header(&program, (const uint8_t *)&file, 63), -ENOEXEC);
    assert_int_equal(elf_read_header(&program, (const uint8_t *)&file, 64), 0);
    assert_int_equal(elf_read_segments(&program, (const uint8_t *)file.programs,
                                       2 * sizeof(Elf64_Phdr) - 1, END),
                     -ENOEXEC);
}

static void segments_that_cannot_be_laid_out_are_refused(void **state) {
    (void)state;
    struct sample file = sample();
    file.programs[0].p_filesz = 0x1801;
    assert_int_equal(read_changed(&file), -EINVAL); /* more of the file than of memory */
    file = sample();
    file.programs[1].p_memsz = END;
    assert_int_equal(read_changed(&file), -EINVAL);
    file = sample();
    file.programs[1].p_vaddr = END - 0x2800 + 0x1000;
    assert_int_equal(read_changed(&file), -EINVAL);
    file = sample();
    file.programs[1].p_vaddr = UINT64_MAX - 0x7ff;
    assert_int_equal(read_changed(&file), -EINVAL);
    file = sample();
    file.programs[1].p_offset = 0x1801;
    assert_int_equal(read_changed(&file), -EINVAL); /* not the same within a page */
    file = sample();
    file.programs[1].p_vaddr = 0x401800;
    assert_int_equal(read_changed(&file), -EINVAL); /* in the page of the other one */
    file = sample();
    file.programs[1].p_vaddr = 0x3ff800;
    assert_int_equal(read_changed(&file), -EINVAL); /* before the other one */
    file = sample();
    file.programs[1].p_offset = INT64_MAX - 0x7ff;
    file.programs[1].p_filesz = 0x3000;
    assert_int_equal(read_changed(&file), -EINVAL);
}

static void a_program_needs_a_segment(void **state) {
    struct sample file = sample();
    (void)state;
    file.programs[0].p_type = file.programs[1].p_type = PT_NOTE;
    assert_int_equal(read_changed(&file), -EINVAL);
}

static void there_are_at_most_so_many_segments(void **state) {
    struct sample file = sample();
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        file.programs[i] = file.programs[0];
        file.programs[i].p_vaddr = 0x400000 + i * 0x2000;
    }
    file.header.e_phnum = ELF_SEGMENTS_MAX;
    assert_int_equal(read_changed(&file), 0);
    file.header.e_phnum = ELF_SEGMENTS_MAX + 1;
    assert_int_equal(read_changed(&file), -ENOMEM);
}

static void interpreter_and_stack_are_noticed(void **state) {
    struct sample file = sample();
    struct elf_program program;
    (void)state;
    file.header.e_phnum = 4;
    file.programs[2] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x300, .p_filesz = 28};
    file.programs[3] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
    assert_int_equal(read_sample(&file, &program), 0);
    assert_int_equal(program.interpreter_offset, 0x300);
    assert_int_equal(program.interpreter_size, 28);
    assert_int_equal(program.stack, ELF_STACK_PLAIN);
    file.programs[3].p_flags |= PF_X;
    assert_int_equal(read_sample(&file, &program), 0);
    assert_int_equal(program.stack, ELF_STACK_EXECUTABLE);
    file.programs[2].p_filesz = 1;
    assert_int_equal(read_changed(&file), -ENOEXEC);
    file.programs[2].p_filesz = 4097;
    assert_int_equal(read_changed(&file), -ENOEXEC);
}

static void alignment_is_the_largest_sensible_one(void **state) {
    struct sample file = sample();
    struct elf_program program;
    (void)state;
    file.header.e_type = ET_DYN;
    file.programs[0].p_align = 0x200000;
    file.programs[1].p_align = 0x300000; /* no power of two */
    assert_int_equal(read_sample(&file, &program), 0);
    assert_true(program.movable);
    assert_int_equal(program.alignment, 0x200000);
}

static void this_programs_own_file_is_read(void **state) {
    static uint8_t bytes[65536];
    struct elf_program program;
    (void)state;
    FILE *file = fopen("/proc/self/exe", "rb");
    assert_non_null(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_int_equal(elf_read_header(&program, bytes, size), 0);
    assert_int_equal(
        elf_read_segments(&program, bytes + program.table_offset, size - program.table_offset, END),
        0);
    assert_true(program.interpreter_size > 2);
    assert_string_equal((char *)bytes + program.interpreter_offset, "/lib64/ld-linux-x86-64.so.2");
    assert_true(program.table_address >= program.low && program.table_address < program.high);
}

/* ---- scripts ---- */

static void expect_script(const char *text, const char *interpreter, const char *argument) {
    struct script script;
    assert_int_equal(script_read(&script, text, strlen(text)), 0);
    assert_string_equal(script.interpreter, interpreter);
    assert_string_equal(script.argument, argument);
}

static void interpreter_and_its_one_argument_are_read(void **state) {
    (void)state;
    expect_script("#!/bin/sh\necho", "/bin/sh", "");
    expect_script("#! /bin/sh \t\n", "/bin/sh", "");
    expect_script("#!\t/usr/bin/env  python3 -u  \nx", "/usr/bin/env", "python3 -u");
    expect_script("#!/bin/sh", "/bin/sh", "");
    expect_script("#!/bin/sh -e", "/bin/sh", "-e");
}

static void what_names_no_interpreter_is_no_script(void **state) {
    struct script script;
    char line[400];
    (void)state;
    assert_int_equal(script_read(&script, "#", 1), -ENOEXEC);
    assert_int_equal(script_read(&script, "echo", 4), -ENOEXEC);
    assert_int_equal(script_read(&script, "#!\n/bin/sh", 10), -ENOEXEC);
    assert_int_equal(script_read(&script, "#!   \n", 6), -ENOEXEC);
    memset(line, 'x', sizeof line);
    memcpy(line, "#!/", 3);
    assert_int_equal(script_read(&script, line, sizeof line), -ENOEXEC);
    line[100] = ' ';
    assert_int_equal(script_read(&script, line, sizeof line), 0);
    assert_int_equal(strlen(script.interpreter), 98);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_are_read_as_they_stand),
        cmocka_unit_test(what_is_no_program_of_this_machine_is_refused),
        cmocka_unit_test(a_truncated_header_is_refused),
        cmocka_unit_test(segments_that_cannot_be_laid_out_are_refused),
        cmocka_unit_test(a_program_needs_a_segment),
        cmocka_unit_test(there_are_at_most_so_many_segments),
        cmocka_unit_test(interpreter_and_stack_are_noticed),
        cmocka_unit_test(alignment_is_the_largest_sensible_one),
        cmocka_unit_test(this_programs_own_file_is_read),
        cmocka_unit_test(interpreter_and_its_one_argument_are_read),
        cmocka_unit_test(what_names_no_interpreter_is_no_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
