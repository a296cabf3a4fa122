/*
 * Tables: global entries, pages of slots, and who gets which id.
 *
 * A page of slots belongs to one interface for ever. Ids come from a queue per CPU and interface,
 * refilled in batches from the interface's depot or with a new page, so that making objects seldom
 * writes a line that another CPU writes. The reclaimer, the one who frees ids, returns them to the
 * depot, from which they go out again oldest first. When no page is left, what other CPUs hold in
 * their queues is called in, so an id is out of reach only while it is in use.
 *
 * Owns: entries, template, directory of pages, depots. Locking: a CPU's queues by its ids_lock, a
 * depot by its own; depots are taken inside ids_lock, never the other way round. Fails: -ENFILE
 * when max_objects ids are in use, -ENOMEM.
 */
#include "entry.h"
#include "stubs.h"

#define BATCH 64u

struct depot {
    struct k42_lock lock;
    struct k42_id_queue queue;
    uint32_t first_page;
};

struct k42_entry *k42_entries;
uint32_t k42_slots_max;

static struct {
    uint16_t *interface_of; /* by page */
    uint32_t *next;         /* by page: next page of the same interface */
    struct depot *depots;   /* by interface number */
    uint16_t *freed;        /* by page: ids that will not be used again, with checks */
    uint32_t used;          /* pages handed out, page 0 (the heads') included */
    uint32_t pages;
} table;

int k42_table_open(uint32_t max_objects) {
    table.pages = (max_objects + K42_SLOTS_PER_PAGE - 1) / K42_SLOTS_PER_PAGE + 1;
    k42_slots_max = table.pages * K42_SLOTS_PER_PAGE;
    k42_entries = k42_platform_reserve(sizeof(struct k42_entry) * k42_slots_max);
    table.interface_of = k42_platform_reserve(sizeof(uint16_t) * table.pages);
    table.next = k42_platform_reserve(sizeof(uint32_t) * table.pages);
    table.depots = k42_platform_reserve(sizeof(struct depot) * K42_INTERFACES_MAX);
    table.freed = k42_platform_reserve(sizeof(uint16_t) * table.pages);
    if (!k42_entries || !table.interface_of || !table.next || !table.depots || !table.freed) {
        k42_table_close();
        return -ENOMEM;
    }
    int error = k42_platform_tables_open(sizeof(void *) * (size_t)k42_slots_max);
    if (error) {
        k42_table_close();
        return error;
    }
    table.used = 1;
    k42_entries[0] = (struct k42_entry){.ops = k42_miss_ops, .state = K42_ENTRY_DEAD};
    return 0;
}

void k42_table_close(void) {
    k42_platform_tables_close();
    if (k42_entries)
        k42_platform_unreserve(k42_entries, sizeof(struct k42_entry) * k42_slots_max);
    if (table.interface_of)
        k42_platform_unreserve(table.interface_of, sizeof(uint16_t) * table.pages);
    if (table.next)
        k42_platform_unreserve(table.next, sizeof(uint32_t) * table.pages);
    if (table.depots)
        k42_platform_unreserve(table.depots, sizeof(struct depot) * K42_INTERFACES_MAX);
    if (table.freed)
        k42_platform_unreserve(table.freed, sizeof(uint16_t) * table.pages);
    k42_entries = NULL;
    table.interface_of = NULL;
    table.next = NULL;
    table.depots = NULL;
    table.freed = NULL;
}

/* ---- queues of free ids, linked through the entries' root members ---- */

static void queue_push(struct k42_id_queue *queue, k42_id id) {
    k42_entries[id].root = NULL;
    if (queue->count++)
        k42_entries[queue->last].root = (struct k42_root *)(uintptr_t)id;
    else
        queue->first = id;
    queue->last = id;
}

static k42_id queue_pop(struct k42_id_queue *queue) {
    k42_id id = queue->first;
    queue->first = (k42_id)(uintptr_t)k42_entries[id].root;
    queue->count--;
    return id;
}

static void queue_move(struct k42_id_queue *from, struct k42_id_queue *to, uint32_t count) {
    while (count-- && from->count)
        queue_push(to, queue_pop(from));
}

