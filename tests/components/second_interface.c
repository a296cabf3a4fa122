/*
 * A component that brings a version of a class of the program's for the interface's second version,
 * and the adaptor for callers of the first.
 */
#include "tally.h"

K42_COMPONENT("second_interface");
K42_CLASS(tally_30) = {TALLY2_PLAIN("tally.plain", 30)};

static k42_result adapted_add(struct tally *self, long amount) {
    return k42_call((tally2_ref)k42_adapted(self), add_times, amount, 1);
}
static k42_result adapted_value(struct tally *self) {
    return k42_call((tally2_ref)k42_adapted(self), value);
}
static k42_result adapted_version(struct tally *self) {
    return k42_call((tally2_ref)k42_adapted(self), version);
}
static const struct tally_ops adapted_ops = {
    .add = adapted_add, .value = adapted_value, .version = adapted_version};
K42_ADAPTOR(tally_first_on_second) = {
    .from = &tally_interface, .to = &tally2_interface, .ops = &adapted_ops};
