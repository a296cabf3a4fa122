/*
 * What stubs_x86_64.S does, in C: its specification, which the tests compare with it.
 *
 * C has no tail call into a table and no way to say "whatever arguments came", so here arguments
 * are an array and always five.
 */
#include "stubs.h"

typedef struct k42_pair (*any_method)(void *self, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                                      uintptr_t);

struct any_object {
    const any_method *ops;
};

struct k42_pair k42_miss_model(unsigned method, void *entry, const uintptr_t args[K42_MAX_ARGS]) {
    struct k42_pair found = k42_miss(entry, method);
    if (found.result < 0)
        return (struct k42_pair){.result = found.result, .word = 0};
    struct any_object *representative = (void *)found.word;
    return representative->ops[method](representative, args[0], args[1], args[2], args[3], args[4]);
}

struct k42_pair k42_intercept_model(unsigned method, void *self,
                                    const uintptr_t args[K42_MAX_ARGS]) {
    struct k42_frame_registers frame = {
        .self = (uintptr_t)self,
        .args = {args[0], args[1], args[2], args[3], args[4]},
        .method = method,
    };
    return k42_intercept(&frame);
}