/* Hands a new page of slots to an interface and its ids to `queue`. */
static k42_result page_add(uint32_t number, struct k42_id_queue *queue) {
    uint32_t page = __atomic_fetch_add(&table.used, 1, __ATOMIC_RELAXED);
    if (page >= table.pages) {
        __atomic_fetch_sub(&table.used, 1, __ATOMIC_RELAXED);
        return -ENFILE;
    }
    k42_id first = page * K42_SLOTS_PER_PAGE;
    void **slots = k42_platform_template(first * sizeof(void *));
    if (!slots)
        return -ENOMEM;
    for (uint32_t i = 0; i < K42_SLOTS_PER_PAGE; i++) {
        k42_entries[first + i].ops = k42_miss_ops;
        slots[i] = &k42_entries[first + i];
        queue_push(queue, first + i);
    }
    table.interface_of[page] = (uint16_t)number;
    struct depot *depot = &table.depots[number];
    k42_lock(&depot->lock);
    table.next[page] = depot->first_page;
    k42_store_release(&depot->first_page, page);
    k42_unlock(&depot->lock);
    return 0;
}

static k42_result queue_refill(uint32_t number, struct k42_id_queue *queue) {
    struct depot *depot = &table.depots[number];
    k42_lock(&depot->lock);
    queue_move(&depot->queue, queue, BATCH);
    k42_unlock(&depot->lock);
    return queue->count ? 0 : page_add(number, queue);
}

/* From this CPU's queue, refilled if need be. */
static k42_result id_take(uint32_t number, k42_id *id) {
    struct k42_cpu *cpu = k42_cpu_or_shared();
    k42_result result = 0;
    k42_lock(&cpu->ids_lock);
    struct k42_id_queue *queue = &cpu->ids[number];
    if (!queue->count)
        result = queue_refill(number, queue);
    if (!result)
        *id = queue_pop(queue);
    k42_unlock(&cpu->ids_lock);
    return result;
}

static void queue_call_in(struct k42_cpu *cpu, uint32_t number) {
    struct depot *depot = &table.depots[number];
    k42_lock(&cpu->ids_lock);
    k42_lock(&depot->lock);
    queue_move(&cpu->ids[number], &depot->queue, cpu->ids[number].count);
    k42_unlock(&depot->lock);
    k42_unlock(&cpu->ids_lock);
}

k42_result k42_id_allocate(uint32_t number, k42_id *id) {
    k42_result result = id_take(number, id);
    if (result != -ENFILE)
        return result;
    queue_call_in(&k42_shared_cpu, number);
    for (uint32_t i = 0; i < k42_cpu_limit(); i++)
        queue_call_in(k42_cpus[i], number);
    return id_take(number, id);
}

void k42_id_free(k42_id id) {
#ifdef K42_DEBUG
    /* Never used again, so that a ref kept too long is always found stale. */
    k42_store_release(&k42_entries[id].root, NULL);
    __atomic_fetch_add(&table.freed[id / K42_SLOTS_PER_PAGE], 1, __ATOMIC_RELAXED);
#else
    struct depot *depot = &table.depots[k42_id_interface(id)];
    k42_store_release(&k42_entries[id].state, 0);
    k42_lock(&depot->lock);
    queue_push(&depot->queue, id);
    k42_unlock(&depot->lock);
#endif
}

bool k42_page_spent(uint32_t page) {
    return k42_load_relaxed(&table.freed[page]) == K42_SLOTS_PER_PAGE;
}

uint32_t k42_id_interface(k42_id id) {
    return table.interface_of[id / K42_SLOTS_PER_PAGE];
}

bool k42_id_valid(k42_id id) {
    return id / K42_SLOTS_PER_PAGE < k42_load_acquire(&table.used) && id < k42_slots_max;
}

void k42_slots_empty(k42_id id, uint32_t touched) {
    uint32_t limit = k42_cpu_limit();
    /* Bit b stands for the CPUs congruent to b; with up to 32 CPUs it is exact. */
    for (; touched; touched &= touched - 1) {
        for (uint32_t cpu = (uint32_t)__builtin_ctz(touched); cpu < limit; cpu += 32) {
            void **slots = (void **)k42_cpus[cpu];
            /* Reading a page that this CPU never wrote shows the template: nothing to do. */
            if (k42_load_relaxed(&slots[id]) != (void *)&k42_entries[id])
                k42_store_release(&slots[id], (void *)&k42_entries[id]);
        }
    }
}

uint32_t k42_page_first(uint32_t number) {
    return k42_load_acquire(&table.depots[number].first_page);
}

uint32_t k42_page_next(uint32_t page) {
    return table.next[page];
}

uint32_t k42_pages_used(void) {
    uint32_t used = k42_load_acquire(&table.used);
    return used < table.pages ? used : table.pages;
}
