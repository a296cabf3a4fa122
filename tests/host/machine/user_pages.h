/*
 * Page tables of programs for the host's tests: the kernel's own definitions of entries, over the
 * test machine's memory, and what a test does with them.
 */
#ifndef K42_TESTS_USER_PAGES_H
#define K42_TESTS_USER_PAGES_H

#include "../../../kernel/mem/machine.h"

/* The processor's header is not for hosts; what it is needed for is this. */
#define KERNEL_ARCH_H
static inline void *phys_to_virt(uint64_t physical) {
    return machine_memory(physical);
}

#include "../../../kernel/arch/x86_64/user_pages.h"

/*
 * One access of a word by this CPU, by the address space whose table it is: through its translation
 * buffer, which remembers whatever was not flushed, tables that lead to pages included. 0, or
 * which access must be asked for: -EFAULT, nothing is mapped; -EACCES, not so.
 */
int machine_user_access(struct user_table *table, uintptr_t address, bool write, uint64_t *value);

/* Called when a flush is about to begin, or NULL: what can still happen until then, may. */
extern void (*machine_flushing)(const struct user_flush *flush);

/* How many flushes were asked for so far. */
extern uint64_t machine_user_flushes;

#endif
