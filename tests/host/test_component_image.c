/*
 * The reader of components: what is laid out where, and every reason to refuse a file.
 */
#include "image.h"

#include "component_sample.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WANTED 0xffffffff80123456ul
#define BASE   0xffffffffc0000000ul

static char why[256];

static int check(const struct sample *file) {
    struct component_image image;
    why[0] = 0;
    return component_check(&image, (const uint8_t *)file, sizeof *file, why, sizeof why);
}

static void assert_refused(const struct sample *file, const char *reason) {
    assert_int_equal(check(file), -ENOEXEC);
    if (!strstr(why, reason))
        fail_msg("refused because '%s', not '%s'", why, reason);
}

static uintptr_t resolve(const char *symbol, char *reason, size_t size) {
    if (!strcmp(symbol, "k42_create.01234567"))
        return WANTED;
    snprintf(reason, size, "no %s", symbol);
    return 0;
}

static Elf64_Dyn *tag(struct sample *file, int64_t wanted) {
    Elf64_Dyn *at = file->constants.dynamic;
    while (at->d_tag != wanted && at->d_tag != DT_NULL)
        at++;
    return at;
}

/* ---- what is accepted ---- */

static void a_component_is_placed_and_relocated(void **state) {
    struct sample file = sample();
    struct component_image image;
    uint8_t *memory = calloc(1, 3 * COMPONENT_PAGE);
    (void)state;
    assert_int_equal(component_check(&image, (uint8_t *)&file, sizeof file, why, sizeof why), 0);
    assert_int_equal(image.span, 3 * COMPONENT_PAGE);
    assert_int_equal(image.segments, 3);
    assert_int_equal(image.segment[0].protection, COMPONENT_READ | COMPONENT_EXECUTE);
    assert_int_equal(image.segment[1].protection, COMPONENT_READ);
    assert_int_equal(image.segment[2].protection, COMPONENT_READ | COMPONENT_WRITE);
    assert_int_equal(component_resolve(&image, resolve, why, sizeof why), 0);
    component_place(&image, memory, BASE, resolve);
    const struct sample_constants *constants = (void *)(memory + SAMPLE_CONSTANTS);
    const uint64_t *data = (void *)(memory + SAMPLE_DATA);
    assert_int_equal(data[0], BASE + 8);
    assert_int_equal(data[1], 77);
    assert_int_equal(constants->start[0], BASE);
    assert_int_equal(constants->table[0], BASE + SAMPLE_DATA + 4);
    assert_int_equal(constants->table[1], WANTED);
    assert_int_equal(image.starts, 1);
    free(memory);
}

static void a_symbol_that_is_not_offered_is_named(void **state) {
    struct sample file = sample();
    struct component_image image;
    (void)state;
    file.constants.strings[1] = 'K';
    assert_int_equal(component_check(&image, (uint8_t *)&file, sizeof file, why, sizeof why), 0);
    assert_int_equal(component_resolve(&image, resolve, why, sizeof why), -ENOENT);
    assert_string_equal(why, "no K42_create.01234567");
}

/* ---- the file ---- */

static void a_file_cut_anywhere_is_refused(void **state) {
    struct sample file = sample();
    struct component_image image;
    (void)state;
    for (size_t size = 0; size < sizeof file; size++)
        assert_int_equal(component_check(&image, (uint8_t *)&file, size, why, sizeof why),
                         -ENOEXEC);
}

static void another_kind_of_file_is_refused(void **state) {
    struct sample file = sample();
    (void)state;
    file.header.e_ident[0] = '#';
    assert_refused(&file, "no ELF file");
    file = sample();
    file.header.e_machine = EM_AARCH64;
    assert_refused(&file, "another machine");
    file = sample();
    file.header.e_type = ET_REL;
    assert_refused(&file, "./k42 build");
    file = sample();
    file.header.e_phnum = 200;
    assert_refused(&file, "table of segments");
    file = sample();
    file.header.e_phoff = ~0ul - 8;
    assert_refused(&file, "table of segments");
}

/* ---- segments ---- */

static void what_is_written_and_executed_is_refused(void **state) {
    struct sample file = sample();
    (void)state;
    file.programs[0].p_flags |= PF_W;
    assert_refused(&file, "both written and executed");
}

static void segments_that_cannot_be_pages_of_their_own_are_refused(void **state) {
    struct sample file = sample();
    (void)state;
    file.programs[1].p_vaddr += 8;
    assert_refused(&file, "pages of their own");
    file = sample();
    file.programs[1].p_vaddr = 0;
    assert_refused(&file, "pages of their own");
    file = sample();
    file.programs[2].p_memsz = COMPONENT_SIZE_MAX;
    assert_refused(&file, "larger");
    file = sample();
    file.programs[2].p_vaddr = ~0xffful;
    assert_refused(&file, "larger");
    file = sample();
    file.programs[2].p_filesz = 17;
    assert_refused(&file, "beyond the end");
    file = sample();
    file.programs[2].p_offset = ~0ul;
    assert_refused(&file, "beyond the end");
}

static void programs_and_thread_local_variables_are_refused(void **state) {
    struct sample file = sample();
    (void)state;
    file.programs[2].p_type = PT_INTERP;
    assert_refused(&file, "program");
    file = sample();
    file.programs[2].p_type = PT_TLS;
    assert_refused(&file, "thread-local");
}

