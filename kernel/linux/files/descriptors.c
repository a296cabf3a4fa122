/*
 * The class of tables of descriptors: an array of files, and bits for which are used and which are
 * to be closed on exec.
 *
 * Looking one up takes no lock: array and files are replaced by single stores, and an array that
 * was outgrown is freed a grace period later. A file whose descriptor is closed meanwhile stays
 * callable, or stale, for whoever found it. Everything else is done under the lock; files are held
 * and released outside it.
 *
 * Locking: table->lock, leaf.
 * Formats: descriptors.array, by pointer.
 * Fails:   -ENOMEM when the array has to grow, or be copied.
 */
#include "descriptors.h"

#include "../../body.h"
#include "../../fs/file.h"
#include "../../fs/locks.h"

#include "runtime.h"

#include <errno.h>
#include <string.h>

enum { FIRST = 64, WORD = 64 };

struct array {
    struct k42_defer defer;
    uint32_t capacity; /* a multiple of WORD */
    uint64_t *used, *on_exec;
    k42_ref file[];
};

struct table {
    k42_ref self;
    uint32_t holds;
    struct k42_lock lock;
    struct array *array;
    uint32_t lowest; /* everything below is used */
    uint32_t count;
};

#define TABLE(self) ((struct table *)BODY(self))

static struct array *array_make(uint32_t capacity) {
    size_t words = capacity / WORD;
    struct array *array = k42_platform_alloc(sizeof(*array) + capacity * sizeof(k42_ref) +
                                             2 * words * sizeof(uint64_t));
    if (!array)
        return NULL;
    array->capacity = capacity;
    array->used = (uint64_t *)(void *)(array->file + capacity);
    array->on_exec = array->used + words;
    return array;
}

static void array_free(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct array, defer));
}

static bool bit(const uint64_t *bits, uint32_t number) {
    return bits[number / WORD] >> number % WORD & 1;
}

static void set_bit(uint64_t *bits, uint32_t number, bool value) {
    uint64_t mask = 1ul << number % WORD;
    bits[number / WORD] = (bits[number / WORD] & ~mask) | (value ? mask : 0);
}

/* ---- with the lock ---- */

static k42_result grow(struct table *table, uint32_t number) {
    struct array *old = table->array;
    uint32_t capacity = old->capacity;
    while (capacity <= number)
        capacity *= 2;
    struct array *array = array_make(capacity);
    if (!array)
        return -ENOMEM;
    memcpy(array->file, old->file, old->capacity * sizeof(k42_ref));
    memcpy(array->used, old->used, old->capacity / 8);
    memcpy(array->on_exec, old->on_exec, old->capacity / 8);
    __atomic_store_n(&table->array, array, __ATOMIC_RELEASE);
    k42_defer(&old->defer, array_free);
    return 0;
}

/* The lowest free number from `from` on; it may lie behind the array. */
static uint32_t find_free(const struct table *table, uint32_t from) {
    const struct array *array = table->array;
    uint32_t at = from > table->lowest ? from : table->lowest;
    while (at < array->capacity) {
        uint64_t free = ~array->used[at / WORD] & (~0ul << at % WORD);
        if (free)
            return (at & ~(uint32_t)(WORD - 1)) + (uint32_t)__builtin_ctzl(free);
        at = (at | (WORD - 1)) + 1;
    }
    return at;
}

/* What was at the number goes to *before. */
static void fill(struct table *table, uint32_t number, k42_ref file, unsigned flags,
                 k42_ref *before) {
    struct array *array = table->array;
    *before = array->file[number];
    table->count += !*before;
    set_bit(array->used, number, true);
    set_bit(array->on_exec, number, flags & DESCRIPTOR_CLOSE_ON_EXEC);
    __atomic_store_n(&array->file[number], file, __ATOMIC_RELEASE);
    if (number == table->lowest)
        table->lowest++;
}

static k42_ref empty(struct table *table, uint32_t number) {
    struct array *array = table->array;
    if (number >= array->capacity || !array->file[number])
        return K42_NULL_REF;
    k42_ref file = array->file[number];
    __atomic_store_n(&array->file[number], K42_NULL_REF, __ATOMIC_RELEASE);
    set_bit(array->used, number, false);
    set_bit(array->on_exec, number, false);
    table->count--;
    if (number < table->lowest)
        table->lowest = number;
    return file;
}

/* ---- methods ---- */

static void let_go(k42_ref file) {
    if (file)
        (void)!k42_call((file_ref)file, release);
}

