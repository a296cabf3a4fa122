/*
 * Private pages that go to the swap and come back, of programs that forked: what each reads is what
 * it wrote, a page is written once whoever has it, and frames and slots are as many afterwards as
 * before. The random test of test_space.c and the threads of test_space_threads.c do the same with
 * everything else that can happen to an address space.
 */
#include "paging_fixture.h"

#include "../../kernel/mem/frame/frame.h"

#define BASE       0x10000000ul
#define PAGES      64u
#define SWAP_PAGES 2048u

static int begin(void **state) {
    int failed = fixture_begin(state);
    fixture_swap_on(SWAP_PAGES);
    return failed;
}

/* Nothing is left in the swap by programs that have ended. */
static int end(void **state) {
    fixture_settle();
    k42_enter();
    (void)swap_give_back(0);
    k42_exit();
    bool clean = !fixture_swap_used();
    if (!clean)
        print_error("%lu slots are left\n", fixture_swap_used());
    fixture_swap_off();
    return fixture_end(state) || !clean ? -1 : 0;
}

static uintptr_t page_at(unsigned page) {
    return BASE + page * PAGE;
}

static void pages_write(space_ref space, unsigned first, unsigned count, uint64_t value) {
    for (unsigned n = first; n < first + count; n++)
        assert_int_equal(program_write(space, page_at(n), value + n), 0);
}

static void pages_are(space_ref space, unsigned first, unsigned count, uint64_t value) {
    for (unsigned n = first; n < first + count; n++) {
        uint64_t found = 0;
        assert_int_equal(program_read(space, page_at(n), &found), 0);
        assert_int_equal(found, value + n);
    }
}

#define NO_HAT ((hat_ref)K42_NULL_REF)

static space_ref program(unsigned pages, unsigned flags) {
    space_ref space = fixture_space();
    program_map_memory(space, BASE, pages * PAGE, flags);
    return space;
}

static void end_programs(space_ref *programs, unsigned count) {
    for (unsigned n = 0; n < count; n++)
        fixture_end_space(programs[n]);
}

/* ---- one program ---- */

static void a_page_that_is_out_comes_back_as_it_was(void **state) {
    (void)state;
    space_ref space = program(PAGES, 0);
    uint64_t before = fixture_frames();
    pages_write(space, 0, PAGES, 100);
    fixture_all_out();
    assert_int_equal(fixture_swap_used(), PAGES);
    assert_true(fixture_frames() <= before + 4); /* tables */
    pages_are(space, 0, PAGES, 100);
    fixture_end_space(space);
}

static void a_page_that_was_only_read_goes_out_again_without_being_written(void **state) {
    (void)state;
    space_ref space = program(PAGES, 0);
    pages_write(space, 0, PAGES, 100);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PAGES);
    uint64_t out = fixture_frames();
    for (unsigned round = 0; round < 3; round++) {
        pages_are(space, 0, PAGES, 100);
        assert_int_equal(fixture_swap_used(), PAGES);
        fixture_all_out();
        assert_int_equal(fixture_swap_writes(), PAGES);
        assert_int_equal(fixture_frames(), out);
    }
    pages_are(space, 0, PAGES, 100);
    fixture_end_space(space);
}

/* Takes blocks until memory is short; returns how many. */
static unsigned take_blocks(struct frame **blocks, unsigned most) {
    unsigned count = 0;
    while (frames_pressure() == FRAME_PRESSURE_NONE && count < most &&
           !frame_allocate(FRAME_ORDER_CHUNK, NULL, &blocks[count]))
        count++;
    assert_true(frames_pressure() != FRAME_PRESSURE_NONE);
    return count;
}

static void what_came_back_is_in_memory_once_while_that_is_short(void **state) {
    (void)state;
    static struct frame *blocks[1024];
    space_ref space = program(PAGES, 0);
    pages_write(space, 0, PAGES, 100);
    fixture_all_out();
    uint64_t out = fixture_frames();
    pages_are(space, 0, PAGES / 2, 100);
    uint64_t twice = fixture_frames() - out;
    assert_true(twice >= PAGES);
    unsigned count = take_blocks(blocks, 1024);
    pages_are(space, PAGES / 2, PAGES / 2, 100);
    assert_int_equal(fixture_frames() - out - twice, PAGES / 2);
    while (count)
        frame_free(blocks[--count], FRAME_ORDER_CHUNK);
    assert_int_equal(fixture_swap_writes(), PAGES);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PAGES);
    pages_are(space, 0, PAGES, 100);
    fixture_end_space(space);
}

