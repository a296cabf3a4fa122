/*
 * The time of day: the machine's clock and a number added to it. One word, changed atomically.
 */
#include "now.h"

#include "platform.h"

int64_t now_base_ns;

struct node_time node_now(void) {
    int64_t now = (int64_t)k42_platform_now_ns() + __atomic_load_n(&now_base_ns, __ATOMIC_RELAXED);
    return (struct node_time){now / 1000000000, (uint32_t)(now % 1000000000)};
}
