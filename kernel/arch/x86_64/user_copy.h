/*
 * The kernel's only accesses to memory of programs, for threads that run a program, in their own
 * address space. Everything checks that the addresses are a program's.
 *
 * A page that is not there is asked of the personality (user.h), which may wait; with preemption or
 * interrupts off, or when it refuses, the access ends there. In instructions, without a fault: a
 * word costs 12, 16 bytes 30, a page 1,080, a path of 22 bytes 75.
 */
#ifndef KERNEL_USER_COPY_H
#define KERNEL_USER_COPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The end of programs' addresses; its page is never mapped, since `syscall` at its end would return
 * to an address that is none. */
#define USER_END 0x7ffffffff000ul

static inline bool user_range_ok(uintptr_t address, size_t size) {
    return size <= USER_END && address <= USER_END - size;
}

/* They return how many bytes were NOT copied (to the byte): 0 is success. */
size_t user_copy_in(void *to, uintptr_t from, size_t size);
size_t user_copy_out(uintptr_t to, const void *from, size_t size);
size_t user_zero(uintptr_t to, size_t size);

/* One word: 0 or -EFAULT; of the get functions *value is 0 then. */
int user_get8(uint8_t *value, uintptr_t from);
int user_get16(uint16_t *value, uintptr_t from);
int user_get32(uint32_t *value, uintptr_t from);
int user_get64(uint64_t *value, uintptr_t from);
int user_put8(uintptr_t to, uint8_t value);
int user_put16(uintptr_t to, uint16_t value);
int user_put32(uintptr_t to, uint32_t value);
int user_put64(uintptr_t to, uint64_t value);

/*
 * Copies up to and with the zero byte. Its length without it, -EFAULT, or -ENAMETOOLONG when there
 * is none among `size` bytes; what `to` has then is undefined.
 */
long user_string_in(char *to, uintptr_t from, size_t size);

/*
 * For futexes, on 32-bit words. 0 or -EFAULT.
 * Writes `desired` if the word is *expected, which becomes what it was either way.
 */
int user_compare_exchange32(uintptr_t at, uint32_t *expected, uint32_t desired);

enum user_operation { USER_SET, USER_ADD, USER_OR, USER_AND_NOT, USER_XOR };
/* Applies the operation atomically; *old becomes what was there. */
int user_fetch_operation32(uintptr_t at, enum user_operation operation, uint32_t operand,
                           uint32_t *old);

#endif