/* The other one finds it in the cache. */
static void what_came_back_stays_in_the_cache_for_who_wants_it_too(void **state) {
    (void)state;
    static struct frame *blocks[1024];
    space_ref programs[2] = {program(PAGES, 0)};
    pages_write(programs[0], 0, PAGES, 100);
    programs[1] = program_fork(programs[0]);
    fixture_all_out();
    uint64_t out = fixture_frames();
    unsigned count = take_blocks(blocks, 1024);
    pages_are(programs[0], 0, PAGES, 100);
    assert_true(fixture_frames() - out >= 2 * PAGES);
    pages_are(programs[1], 0, PAGES, 100);
    while (count)
        frame_free(blocks[--count], FRAME_ORDER_CHUNK);
    end_programs(programs, 2);
}

/* With pages that have been out, and are there again. */
static space_ref program_that_was_out(void) {
    space_ref space = program(PAGES, 0);
    pages_write(space, 0, PAGES, 100);
    fixture_all_out();
    pages_are(space, 0, PAGES, 100);
    return space;
}

/* Ten of them are written, and written again; the program ends. */
static void ten_are_written_again(space_ref space) {
    pages_write(space, 0, 10, 200);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PAGES + 10);
    pages_are(space, 0, 10, 200);
    pages_are(space, 10, PAGES - 10, 100);
    fixture_end_space(space);
}

static void a_page_that_was_written_is_written_again(void **state) {
    (void)state;
    ten_are_written_again(program_that_was_out());
}

/* A page that may not be written, and then may, is written when it was. */
static void rights_that_come_back_do_not_hide_a_write(void **state) {
    (void)state;
    space_ref space = program_that_was_out();
    assert_int_equal(program_protect(space, BASE, PAGES * PAGE, SPACE_READ), 0);
    assert_int_equal(program_protect(space, BASE, PAGES * PAGE, SPACE_READ | SPACE_WRITE), 0);
    ten_are_written_again(space);
}

static void what_is_written_past_the_tables_is_not_lost(void **state) {
    (void)state;
    space_ref space = program_that_was_out();
    uint64_t value = 7;
    k42_enter();
    assert_int_equal(k42_call(fixture_hat_besides(NO_HAT), poke, page_at(3), &value, sizeof value),
                     0);
    k42_exit();
    fixture_all_out();
    assert_int_equal(program_read(space, page_at(3), &value), 0);
    assert_int_equal(value, 7);
    pages_are(space, 4, PAGES - 4, 100);
    fixture_end_space(space);
}

/* Who wanted a copy of a page that he has alone by now may write to the page itself. */
static void a_page_that_need_not_be_copied_any_more_forgets(void **state) {
    (void)state;
    space_ref space = program_that_was_out();
    k42_enter();
    struct k42_pair taken = k42_call((pm_ref)fixture_pm, take, 0, 0);
    assert_int_equal(taken.result, 0);
    assert_int_equal(k42_call(fixture_hat_besides(NO_HAT), copy, page_at(3), taken.word,
                              HAT_READ | HAT_WRITE, NULL),
                     HAT_UNUSED);
    assert_int_equal(k42_call((pm_ref)fixture_pm, give, taken.word, 0, 0), 0);
    k42_exit();
    pages_write(space, 3, 1, 200);
    fixture_all_out();
    pages_are(space, 3, 1, 200);
    pages_are(space, 4, PAGES - 4, 100);
    fixture_end_space(space);
}

static void pages_that_remember_are_moved_discarded_and_unmapped(void **state) {
    (void)state;
    space_ref space = program(PAGES, 0);
    pages_write(space, 0, PAGES, 100);
    fixture_all_out();
    pages_are(space, 0, PAGES / 2, 100);
    struct space_move move = {.address = BASE,
                              .new_address = BASE + 4 * LARGE,
                              .length = PAGES * PAGE,
                              .new_length = PAGES * PAGE,
                              .flags = SPACE_MAY_MOVE | SPACE_MOVE_TO};
    assert_int_equal(program_resize(space, &move).result, 0);
    unsigned shift = (unsigned)(4 * LARGE / PAGE);
    pages_are(space, shift, PAGES, 100ul - shift);
    assert_int_equal(program_advise(space, page_at(shift), 20 * PAGE, 4), 0);
    assert_int_equal(program_unmap(space, page_at(shift + 20), 20 * PAGE), 0);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PAGES);
    pages_are(space, shift + 40, PAGES - 40, 100ul - shift);
    fixture_end_space(space);
}

