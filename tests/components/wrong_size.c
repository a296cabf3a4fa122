/*
 * A component to be refused: compiled against another number of methods under the same version.
 */
#include "tally.h"

K42_COMPONENT("wrong_size");

static const struct k42_interface longer_interface = {
    .name = "tally", .version = 1, .methods = K42_METHOD_COUNT(struct tally_ops) + 2};
K42_CLASS(tally_longer) = {.name = "tally.longer",
                           .version = 1,
                           .interface = &longer_interface,
                           .kind = &k42_single,
                           .root_size = sizeof(struct tally_object),
                           .rep_offset = offsetof(struct tally_object, rep),
                           .ops = &tally_plain_ops};
