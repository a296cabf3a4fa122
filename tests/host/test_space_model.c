/*
 * Address spaces compared with a plain model, one record a page, of which a fork copies all: what
 * programs read is what they wrote, whatever is mapped, unmapped, protected, moved, forked and sent
 * out, at random.
 */
#include "paging_fixture.h"

#define BASE  0x10000000ul
#define BLOCK (LARGE / PAGE)
#define PAGES 4096u /* of the window: eight leaves */

static unsigned random_state = 1;

static unsigned random_below(unsigned limit) {
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) % limit;
}

struct model_page {
    bool mapped, file;
    unsigned protection;
    uint64_t value, initial;
};

struct program {
    space_ref space;
    struct model_page pages[PAGES];
};

enum { PROGRAMS = 4 };
static struct program *programs[PROGRAMS];
static k42_ref model_file;

static uintptr_t address_of(unsigned page) {
    return BASE + page * PAGE;
}

static void program_check(struct program *program, unsigned n) {
    struct model_page *page = &program->pages[n];
    uint64_t value = 0;
    k42_result result = program_read(program->space, address_of(n), &value);
    k42_result expected = !page->mapped ? -EFAULT : page->protection ? 0 : -EACCES;
    if (result != expected || (result == 0 && value != page->value))
        print_error("page %u: %ld, %lx; expected %ld, %lx\n", n, result, value, expected,
                    page->value);
    assert_int_equal(result, expected);
    if (result == 0)
        assert_int_equal(value, page->value);
}

static void do_map(struct program *program, unsigned first, unsigned count) {
    bool file = random_below(3) == 0;
    unsigned from = random_below(FILE_PAGES - 1);
    if (random_below(2)) /* such that blocks are blocks */
        from = first % BLOCK + random_below(2) * BLOCK;
    if (file && from + count > FILE_PAGES)
        count = FILE_PAGES - from;
    struct space_request request = {.address = address_of(first),
                                    .length = count * PAGE,
                                    .protection = random_below(4) ? SPACE_READ | SPACE_WRITE : 1,
                                    .most = SPACE_ALL,
                                    .flags = SPACE_FIXED | (random_below(3) ? 0 : SPACE_LARGE) |
                                             (file && from % 2 ? SPACE_OF_MEMORY : 0),
                                    .fcm = file ? model_file : K42_NULL_REF,
                                    .first = from};
    assert_int_equal(program_map(program->space, &request).result, 0);
    for (unsigned n = 0; n < count; n++) {
        uint64_t initial = file ? file_word(from + n) : 0;
        program->pages[first + n] =
            (struct model_page){true, file, request.protection, initial, initial};
    }
}

static void do_unmap(struct program *program, unsigned first, unsigned count) {
    assert_int_equal(program_unmap(program->space, address_of(first), count * PAGE), 0);
    memset(&program->pages[first], 0, count * sizeof(struct model_page));
}

static void do_protect(struct program *program, unsigned first, unsigned count) {
    static const unsigned kinds[] = {0, SPACE_READ, SPACE_READ | SPACE_WRITE,
                                     SPACE_READ | SPACE_WRITE};
    unsigned protection = kinds[random_below(4)];
    unsigned n = first;
    k42_result result =
        program_protect(program->space, address_of(first), count * PAGE, protection);
    for (; n < first + count && program->pages[n].mapped; n++)
        program->pages[n].protection = protection;
    assert_int_equal(result, n == first + count ? 0 : -ENOMEM);
}

/* Only within one region, whose ends the model does not know; where the result decides. */
static void do_move(struct program *program, unsigned first, unsigned count) {
    unsigned to = random_below(PAGES - count);
    struct space_move move = {.address = address_of(first),
                              .new_address = address_of(to),
                              .length = count * PAGE,
                              .new_length = count * PAGE,
                              .flags = SPACE_MAY_MOVE | SPACE_MOVE_TO};
    if (to < first + count && first < to + count)
        return;
    struct k42_pair place = program_resize(program->space, &move);
    if (place.result == -EFAULT)
        return;
    assert_int_equal(place.result, 0);
    memcpy(&program->pages[to], &program->pages[first], count * sizeof(struct model_page));
    memset(&program->pages[first], 0, count * sizeof(struct model_page));
}

static void do_discard(struct program *program, unsigned first, unsigned count) {
    bool gap = false;
    k42_result result = program_advise(program->space, address_of(first), count * PAGE, 4);
    for (unsigned n = first; n < first + count; n++) {
        program->pages[n].value = program->pages[n].initial;
        gap |= !program->pages[n].mapped;
    }
    assert_int_equal(result, gap ? -ENOMEM : 0);
}

static void do_write(struct program *program, unsigned first, unsigned count) {
    for (unsigned n = first; n < first + count; n++) {
        struct model_page *page = &program->pages[n];
        uint64_t value = random_below(1u << 20) + 1;
        k42_result result = program_write(program->space, address_of(n), value);
        assert_int_equal(result, !page->mapped                       ? -EFAULT
                                 : !(page->protection & SPACE_WRITE) ? -EACCES
                                                                     : 0);
        if (result == 0)
            page->value = value;
    }
}

static void do_read(struct program *program, unsigned first, unsigned count) {
    for (unsigned n = first; n < first + count; n++)
        program_check(program, n);
}