/* ---- several programs ---- */

static void pages_of_a_fork_are_written_once_and_their_frames_come_back(void **state) {
    (void)state;
    space_ref all[3] = {program(PAGES, 0)};
    uint64_t before = fixture_frames();
    pages_write(all[0], 0, PAGES, 100);
    all[1] = program_fork(all[0]);
    all[2] = program_fork(all[1]);
    for (unsigned n = 0; n < 3; n++)
        pages_are(all[n], 0, PAGES, 100);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PAGES);
    assert_int_equal(fixture_swap_used(), PAGES);
    assert_true(fixture_frames() <= before + 3 * 6); /* tables */
    for (unsigned n = 0; n < 3; n++)
        pages_are(all[n], 0, PAGES, 100);
    for (unsigned n = 0; n < 3; n++)
        pages_write(all[n], n * 10, 20, 1000 * (n + 1));
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PAGES + 3 * 20);
    for (unsigned n = 0; n < 3; n++) {
        pages_are(all[n], 0, n * 10, 100);
        pages_are(all[n], n * 10, 20, 1000 * (n + 1));
        pages_are(all[n], n * 10 + 20, PAGES - n * 10 - 20, 100);
    }
    end_programs(all, 3);
}

/* One has sent it, another goes on with the frame, which the cache has as well. */
static void a_page_that_one_program_sent_is_another_ones_still(void **state) {
    (void)state;
    space_ref all[2] = {program(PAGES, 0)};
    hat_ref hat = fixture_hat_besides(NO_HAT);
    pages_write(all[0], 0, PAGES, 100);
    all[1] = program_fork(all[0]);
    pages_are(all[1], 0, PAGES, 100);
    while (fixture_swap_writes() < PAGES)
        (void)fixture_page_out_of(hat, PAGES);
    pages_write(all[1], 0, 10, 200);
    fixture_swap_settle();
    pages_are(all[0], 0, PAGES, 100);
    pages_write(all[1], 10, 10, 200);
    pages_are(all[1], 0, 20, 200);
    pages_are(all[1], 20, PAGES - 20, 100);
    fixture_all_out();
    pages_are(all[0], 0, PAGES, 100);
    pages_are(all[1], 0, 20, 200);
    pages_are(all[1], 20, PAGES - 20, 100);
    end_programs(all, 2);
}

/* Until a fork's flush, CPUs of the parent may write to pages that both have. */
static struct {
    struct user_table *table; /* the parent's */
    hat_ref parent;
    unsigned written;
} window;

static void write_in_window(const struct user_flush *flush) {
    if (flush->table != window.table)
        return;
    machine_flushing = NULL;
    hat_ref child = fixture_hat_besides(window.parent);
    for (unsigned n = 0; n < 4 * PAGES / 16; n++)
        (void)k42_call(child, page_out, PAGES, K42_NULL_REF, NULL);
    machine_this_cpu = 1;
    for (unsigned n = 0; n < PAGES; n++) {
        uint64_t value = 200 + n;
        window.written += machine_user_access(window.table, page_at(n), true, &value) == 0;
    }
    machine_this_cpu = 0;
}

static void what_the_parent_writes_before_a_forks_flush_is_not_lost(void **state) {
    (void)state;
    space_ref all[2] = {program(PAGES, 0)};
    machine_this_cpu = 1; /* which goes on for a while */
    pages_write(all[0], 0, PAGES, 100);
    machine_this_cpu = 0;
    window.parent = fixture_hat_besides(NO_HAT);
    window.written = 0;
    k42_enter();
    assert_int_equal(k42_call(all[0], table, &window.table), 0);
    k42_exit();
    machine_flushing = write_in_window;
    all[1] = program_fork(all[0]);
    assert_int_equal(window.written, PAGES);
    pages_are(all[0], 0, PAGES, 200);
    pages_are(all[1], 0, PAGES, 200);
    fixture_all_out();
    pages_are(all[0], 0, PAGES, 200);
    end_programs(all, 2);
}

