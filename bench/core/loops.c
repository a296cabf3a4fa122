/*
 * The timed loops at one placement; see loops.h.
 *
 * The body of a loop is nothing but what is measured: its operands are in registers, the method is
 * out of the compiler's sight, and the results are added up so that every one is used. liburcu is
 * used with its read side inlined, which is its fastest form.
 */
#define _LGPL_SOURCE
#include "loops.h"

#include <urcu/pointer.h>
#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)

/* Moves what follows by some cache lines, so that no two placements share an offset in a page. */
__asm__(".text\n\t.p2align 6\n\t.skip 320 * (1 + " TEXT(PLACEMENT) "), 0x90");

#define LOOP(name, before, body, after)                                                            \
    static __attribute__((noinline)) long name(const struct subject *subject, long turns) {        \
        tally_ref ref = subject->ref, interposed = subject->interposed;                            \
        struct tally *object = subject->object, **shared = subject->shared;                        \
        pthread_rwlock_t *lock = subject->lock;                                                    \
        unsigned long *refcount = subject->refcount;                                               \
        long sum = 0;                                                                              \
        (void)ref, (void)interposed, (void)object, (void)shared, (void)lock, (void)refcount;       \
        before;                                                                                    \
        for (long turn = 0; turn < turns; turn++) {                                                \
            body;                                                                                  \
        }                                                                                          \
        after;                                                                                     \
        return sum;                                                                                \
    }

#define CALL_OBJECT sum += object->ops->echo(object, turn)

/* clang-format off */
LOOP(call_direct, , sum += tally_echo(object, turn), )
LOOP(call_ops, , CALL_OBJECT, )
LOOP(call_k42, k42_enter(), sum += k42_call(ref, echo, turn), k42_exit())
LOOP(call_safe_point, k42_enter(), sum += k42_call(ref, echo, turn); k42_safe_point(), k42_exit())
LOOP(call_enter_exit, , k42_enter(); sum += k42_call(ref, echo, turn); k42_exit(), )
LOOP(call_interposed, k42_enter(), sum += k42_call(interposed, echo, turn), k42_exit())
LOOP(call_rwlock, ,
     pthread_rwlock_rdlock(lock); CALL_OBJECT; pthread_rwlock_unlock(lock), )
LOOP(call_refcount, ,
     __atomic_fetch_add(refcount, 1, __ATOMIC_SEQ_CST); CALL_OBJECT;
     __atomic_fetch_sub(refcount, 1, __ATOMIC_SEQ_CST), )
LOOP(call_memb, ,
     urcu_memb_read_lock(); object = rcu_dereference(*shared); CALL_OBJECT;
     urcu_memb_read_unlock(), )
LOOP(call_qsbr, urcu_qsbr_thread_online(),
     urcu_qsbr_read_lock(); object = rcu_dereference(*shared); CALL_OBJECT;
     urcu_qsbr_read_unlock(), urcu_qsbr_thread_offline())
LOOP(call_qsbr_quiescent, urcu_qsbr_thread_online(),
     urcu_qsbr_read_lock(); object = rcu_dereference(*shared); CALL_OBJECT;
     urcu_qsbr_read_unlock(); urcu_qsbr_quiescent_state(), urcu_qsbr_thread_offline())
LOOP(enter_exit_k42, , k42_enter(); k42_exit(), )
LOOP(enter_exit_memb, , urcu_memb_read_lock(); urcu_memb_read_unlock(), )
/* clang-format on */

#define SYMBOL_(placement) loops_at_##placement
#define SYMBOL(placement)  SYMBOL_(placement)
extern const struct loop SYMBOL(PLACEMENT)[];
const struct loop SYMBOL(PLACEMENT)[] = {
    {"call", "k42", call_k42},
    {"call", "ops-pointer", call_ops},
    {"call", "direct", call_direct},
    {"call", "k42+safe-point", call_safe_point},
    {"call", "k42+enter-exit", call_enter_exit},
    {"call", "urcu-qsbr", call_qsbr},
    {"call", "urcu-qsbr+quiescent", call_qsbr_quiescent},
    {"call", "urcu-memb", call_memb},
    {"call", "refcount", call_refcount},
    {"call", "rwlock", call_rwlock},
    {"call", "k42-interposed", call_interposed},
    {"enter-exit", "k42", enter_exit_k42},
    {"enter-exit", "urcu-memb", enter_exit_memb},
    {NULL, NULL, NULL},
};
