/*
 * A swap for the tests of address spaces: an area whose cache and medium are plain tables, and what
 * relief's thread does with it, step by step. Only one thread at a time may be relief's.
 */
#ifndef K42_TESTS_PAGING_FIXTURE_H
#define K42_TESTS_PAGING_FIXTURE_H

#include "space_fixture.h"

#include "../../kernel/mem/hat/hat.h"
#include "../../kernel/mem/swap/swap.h"

/* An area of so many pages, the header's included. Inactive callers, as of all here. */
void fixture_swap_on(uint64_t pages);
/* Brings everything back and takes the area away; nothing of it may be left. */
void fixture_swap_off(void);

/* Has each address space, or one, send some pages out; returns how many went. What was used since
 * the last time stays. */
uint64_t fixture_page_out(uint64_t wanted);
uint64_t fixture_page_out_of(hat_ref hat, uint64_t wanted);
/* The cache writes what it has, and gives what is clean back. */
void fixture_swap_settle(void);
/* Both, until nothing more goes. */
void fixture_all_out(void);

/* The HAT of one of two address spaces, besides the other's, or the null ref. */
hat_ref fixture_hat_besides(hat_ref other);
/* Pages that the medium was given so far; slots that are used. */
uint64_t fixture_swap_writes(void);
uint64_t fixture_swap_used(void);

#endif
