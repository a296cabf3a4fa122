/*
 * The interface of the tutorial: something that counts.
 */
#ifndef TUTORIAL_COUNTER_H
#define TUTORIAL_COUNTER_H

#include <k42/object.h>

struct counter;

struct counter_ops {
    struct k42_object_ops object;
    /* Counts `difference` more. Errors: -EOVERFLOW; nothing is counted then. */
    K42_METHOD(add)(struct counter *self, long difference);
    /* What has been counted so far. */
    K42_METHOD(read)(struct counter *self, K42_OUT long *sum);
};

struct counter {
    const struct counter_ops *ops;
};
K42_DECLARE_REF(counter);
extern const struct k42_interface counter_interface;

/* The canonical format of a counter's state: word[0] is the sum. Measured in nothing. */
extern const struct k42_format counter_sum_format;

#endif
