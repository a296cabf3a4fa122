/*
 * paging MIB [CHILDREN [READS]]: writes to every page of so many MiB, each page something of its
 * own, reads all of them so many times more, and then in another order, changing them. Children do
 * the last with what they have inherited, at the same time, each its own changes. Prints "right",
 * or which page is wrong.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   4096ul
#define WORDS  (PAGE / 8)
#define STRIDE 7919 /* a prime */

static uint64_t *memory;
static uint64_t pages;

static uint64_t word_of(uint64_t page, uint64_t who, unsigned n) {
    return (page * 0x9e3779b97f4a7c15ul ^ who << 56) + n;
}

static void write_page(uint64_t page, uint64_t who) {
    uint64_t *at = memory + page * WORDS;
    for (unsigned n = 0; n < WORDS; n += 37)
        at[n] = word_of(page, who, n);
}

static void check_page(uint64_t page, uint64_t who) {
    const uint64_t *at = memory + page * WORDS;
    for (unsigned n = 0; n < WORDS; n += 37)
        if (at[n] != word_of(page, who, n)) {
            printf("page %lu of %lu, written by %lu: word %u is %lx\n", page, pages, who, n, at[n]);
            exit(1);
        }
}

static void child(uint64_t who) {
    for (uint64_t i = 0, page = who; i < pages; i++, page = (page + STRIDE) % pages) {
        check_page(page, 0);
        if (page % 3 == who % 3)
            write_page(page, who);
    }
    for (uint64_t page = 0; page < pages; page++)
        check_page(page, page % 3 == who % 3 ? who : 0);
    exit(0);
}

int main(int count, char **arguments) {
    unsigned children = count > 2 ? (unsigned)atoi(arguments[2]) : 0;
    unsigned reads = count > 3 ? (unsigned)atoi(arguments[3]) : 0;
    pages = (uint64_t)atoi(arguments[1]) << 8;
    memory = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 2;
    for (uint64_t page = 0; page < pages; page++)
        write_page(page, 0);
    for (uint64_t n = 0; n < reads * pages; n++)
        check_page(n % pages, 0);
    for (unsigned who = 1; who <= children; who++) {
        pid_t made = fork();
        if (made < 0)
            return 3;
        if (!made)
            child(who);
    }
    for (uint64_t i = 0, page = 0; i < pages; i++, page = (page + STRIDE) % pages) {
        check_page(page, 0);
        if (page % 2)
            write_page(page, 9);
    }
    for (uint64_t page = 0; page < pages; page++)
        check_page(page, page % 2 ? 9 : 0);
    int status, wrong = 0;
    for (unsigned who = 1; who <= children; who++)
        if (wait(&status) < 0 || status)
            wrong = status ? status : 4;
    if (wrong)
        printf("a child ended with %x\n", wrong);
    else
        puts("right");
    return wrong != 0;
}
