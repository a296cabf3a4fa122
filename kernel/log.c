/*
 * The kernel's last lines: a ring of slots, each of one line.
 *
 * Nothing is locked, so that a line can be kept in any context, a panic's and an NMI's included. A
 * writer takes a number, which says the slot, empties the slot's number, and sets it when the text
 * is there; a reader believes what it copied if the number was there before and after. Two writers
 * meet in a slot only if one is held up while all other slots are written: then a line may be a
 * mixture, which is harmless. Longer lines are cut.
 */
#include "log.h"

#include "arch/x86_64/arch.h"

#define SLOTS 512u

static struct log_line ring[SLOTS];
static uint64_t last;

static struct log_line *slot_of(uint64_t number) {
    return &ring[number % SLOTS];
}

void log_keep(const char *text, size_t length) {
    uint64_t number = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    struct log_line *line = slot_of(number);
    if (length > LOG_TEXT - 1)
        length = LOG_TEXT - 1;
    __atomic_store_n(&line->number, 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    line->ns = time_ns();
    for (size_t i = 0; i < length; i++)
        line->text[i] = text[i];
    line->text[length] = 0;
    __atomic_store_n(&line->number, number, __ATOMIC_RELEASE);
}

uint64_t log_last(void) {
    return __atomic_load_n(&last, __ATOMIC_RELAXED);
}

uint64_t log_read(uint64_t number, struct log_line *line) {
    uint64_t newest = log_last();
    if (newest >= SLOTS && number <= newest - SLOTS)
        number = newest - SLOTS + 1;
    for (number += !number; number <= newest; number++) {
        const struct log_line *slot = slot_of(number);
        if (__atomic_load_n(&slot->number, __ATOMIC_ACQUIRE) != number)
            continue;
        *line = *slot;
        line->text[LOG_TEXT - 1] = 0;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (__atomic_load_n(&slot->number, __ATOMIC_RELAXED) == number)
            return line->number = number;
    }
    return 0;
}