/* Whoever has a page last gives its frame back: a program, or the cache. */
static void programs_end_while_their_pages_are_on_the_way(void **state) {
    (void)state;
    for (unsigned order = 0; order < 8; order++) {
        space_ref all[2] = {program(PAGES, 0)};
        hat_ref first = fixture_hat_besides(NO_HAT);
        pages_write(all[0], 0, PAGES, 100);
        all[1] = program_fork(all[0]);
        pages_are(all[1], 0, PAGES, 100);
        for (unsigned n = 0; n < 4; n++)
            (void)fixture_page_out_of(order & 1 ? fixture_hat_besides(first) : first, PAGES);
        if (order & 2)
            fixture_swap_settle();
        fixture_end_space(all[order >> 2]);
        fixture_settle();
        pages_are(all[!(order >> 2)], 0, PAGES, 100);
        fixture_end_space(all[!(order >> 2)]);
        fixture_settle();
    }
}

static void parts_of_a_large_page_go_out_for_all_who_have_them(void **state) {
    (void)state;
    enum { PARTS = LARGE / PAGE };
    space_ref all[3] = {program(PARTS, SPACE_LARGE)};
    uint64_t before = fixture_frames();
    pages_write(all[0], 0, PARTS, 100);
    all[1] = program_fork(all[0]);
    all[2] = program_fork(all[0]);
    fixture_end_space(all[1]);
    fixture_settle();
    pages_write(all[2], 0, 10, 200);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PARTS + 10);
    assert_true(fixture_frames() <= before + 2 * 6); /* tables */
    pages_are(all[0], 0, PARTS, 100);
    pages_are(all[2], 0, 10, 200);
    pages_are(all[2], 10, PARTS - 10, 100);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), PARTS + 10);
    fixture_end_space(all[0]);
    fixture_end_space(all[2]);
}

/* The parent's parts have gone, and are remembered by a large page that is the child's alone. */
static void a_large_page_that_is_written_forgets_all_of_its_parts(void **state) {
    (void)state;
    enum { PARTS = LARGE / PAGE };
    space_ref all[3] = {program(PARTS, SPACE_LARGE)};
    hat_ref hat = fixture_hat_besides(NO_HAT);
    pages_write(all[0], 0, PARTS, 100);
    all[1] = program_fork(all[0]);
    while (fixture_swap_writes() < PARTS)
        (void)fixture_page_out_of(hat, PARTS);
    assert_int_equal(program_protect(all[1], BASE, LARGE, SPACE_READ), 0);
    assert_int_equal(program_protect(all[1], BASE, LARGE, SPACE_READ | SPACE_WRITE), 0);
    pages_write(all[1], 0, PARTS, 200);
    all[2] = program_fork(all[1]);
    pages_are(all[2], 0, PARTS, 200);
    fixture_all_out();
    assert_int_equal(fixture_swap_writes(), 2 * PARTS);
    pages_are(all[0], 0, PARTS, 100);
    pages_are(all[1], 0, PARTS, 200);
    pages_are(all[2], 0, PARTS, 200);
    end_programs(all, 3);
}

/* ---- the swap ---- */

static void an_area_that_goes_is_forgotten(void **state) {
    (void)state;
    enum { MANY = 300, LARGE_PARTS = LARGE / PAGE, FIRST = 4 * LARGE_PARTS };
    space_ref all[2] = {program(MANY, 0)};
    program_map_memory(all[0], page_at(FIRST), LARGE, SPACE_LARGE);
    pages_write(all[0], 0, MANY, 100);
    pages_write(all[0], FIRST, 1, 100);
    all[1] = program_fork(all[0]);
    pages_are(all[1], 0, 1, 100);
    fixture_all_out();
    pages_are(all[0], 0, MANY - 100, 100);
    pages_are(all[1], 100, MANY - 100, 100);
    fixture_swap_off();
    fixture_swap_on(SWAP_PAGES);
    for (unsigned n = 0; n < 2; n++) {
        pages_are(all[n], 0, MANY, 100);
        pages_are(all[n], FIRST, 1, 100);
    }
    end_programs(all, 2);
}

