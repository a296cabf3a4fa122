/*
 * /proc/k42/chaos: the storm of swaps that may be under way (kernel/chaos).
 *
 * What is read: what was asked for and what came of it, then a line for each pair of classes. What
 * is written, by root: "RATE SEED DELAYS FAILURES", of
 * which the last ones may be left out; 0 ends it.
 */
#include "../../chaos/chaos.h"
#include "proc.h"
#include "runtime.h"

#include <errno.h>

static void print_pair(const struct chaos_pair *pair, void *context) {
    proc_print(context, "pair %s %s %lu %lu %lu\n", pair->from, pair->to, pair->swapped,
               pair->with_calls, pair->aborted);
}

k42_result proc_print_chaos(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    struct chaos_counts now;
    chaos_read(&now);
    proc_print(text, "rate %u\nbusy_now %u\nseed %lu\nmilliseconds %lu\n", now.rate, now.busy_now,
               now.seed, now.ns / 1000000);
    proc_print(text, "to_other %lu\nto_itself %lu\nwith_calls %lu\n", now.to_other, now.to_itself,
               now.with_calls);
    proc_print(text, "late %lu\nfailed %lu\nwithout_memory %lu\nvanished %lu\nbusy %lu\n", now.late,
               now.failed, now.without_memory, now.vanished, now.busy);
    proc_print(text, "delayed %lu\nanswered %lu\n", now.delayed, now.answered);
    if (now.last[0])
        proc_print(text, "last %s\n", now.last);
    chaos_each_pair(print_pair, text);
    return 0;
}

/* A number and the blanks behind it; false: there is none. */
static bool take(const char **at, const char *end, uint64_t *number) {
    const char *first = *at;
    for (*number = 0; *at < end && **at >= '0' && **at <= '9' && *number < 1ul << 56; (*at)++)
        *number = *number * 10 + (uint64_t)(**at - '0');
    bool found = *at > first;
    while (*at < end && (**at == ' ' || **at == '\n'))
        (*at)++;
    return found;
}

k42_result proc_write_chaos(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    const char *at = bytes, *end = bytes + size;
    uint64_t words[] = {0, 1, 0, 0};
    if (!take(&at, end, &words[0]))
        return -EINVAL;
    for (unsigned i = 1; at < end; i++)
        if (i == sizeof words / sizeof words[0] || !take(&at, end, &words[i]))
            return -EINVAL;
    if (words[0] > CHAOS_MOST_RATE || words[2] > CHAOS_MOST_RATE || words[3] > CHAOS_MOST_RATE)
        return -EINVAL;
    return chaos_set(&(struct chaos_wish){.rate = (uint32_t)words[0],
                                          .seed = words[1],
                                          .delays = (uint32_t)words[2],
                                          .failures = (uint32_t)words[3]});
}
