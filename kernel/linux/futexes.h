/*
 * Futexes, for the personality's beginning.
 */
#ifndef KERNEL_FUTEXES_H
#define KERNEL_FUTEXES_H

/* Has the ends of threads do what they owe to those who wait for their futexes; once. */
void futexes_open(void);

#endif