static k42_result array_hold(struct descriptors *self) {
    struct table *table = TABLE(self);
    uint32_t holds = __atomic_load_n(&table->holds, __ATOMIC_RELAXED);
    while (holds)
        if (__atomic_compare_exchange_n(&table->holds, &holds, holds + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return 0;
    return -K42_STALE;
}

static k42_result array_release(struct descriptors *self) {
    struct table *table = TABLE(self);
    if (__atomic_sub_fetch(&table->holds, 1, __ATOMIC_ACQ_REL))
        return 0;
    struct array *array = table->array;
    locks_drop(0, k42_ref_id(table->self));
    for (uint32_t at = 0; at < array->capacity; at++)
        let_go(array->file[at]);
    (void)!k42_destroy(table->self);
    return 0;
}

static struct k42_pair array_get(struct descriptors *self, int number) {
    const struct array *array = __atomic_load_n(&TABLE(self)->array, __ATOMIC_ACQUIRE);
    if ((uint32_t)number < array->capacity) {
        k42_ref file = __atomic_load_n(&array->file[number], __ATOMIC_ACQUIRE);
        if (file)
            return (struct k42_pair){0, (uintptr_t)file};
    }
    return (struct k42_pair){.result = -EBADF};
}

static k42_result array_add(struct descriptors *self, int from, k42_ref file, unsigned flags,
                            int limit) {
    struct table *table = TABLE(self);
    k42_ref before;
    k42_lock(&table->lock);
    uint32_t number = find_free(table, (uint32_t)from);
    k42_result result = (int)number;
    if (number >= (uint32_t)limit)
        result = -EMFILE;
    else if (number >= table->array->capacity && grow(table, number) < 0)
        result = -ENOMEM;
    else
        fill(table, number, file, flags, &before);
    k42_unlock(&table->lock);
    return result;
}

static k42_result array_room(struct descriptors *self, int from, int limit) {
    struct table *table = TABLE(self);
    k42_lock(&table->lock);
    bool is = find_free(table, (uint32_t)from) < (uint32_t)limit;
    k42_unlock(&table->lock);
    return is ? 0 : -EMFILE;
}

static k42_result array_put(struct descriptors *self, int number, k42_ref file, unsigned flags,
                            int limit) {
    struct table *table = TABLE(self);
    k42_ref before = K42_NULL_REF;
    if (number < 0 || number >= limit)
        return -EBADF;
    k42_lock(&table->lock);
    k42_result result = number;
    if ((uint32_t)number >= table->array->capacity && grow(table, (uint32_t)number) < 0)
        result = -ENOMEM;
    else
        fill(table, (uint32_t)number, file, flags, &before);
    k42_unlock(&table->lock);
    let_go(before);
    return result;
}

static struct k42_pair array_take(struct descriptors *self, int number) {
    struct table *table = TABLE(self);
    k42_lock(&table->lock);
    k42_ref file = empty(table, (uint32_t)number);
    k42_unlock(&table->lock);
    return (struct k42_pair){file ? 0 : -EBADF, (uintptr_t)file};
}

static k42_result array_flags(struct descriptors *self, int number) {
    struct table *table = TABLE(self);
    k42_lock(&table->lock);
    struct array *array = table->array;
    k42_result result = -EBADF;
    if ((uint32_t)number < array->capacity && array->file[number])
        result = bit(array->on_exec, (uint32_t)number) ? DESCRIPTOR_CLOSE_ON_EXEC : 0;
    k42_unlock(&table->lock);
    return result;
}

static k42_result array_set_flags(struct descriptors *self, int number, unsigned flags) {
    struct table *table = TABLE(self);
    k42_lock(&table->lock);
    struct array *array = table->array;
    k42_result result = -EBADF;
    if ((uint32_t)number < array->capacity && array->file[number]) {
        set_bit(array->on_exec, (uint32_t)number, flags & DESCRIPTOR_CLOSE_ON_EXEC);
        result = 0;
    }
    k42_unlock(&table->lock);
    return result;
}

static k42_result array_next(struct descriptors *self, int from) {
    struct table *table = TABLE(self);
    k42_result result = -ENOENT;
    k42_lock(&table->lock);
    const struct array *array = table->array;
    for (uint32_t at = (uint32_t)from; at < array->capacity; at = (at | (WORD - 1)) + 1) {
        uint64_t used = array->used[at / WORD] & (~0ul << at % WORD);
        if (used) {
            result = (at & ~(uint32_t)(WORD - 1)) + (uint32_t)__builtin_ctzl(used);
            break;
        }
    }
    k42_unlock(&table->lock);
    return result;
}

static struct table *table_make(uint32_t capacity);
static k42_result table_publish(struct table *table);

/* Files that were closed since the array was copied cannot be held, and are left out. */
static void hold_all(struct table *table) {
    struct array *array = table->array;
    for (uint32_t at = 0; at < array->capacity; at++) {
        if (!array->file[at])
            continue;
        if (k42_call((file_ref)array->file[at], hold) < 0) {
            (void)empty(table, at);
            continue;
        }
        table->count++;
    }
}

static struct k42_pair array_copy(struct descriptors *self) {
    struct table *table = TABLE(self);
    struct table *copy = table_make(__atomic_load_n(&table->array, __ATOMIC_ACQUIRE)->capacity);
    if (!copy)
        return (struct k42_pair){.result = -ENOMEM};
    k42_result result = 0;
    k42_lock(&table->lock);
    struct array *from = table->array;
    if (from->capacity > copy->array->capacity)
        result = grow(copy, from->capacity - 1);
    if (result == 0) {
        memcpy(copy->array->file, from->file, from->capacity * sizeof(k42_ref));
        memcpy(copy->array->used, from->used, from->capacity / 8);
        memcpy(copy->array->on_exec, from->on_exec, from->capacity / 8);
        copy->lowest = table->lowest;
    }
    k42_unlock(&table->lock);
    if (result == 0)
        result = table_publish(copy);
    if (result < 0) {
        k42_platform_free(copy->array);
        k42_platform_free(copy);
        return (struct k42_pair){.result = result};
    }
    hold_all(copy);
    return (struct k42_pair){0, (uintptr_t)copy->self};
}

static k42_result array_executed(struct descriptors *self) {
    struct table *table = TABLE(self);
    for (uint32_t word = 0;; word++) {
        k42_ref closed[WORD];
        unsigned count = 0;
        k42_lock(&table->lock);
        struct array *array = table->array;
        bool more = word < array->capacity / WORD;
        for (uint64_t bits = more ? array->on_exec[word] : 0; bits; bits &= bits - 1)
            closed[count++] = empty(table, word * WORD + (uint32_t)__builtin_ctzl(bits));
        k42_unlock(&table->lock);
        for (unsigned n = 0; n < count; n++)
            let_go(closed[n]);
        if (!more)
            return 0;
    }
}

static k42_result array_holders(struct descriptors *self) {
    return __atomic_load_n(&TABLE(self)->holds, __ATOMIC_RELAXED);
}

static k42_result array_describe(struct k42_object *self, char *text, size_t size) {
    struct table *table = TABLE(self);
    return (k42_result)k42_format_text(text, size, "%u descriptors of %u, %u holds", table->count,
                                       table->array->capacity, table->holds);
}

static const struct descriptors_ops array_ops = {
    .object.describe = array_describe,
    .hold = array_hold,
    .release = array_release,
    .get = array_get,
    .add = array_add,
    .put = array_put,
    .take = array_take,
    .flags = array_flags,
    .set_flags = array_set_flags,
    .next = array_next,
    .copy = array_copy,
    .executed = array_executed,
    .holders = array_holders,
    .room = array_room,
};

static void table_fini(struct k42_root *root) {
    struct table *table = body_of_root(root);
    if (!table)
        return;
    k42_platform_free(table->array);
    k42_platform_free(table);
}

static const struct k42_format array_format = {"descriptors.array", 1, 1};
static const struct k42_transfer array_transfers[] = BODY_TRANSFERS(array_format);

K42_CLASS(descriptors_array) = {
    .name = "descriptors.array",
    .interface = &descriptors_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &array_ops,
    .fini = table_fini,
    .transfers = array_transfers,
};

static struct table *table_make(uint32_t capacity) {
    struct table *table = k42_platform_alloc(sizeof(*table));
    if (!table)
        return NULL;
    table->holds = 1;
    table->array = array_make(capacity);
    if (!table->array) {
        k42_platform_free(table);
        return NULL;
    }
    return table;
}

static k42_result table_publish(struct table *table) {
    return k42_make(&descriptors_array, table, &table->self);
}

k42_result descriptors_make(descriptors_ref *made) {
    struct table *table = table_make(FIRST);
    k42_result result = table ? table_publish(table) : -ENOMEM;
    if (result < 0) {
        if (table)
            k42_platform_free(table->array);
        k42_platform_free(table);
        return result;
    }
    *made = (descriptors_ref)table->self;
    return 0;
}
