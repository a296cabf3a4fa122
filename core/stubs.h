/*
 * Operations that fit every interface: entry n of each table is a few instructions that know only
 * that they are entry n. A method takes at most six words in registers and returns at most two, so
 * they can pass any call on, or answer it, without knowing its interface.
 *
 *   k42_miss_ops       of a global entry. Finds the representative and goes on into its method,
 *                      which returns straight to the caller.
 *   k42_intercept_ops  of a mediator or interposer. Hands the call's registers to C.
 *
 * The assembly is stubs_x86_64.S; stubs_model.c says in C what it does. No state.
 */
#ifndef K42_CORE_STUBS_H
#define K42_CORE_STUBS_H

#include <k42/interpose.h>
#include <k42/ref.h>

#define K42_HIDDEN __attribute__((visibility("hidden")))

/* The arguments of one call, on the stack of the stub that was called; `args` may be changed. */
struct k42_frame_registers {
    uintptr_t self; /* whose operations were the intercept stubs */
    uintptr_t args[K42_MAX_ARGS];
    uintptr_t method; /* index in the table of operations */
};

/* Tables of operations: each a valid `ops` of any interface. */
extern K42_HIDDEN const void *const k42_miss_ops[K42_MAX_METHODS];
extern K42_HIDDEN const void *const k42_intercept_ops[K42_MAX_METHODS];

/*
 * What the stubs call. k42_miss answers with 0 and the representative to call instead of `entry`,
 * or with a negative error, which the caller then gets as its result, with word 0. What
 * k42_intercept answers is what the caller gets.
 */
K42_HIDDEN struct k42_pair k42_miss(void *entry, unsigned method);
K42_HIDDEN struct k42_pair k42_intercept(struct k42_frame_registers *frame);

/* The models: what calling entry `method` of either table does. */
struct k42_pair k42_miss_model(unsigned method, void *entry, const uintptr_t args[K42_MAX_ARGS]);
struct k42_pair k42_intercept_model(unsigned method, void *self,
                                    const uintptr_t args[K42_MAX_ARGS]);

#endif
