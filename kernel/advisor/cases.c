/*
 * Cases: what is known of each object that was worth a look, by the object's number.
 *
 * A table that doubles. Cases are made by the advisors' thread and, when somebody chooses a class,
 * by whoever carries that out; only the thread looks into them and ends them, so what it has found
 * stays. The lock guards the table and the count. They have a cache of their own in the heap, so
 * that how many there are can be told: one for each object somebody has ever chosen for. A case
 * outlives its object until the thread comes by; should another object get the number before that,
 * it inherits that somebody has chosen: then it is left alone, which harms nobody.
 */
#include "inside.h"

enum { BUCKETS_FIRST = 256, MOST = 1024 };

static struct {
    struct k42_lock lock;
    struct heap_cache *memory;
    struct advice_case **buckets;
    uint32_t bucket_count, count, ours; /* ours: those that nobody has chosen for */
    uint32_t hand;                      /* the bucket to go on with; the thread's */
} cases;

static uint32_t bucket_of(k42_id id) {
    return (id ^ id >> 9) & (cases.bucket_count - 1);
}

/* Under the lock. Without memory it stays as it is, and is slower. */
static void grow(void) {
    uint32_t before = cases.bucket_count, count = before ? 2 * before : BUCKETS_FIRST;
    struct advice_case **old = cases.buckets;
    struct advice_case **larger = heap_allocate_zeroed(count * sizeof(void *));
    if (!larger)
        return;
    cases.buckets = larger;
    cases.bucket_count = count;
    for (uint32_t i = 0; i < before; i++)
        for (struct advice_case *one = old[i], *next; one; one = next) {
            next = one->next;
            one->next = larger[bucket_of(one->id)];
            larger[bucket_of(one->id)] = one;
        }
    heap_free(old);
}

/* Under the lock. */
static struct advice_case *find(k42_id id) {
    if (!cases.bucket_count)
        return NULL;
    struct advice_case *one = cases.buckets[bucket_of(id)];
    while (one && one->id != id)
        one = one->next;
    return one;
}

/* Under the lock. */
static struct advice_case *add(k42_id id) {
    if (cases.count >= cases.bucket_count)
        grow();
    struct advice_case *one =
        cases.memory && cases.buckets ? heap_cache_allocate_zeroed(cases.memory) : NULL;
    if (!one)
        return NULL;
    one->id = id;
    one->whose = -1;
    one->next = cases.buckets[bucket_of(id)];
    cases.buckets[bucket_of(id)] = one;
    cases.count++;
    return one;
}

k42_result cases_open(void) {
    cases.memory = heap_cache_create("advice-cases", sizeof(struct advice_case), 16);
    return cases.memory ? 0 : -ENOMEM;
}

struct advice_case *case_open(k42_id id) {
    k42_lock(&cases.lock);
    struct advice_case *one = find(id);
    if (!one && cases.ours < MOST && (one = add(id)))
        cases.ours++;
    k42_unlock(&cases.lock);
    return one;
}

k42_result advisor_chosen(k42_id id) {
    k42_lock(&cases.lock);
    struct advice_case *one = find(id);
    if (!one)
        one = add(id);
    else if (!one->chosen)
        cases.ours--;
    if (one)
        __atomic_store_n(&one->chosen, 1, __ATOMIC_RELEASE);
    k42_unlock(&cases.lock);
    return one ? 0 : -ENOMEM;
}

bool case_submit(struct advice_case *one, struct k42_swap *swap) {
    k42_lock(&cases.lock);
    bool ours = !one->chosen;
    if (ours)
        ours = k42_swap_submit(swap) >= 0;
    k42_unlock(&cases.lock);
    return ours;
}

void advisor_chosen_no_more(k42_id id) {
    k42_lock(&cases.lock);
    struct advice_case *one = find(id);
    if (one && one->chosen) {
        __atomic_store_n(&one->chosen, 0, __ATOMIC_RELEASE);
        cases.ours++;
    }
    k42_unlock(&cases.lock);
}

/* ---- visiting ---- */

static void close(struct advice_case *one) {
    k42_lock(&cases.lock);
    struct advice_case **at = &cases.buckets[bucket_of(one->id)];
    while (*at != one)
        at = &(*at)->next;
    *at = one->next;
    cases.count--;
    cases.ours -= !one->chosen;
    k42_unlock(&cases.lock);
    heap_free(one);
}

/* Those of one bucket, copied: the chain may grow, and the table, but none of them goes. */
static unsigned copy_bucket(struct advice_case **list, unsigned most) {
    unsigned count = 0;
    k42_lock(&cases.lock);
    if (cases.bucket_count) {
        struct advice_case *one = cases.buckets[cases.hand++ & (cases.bucket_count - 1)];
        for (; one && count < most; one = one->next)
            list[count++] = one;
    }
    k42_unlock(&cases.lock);
    return count;
}

void cases_visit(unsigned count, bool (*visit)(struct advice_case *)) {
    enum { AT_ONCE = 32 };
    struct advice_case *list[AT_ONCE];
    uint32_t buckets = cases.bucket_count;
    while (count && buckets--) {
        unsigned found = copy_bucket(list, AT_ONCE);
        count -= found < count ? found : count;
        for (unsigned i = 0; i < found; i++)
            if (!visit(list[i]))
                close(list[i]);
    }
}