/* ---- the dynamic part ---- */

static void a_dynamic_part_is_needed(void **state) {
    struct sample file = sample();
    (void)state;
    file.programs[3].p_type = PT_NOTE;
    assert_refused(&file, "no dynamic part");
    file = sample();
    file.programs[3].p_vaddr = SAMPLE_DATA + 8;
    assert_refused(&file, "damaged");
    file = sample();
    file.programs[3].p_filesz = 32;
    assert_refused(&file, "no end");
}

static void what_components_do_not_have_is_refused(void **state) {
    struct sample file = sample();
    (void)state;
    tag(&file, DT_FLAGS)->d_tag = DT_NEEDED;
    assert_refused(&file, "another library");
    file = sample();
    tag(&file, DT_FLAGS)->d_un.d_val = DF_TEXTREL;
    assert_refused(&file, "text is to be relocated");
    file = sample();
    tag(&file, DT_FLAGS)->d_tag = DT_FINI_ARRAY;
    assert_refused(&file, "do not have");
    file = sample();
    tag(&file, DT_RELAENT)->d_un.d_val = 16;
    assert_refused(&file, "no known form");
}

static void tables_outside_are_refused(void **state) {
    static const int64_t tables[] = {DT_HASH, DT_STRTAB, DT_SYMTAB, DT_RELA};
    (void)state;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        struct sample file = sample();
        tag(&file, tables[i])->d_un.d_ptr = 0x2ff8;
        assert_refused(&file, "damaged");
        file = sample();
        tag(&file, tables[i])->d_un.d_ptr = ~0ul - 16;
        assert_refused(&file, "damaged");
    }
    struct sample file = sample();
    file.constants.hash[1] = 0x7fffffff;
    assert_refused(&file, "damaged");
}

/* ---- symbols ---- */

static void damaged_symbols_are_refused(void **state) {
    struct sample file = sample();
    (void)state;
    memset(file.constants.strings, 'x', sizeof file.constants.strings);
    assert_refused(&file, "no end");
    file = sample();
    file.constants.symbols[SAMPLE_WANTED].st_name = 48;
    assert_refused(&file, "name is damaged");
    file = sample();
    file.constants.symbols[SAMPLE_OWN].st_value = 0x3001;
    assert_refused(&file, "symbol own is not inside");
    file = sample();
    file.constants.symbols[SAMPLE_OWN].st_info = STT_GNU_IFUNC;
    assert_refused(&file, "symbol own is of a kind");
}

/* ---- relocations ---- */

static void relocations_that_do_not_fit_are_refused(void **state) {
    struct sample file = sample();
    (void)state;
    file.constants.relocations[SAMPLE_RELATIVE].r_offset = SAMPLE_TEXT + 8;
    assert_refused(&file, "text is to be relocated");
    file = sample();
    file.constants.relocations[SAMPLE_RELATIVE].r_offset = SAMPLE_DATA + 9;
    assert_refused(&file, "not inside");
    file = sample();
    file.constants.relocations[SAMPLE_RELATIVE].r_offset = ~0ul - 3;
    assert_refused(&file, "not inside");
    file = sample();
    file.constants.relocations[SAMPLE_RELATIVE].r_addend = 0x3001;
    assert_refused(&file, "no known kind");
    file = sample();
    file.constants.relocations[SAMPLE_GLOBAL].r_info = ELF64_R_INFO(1, R_X86_64_PC32);
    assert_refused(&file, "no known kind");
    file = sample();
    file.constants.relocations[SAMPLE_GLOBAL].r_info = ELF64_R_INFO(3, R_X86_64_GLOB_DAT);
    assert_refused(&file, "symbol is none");
}

/* ---- starts ---- */

static void functions_to_start_with_are_in_the_text(void **state) {
    struct sample file = sample();
    (void)state;
    file.constants.relocations[SAMPLE_START].r_addend = SAMPLE_DATA;
    assert_refused(&file, "not in its text");
    file = sample();
    file.constants.relocations[SAMPLE_RELATIVE].r_offset = SAMPLE_AT(start) + 4;
    assert_refused(&file, "not in its text");
    file = sample();
    tag(&file, DT_INIT_ARRAYSZ)->d_un.d_val = 16;
    assert_refused(&file, "not in its text");
    file = sample();
    tag(&file, DT_INIT_ARRAY)->d_un.d_ptr = ~0ul;
    assert_refused(&file, "not in its text");
    file = sample();
    tag(&file, DT_INIT_ARRAYSZ)->d_un.d_val = ~0ul;
    assert_refused(&file, "too many");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_component_is_placed_and_relocated),
        cmocka_unit_test(a_symbol_that_is_not_offered_is_named),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(another_kind_of_file_is_refused),
        cmocka_unit_test(what_is_written_and_executed_is_refused),
        cmocka_unit_test(segments_that_cannot_be_pages_of_their_own_are_refused),
        cmocka_unit_test(programs_and_thread_local_variables_are_refused),
        cmocka_unit_test(a_dynamic_part_is_needed),
        cmocka_unit_test(what_components_do_not_have_is_refused),
        cmocka_unit_test(tables_outside_are_refused),
        cmocka_unit_test(damaged_symbols_are_refused),
        cmocka_unit_test(relocations_that_do_not_fit_are_refused),
        cmocka_unit_test(functions_to_start_with_are_in_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