static void do_evict(struct program *program, unsigned first, unsigned count) {
    (void)program, (void)first, (void)count;
    for (unsigned n = 0; n < 8; n++)
        fixture_file_evict(model_file, random_below(FILE_PAGES));
}

static bool paging;

/* Some go out, some of those are forgotten by the cache; now and then all. */
static void do_page_out(struct program *program, unsigned first, unsigned count) {
    (void)program, (void)first;
    if (!paging)
        return;
    if (random_below(8) == 0)
        fixture_all_out();
    for (unsigned n = 0; n < count / 32; n++)
        (void)fixture_page_out(1 + random_below(64));
    k42_enter();
    (void)swap_give_back(random_below(200));
    k42_exit();
}

/* What is mapped is looked at page by page. */
static void count_mapping(space_ref space, const struct space_mapping *mapping,
                          struct space_census *census) {
    static uint8_t bytes[PAGES];
    size_t pages = (mapping->end - mapping->start) / PAGE;
    assert_true(k42_call(space, resident, mapping->start, pages * PAGE, bytes, pages) >= 0);
    for (size_t n = 0; n < pages; n++) {
        bool here = bytes[n] & SPACE_PAGE_HERE, private = bytes[n] & SPACE_PAGE_PRIVATE;
        census->out += !!(bytes[n] & SPACE_PAGE_OUT);
        census->private += here && private;
        *(mapping->flags & SPACE_OF_MEMORY ? &census->of_memory : &census->of_files) +=
            here && !private;
    }
}

static void do_count(struct program *program, unsigned first, unsigned count) {
    struct space_census wanted = {0}, census;
    struct space_mapping mapping = {.end = 0};
    struct space_usage usage;
    (void)first, (void)count;
    k42_enter();
    assert_int_equal(k42_call(program->space, usage, &usage), 0);
    assert_int_equal(k42_call(program->space, census, &census), 0);
    while (k42_call(program->space, find, mapping.end, 0, &mapping) >= 0)
        count_mapping(program->space, &mapping, &wanted);
    k42_exit();
    assert_memory_equal(&census, &wanted, sizeof census);
    assert_int_equal(usage.resident, wanted.private + wanted.of_files + wanted.of_memory);
    assert_int_equal(usage.out, wanted.out);
}

static void program_end(unsigned number) {
    fixture_end_space(programs[number]->space);
    free(programs[number]);
    programs[number] = NULL;
}

static void do_fork(struct program *program, unsigned first, unsigned count) {
    (void)first, (void)count;
    unsigned number = random_below(PROGRAMS);
    if (programs[number] == program)
        return;
    if (programs[number])
        program_end(number);
    programs[number] = malloc(sizeof(struct program));
    *programs[number] = *program;
    programs[number]->space = program_fork(program->space);
}

static void random_operation(void) {
    static void (*const operations[])(struct program *, unsigned, unsigned) = {
        do_map,   do_map,  do_unmap, do_protect, do_move,  do_discard,  do_write, do_write,
        do_write, do_read, do_read,  do_fork,    do_evict, do_page_out, do_count,
    };
    struct program *program;
    do
        program = programs[random_below(PROGRAMS)];
    while (!program);
    unsigned count = random_below(4) ? 1 + random_below(40) : 1 + random_below(1500);
    unsigned first = random_below(PAGES - count);
    operations[random_below(sizeof operations / sizeof *operations)](program, first, count);
}

static void run_model(unsigned seed, unsigned operations, k42_ref file) {
    random_state = seed;
    model_file = file;
    programs[0] = calloc(1, sizeof(struct program));
    programs[0]->space = fixture_space();
    for (unsigned n = 0; n < operations; n++)
        random_operation();
    for (unsigned n = 0; n < PROGRAMS; n++)
        if (programs[n]) {
            do_read(programs[n], 0, PAGES);
            program_end(n);
        }
    fixture_settle();
    assert_int_equal(fixture_attachments(model_file), 0);
    assert_int_equal(k42_destroy(model_file), 0);
    fixture_settle();
}

static void run_seeds(unsigned count) {
    const char *seeds = getenv("K42_SPACE_SEEDS");
    count = seeds ? (unsigned)atoi(seeds) : count;
    for (unsigned seed = 1; seed <= count; seed++) {
        uint64_t before = fixture_frames();
        run_model(seed, 600, seed % 2 ? fixture_file() : fixture_file_of_blocks());
        if (paging)
            fixture_swap_settle();
        if (fixture_frames() != before)
            print_error("seed %u: %ld frames\n", seed, (long)(fixture_frames() - before));
        assert_int_equal(fixture_frames(), before);
    }
}

static void programs_read_what_a_plain_model_says(void **state) {
    (void)state;
    run_seeds(8);
}

/* Programs that have ended leave nothing in the swap, which is full at times. */
static void the_same_while_pages_go_out_and_come_back(void **state) {
    (void)state;
    fixture_swap_on(PROGRAMS * PAGES / 2);
    paging = true;
    run_seeds(4);
    paging = false;
    assert_int_equal(fixture_swap_used(), 0);
    fixture_swap_off();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(programs_read_what_a_plain_model_says),
        TEST(the_same_while_pages_go_out_and_come_back),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