/* Pages that are used all the time remember slots until those are more than half of the swap. */
static void a_swap_that_gets_full_is_not_remembered(void **state) {
    (void)state;
    enum { USED = 600, UNUSED = 900 };
    space_ref space = program(USED + UNUSED, 0);
    pages_write(space, 0, USED, 100);
    fixture_all_out();
    pages_are(space, 0, USED, 100);
    assert_int_equal(fixture_swap_used(), USED);
    pages_write(space, USED, UNUSED, 100);
    for (unsigned idle = 0; idle < 4;) {
        pages_are(space, 0, USED, 100);
        idle = fixture_page_out(16) ? 0 : idle + 1;
        k42_enter();
        (void)swap_give_back(0);
        k42_exit();
    }
    assert_int_equal(fixture_swap_writes(), USED + UNUSED);
    assert_true(fixture_swap_used() >= UNUSED);
    assert_true(fixture_swap_used() <= SWAP_PAGES / 2 + 16);
    pages_are(space, 0, USED + UNUSED, 100);
    fixture_end_space(space);
}

/* With no slot left those go that need none. */
static void a_full_swap_takes_what_it_has_already(void **state) {
    (void)state;
    enum { MANY = SWAP_PAGES + 100, KEPT = 300 };
    space_ref all[2] = {program(MANY, 0)};
    hat_ref parent = fixture_hat_besides(NO_HAT);
    pages_write(all[0], 0, KEPT, 100);
    all[1] = program_fork(all[0]);
    hat_ref child = fixture_hat_besides(parent);
    pages_are(all[1], 0, KEPT, 100);
    while (fixture_swap_writes() < KEPT)
        (void)fixture_page_out_of(parent, KEPT);
    pages_write(all[0], KEPT, MANY - KEPT, 100);
    for (unsigned idle = 0; idle < 4;)
        idle = fixture_page_out_of(parent, ~0ul) ? 0 : idle + 1;
    fixture_swap_settle();
    assert_int_equal(fixture_swap_used(), SWAP_PAGES - 1);
    uint64_t before = fixture_frames(), gone = 0;
    for (unsigned idle = 0; idle < 4;) {
        uint64_t sent = fixture_page_out_of(child, ~0ul);
        gone += sent;
        idle = sent ? 0 : idle + 1;
    }
    assert_int_equal(gone, KEPT);
    assert_int_equal(before - fixture_frames(), KEPT);
    pages_are(all[1], 0, KEPT, 100);
    pages_are(all[0], 0, MANY, 100);
    end_programs(all, 2);
}

/* Leaves to be copied, parts to be copied, large pages to be parted: what takes a frame that is not
 * to be had stays. */
static void without_frames_what_cannot_go_stays(void **state) {
    (void)state;
    enum { PARTS = LARGE / PAGE };
    for (unsigned left = 0; left < 6; left++) {
        space_ref all[2] = {program(3 * PARTS, SPACE_LARGE)};
        pages_write(all[0], 0, 3 * PARTS, 100);
        assert_int_equal(program_unmap(all[0], page_at(5), PAGE), 0);
        all[1] = program_fork(all[0]);
        pages_are(all[1], 0, 1, 100);
        fixture_limit_frames(left);
        fixture_all_out();
        fixture_limit_frames(~0ul);
        for (unsigned n = 0; n < 2; n++) {
            pages_are(all[n], 0, 5, 100);
            pages_are(all[n], 6, 3 * PARTS - 6, 100);
        }
        end_programs(all, 2);
        fixture_settle();
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_page_that_is_out_comes_back_as_it_was),
        TEST(a_page_that_was_only_read_goes_out_again_without_being_written),
        TEST(what_came_back_is_in_memory_once_while_that_is_short),
        TEST(what_came_back_stays_in_the_cache_for_who_wants_it_too),
        TEST(a_page_that_was_written_is_written_again),
        TEST(rights_that_come_back_do_not_hide_a_write),
        TEST(what_is_written_past_the_tables_is_not_lost),
        TEST(a_page_that_need_not_be_copied_any_more_forgets),
        TEST(pages_that_remember_are_moved_discarded_and_unmapped),
        TEST(pages_of_a_fork_are_written_once_and_their_frames_come_back),
        TEST(a_page_that_one_program_sent_is_another_ones_still),
        TEST(what_the_parent_writes_before_a_forks_flush_is_not_lost),
        TEST(programs_end_while_their_pages_are_on_the_way),
        TEST(parts_of_a_large_page_go_out_for_all_who_have_them),
        TEST(a_large_page_that_is_written_forgets_all_of_its_parts),
        TEST(an_area_that_goes_is_forgotten),
        TEST(a_swap_that_gets_full_is_not_remembered),
        TEST(a_full_swap_takes_what_it_has_already),
        TEST(without_frames_what_cannot_go_stays),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
