/*
 * Filters of calls: the programs of classic BPF that Linux's seccomp takes, checked and carried
 * out. Pure: no memory but the arguments', no state.
 */
#ifndef KERNEL_SECCOMP_FILTER_H
#define KERNEL_SECCOMP_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>

#define FILTER_MOST BPF_MAXINSNS /* instructions of one program */

/*
 * Whether a program may be run: it has no instruction but those that seccomp knows, jumps forward
 * and inside itself, ends with a return on every way, reads aligned words of what it is given, no
 * cell that was not written, and divides by no constant 0. `cells` is room for the check: so many
 * entries as the program has instructions.
 */
bool filter_is_sound(const struct sock_filter *program, unsigned length, uint16_t *cells);

/* What a sound program answers. */
uint32_t filter_run(const struct sock_filter *program, const struct seccomp_data *data);

#endif
