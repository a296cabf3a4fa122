/*
 * paging_forks MIB STEPS SEED [FAR]: a family of programs that do as they like with so many MiB
 * that they inherited from each other: write pages, read them, move them, give them up, forbid and
 * allow to write, fork, run another program, end. Each knows what it last wrote to each of its
 * pages, and that is all it may find. With FAR they also have so many pages far from each other,
 * which takes a page table for each. Prints "right", or what was wrong and for whom.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE     4096ul
#define WORDS    (PAGE / 8)
#define DEPTH    3u /* generations */
#define CHILDREN 2u /* of each at once */
#define BATCH    24u
#define DISTANCE (1ul << 30)
#define FAR_FROM ((char *)0x100000000000)

static uint64_t *memory;
static uint64_t *stamps; /* of each page: what its words are made of; 0: it is zero */
static uint64_t pages, steps, state;
static unsigned depth, children, far;

static uint64_t below(uint64_t limit) {
    state = state * 6364136223846793005ul + 1442695040888963407ul;
    return (state >> 33) % limit;
}

__attribute__((noreturn)) static void fail(const char *what, uint64_t page) {
    printf("%d, generation %u: page %lu: %s\n", getpid(), depth, page, what);
    exit(1);
}

static uint64_t word_of(uint64_t page, unsigned n) {
    return stamps[page] ? (page + 1) * 0x9e3779b97f4a7c15ul + stamps[page] + n : 0;
}

static void write_page(uint64_t page) {
    stamps[page] = below(UINT32_MAX) + 1;
    for (unsigned n = 0; n < WORDS; n += 73)
        memory[page * WORDS + n] = word_of(page, n);
}

static void check_page(uint64_t page) {
    for (unsigned n = 0; n < WORDS; n += 73)
        if (memory[page * WORDS + n] != word_of(page, n))
            fail("not what was written", page);
}

static uint64_t *far_word(unsigned n) {
    return (uint64_t *)(FAR_FROM + n * DISTANCE);
}

static void far_make(void) {
    for (unsigned n = 0; n < far; n++) {
        if (mmap(far_word(n), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                 -1, 0) == MAP_FAILED)
            fail(strerror(errno), n);
        *far_word(n) = n + 1;
    }
}

static void far_check(void) {
    for (unsigned n = 0; n < far; n++)
        if (*far_word(n) != n + 1)
            fail("not what was written far away", n);
}

static uint64_t some_pages(uint64_t *first) {
    uint64_t count = 1 + below(BATCH);
    *first = below(pages - count);
    return count;
}

static void write_some(void) {
    uint64_t first, count = some_pages(&first);
    for (uint64_t n = 0; n < count; n++)
        write_page(first + n);
}

static void check_some(void) {
    uint64_t first, count = some_pages(&first);
    for (uint64_t n = 0; n < count; n++)
        check_page(first + n);
}

static void give_up_some(void) {
    uint64_t first, count = some_pages(&first);
    if (madvise(memory + first * WORDS, count * PAGE, MADV_DONTNEED))
        fail(strerror(errno), first);
    memset(stamps + first, 0, count * sizeof *stamps);
}

static void forbid_some(void) {
    uint64_t first, count = some_pages(&first);
    if (mprotect(memory + first * WORDS, count * PAGE, PROT_READ))
        fail(strerror(errno), first);
    check_page(first);
    if (mprotect(memory + first * WORDS, count * PAGE, PROT_READ | PROT_WRITE))
        fail(strerror(errno), first);
    write_page(first);
}

/* To another place and back; only what one mapping has can be moved at once. */
static void move_some(void) {
    uint64_t first, count = some_pages(&first);
    void *from = memory + first * WORDS;
    void *there = mremap(from, count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                         (char *)memory + (pages + 1) * PAGE);
    if (there == MAP_FAILED && errno == EFAULT)
        return;
    if (there == MAP_FAILED)
        fail(strerror(errno), first);
    void *back = mremap(there, count * PAGE, count * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, from);
    if (back != from)
        fail(strerror(errno), first);
}

static void await_child(void) {
    int status;
    pid_t ended = wait(&status);
    if (ended < 0 || status)
        fail(ended < 0 ? strerror(errno) : "a child did not end well", (uint64_t)status);
    children--;
}

static void fork_one(void) {
    if (depth == DEPTH)
        return;
    if (children == CHILDREN)
        await_child();
    pid_t made = fork();
    if (made < 0)
        fail(strerror(errno), 0);
    if (made) {
        children++;
        return;
    }
    depth++;
    children = 0;
    steps /= 2;
    state ^= (uint64_t)getpid() * 0x9e3779b97f4a7c15ul;
    if (below(8) == 0) {
        execl("/bin/true", "true", NULL);
        fail(strerror(errno), 0);
    }
}

static void live(void) {
    static void (*const acts[])(void) = {write_some,  write_some,   write_some, check_some,
                                         check_some,  check_some,   check_some, check_some,
                                         forbid_some, give_up_some, move_some};
    for (uint64_t step = 0; step < steps; step++) {
        acts[below(sizeof acts / sizeof *acts)]();
        if (below(48) == 0) {
            unsigned before = depth;
            fork_one();
            if (depth != before)
                step = 0;
        }
    }
}

int main(int count, char **arguments) {
    if (count != 4 && count != 5)
        return 2;
    pages = strtoul(arguments[1], NULL, 10) << 8;
    steps = strtoul(arguments[2], NULL, 10);
    state = strtoul(arguments[3], NULL, 10);
    far = count == 5 ? (unsigned)atoi(arguments[4]) : 0;
    memory = mmap(NULL, (pages + 1 + BATCH) * PAGE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stamps = calloc(pages, sizeof *stamps);
    if (memory == MAP_FAILED || !stamps)
        return 2;
    for (uint64_t page = 0; page < pages; page++)
        write_page(page);
    far_make();
    live();
    while (children)
        await_child();
    for (uint64_t page = 0; page < pages; page++)
        check_page(page);
    far_check();
    if (!depth)
        puts("right");
    return 0;
}
