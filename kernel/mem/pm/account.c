/*
 * Accounts: a tree of limits and counts, and the FCMs that can give frames back.
 *
 * Owns: each account's consumer of frames, its reference to the one above. An account leaves its
 * list when the last reference goes, under the lock of the one above; so whoever holds one may go
 * on from it to the next.
 */
#include "account.h"

#include "runtime.h"

enum { LEAST_SHARE = 16 };

/* ---- lives ---- */

struct account *account_make(struct account *above, uint64_t limit) {
    struct account *account = heap_allocate_zeroed(sizeof *account);
    if (!account)
        return NULL;
    account->limit = limit;
    account->refs = 1;
    if (!above)
        return account;
    account->consumer = frame_consumer_create("pm", 0);
    if (!account->consumer) {
        heap_free(account);
        return NULL;
    }
    account_hold(above);
    account->above = above;
    k42_lock(&above->lock);
    account->next = above->below;
    account->link = &above->below;
    if (account->next)
        account->next->link = &account->next;
    above->below = account;
    k42_unlock(&above->lock);
    return account;
}

void account_hold(struct account *account) {
    __atomic_add_fetch(&account->refs, 1, __ATOMIC_RELAXED);
}

/* Unless it is going. */
static bool try_hold(struct account *account) {
    uint32_t refs = __atomic_load_n(&account->refs, __ATOMIC_RELAXED);
    while (refs && !__atomic_compare_exchange_n(&account->refs, &refs, refs + 1, true,
                                                __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        ;
    return refs != 0;
}

static void leave(struct account *account) {
    k42_lock(&account->above->lock);
    *account->link = account->next;
    if (account->next)
        account->next->link = account->link;
    k42_unlock(&account->above->lock);
}

/* What was not given back is the kernel's from now on, and no longer on the bill above. */
void account_release(struct account *account) {
    while (account && !__atomic_sub_fetch(&account->refs, 1, __ATOMIC_ACQ_REL)) {
        struct account *above = account->above;
        if (above) {
            leave(account);
            account_discharge(above, __atomic_load_n(&account->used, __ATOMIC_RELAXED));
        }
        if (account->consumer)
            (void)frame_consumer_destroy(account->consumer);
        heap_free(account->fcms.ids);
        order_end(&account->order);
        heap_free(account);
        account = above;
    }
}

/* ---- counting ---- */

static void raise_peak(struct account *account, uint64_t used) {
    uint64_t peak = __atomic_load_n(&account->peak, __ATOMIC_RELAXED);
    while (peak < used && !__atomic_compare_exchange_n(&account->peak, &peak, used, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

static void discharge_until(struct account *account, const struct account *end, uint64_t frames) {
    for (; account != end; account = account->above)
        __atomic_sub_fetch(&account->used, frames, __ATOMIC_RELAXED);
}

/* The machine's account, on top, is not counted: the frame allocator knows. */
struct account *account_charge(struct account *account, uint64_t frames, bool urgent) {
    for (struct account *one = account; one->above; one = one->above) {
        uint64_t used = __atomic_add_fetch(&one->used, frames, __ATOMIC_RELAXED);
        if (used > __atomic_load_n(&one->limit, __ATOMIC_RELAXED) && !urgent) {
            discharge_until(account, one->above, frames);
            return one;
        }
        raise_peak(one, used);
    }
    return NULL;
}

void account_discharge(struct account *account, uint64_t frames) {
    for (; account->above; account = account->above)
        __atomic_sub_fetch(&account->used, frames, __ATOMIC_RELAXED);
}

/* ---- FCMs ---- */

static uint32_t place_of(const struct fcm_set *set, k42_id id) {
    uint32_t at = (id * 2654435769u) & (set->room - 1);
    while (set->ids[at] && set->ids[at] != id)
        at = (at + 1) & (set->room - 1);
    return at;
}

static k42_result widen(struct fcm_set *set) {
    struct fcm_set wider = {.room = set->room ? set->room * 2 : 16};
    wider.ids = heap_allocate_zeroed(wider.room * sizeof *wider.ids);
    if (!wider.ids)
        return -ENOMEM;
    for (uint32_t i = 0; i < set->room; i++)
        if (set->ids[i])
            wider.ids[place_of(&wider, set->ids[i])] = set->ids[i];
    wider.count = set->count;
    heap_free(set->ids);
    *set = wider;
    return 0;
}

k42_result account_enlist(struct account *account, k42_id fcm) {
    struct fcm_set *set = &account->fcms;
    k42_lock(&account->lock);
    k42_result result = 2 * (set->count + 1) > set->room ? widen(set) : 0;
    if (!result) {
        uint32_t at = place_of(set, fcm);
        set->count += !set->ids[at];
        set->ids[at] = fcm;
    }
    k42_unlock(&account->lock);
    return result;
}

/* Those behind it that are not at home move up, so that no gap parts them from their home. */
static void close_gap(struct fcm_set *set, uint32_t gap) {
    set->ids[gap] = 0;
    for (uint32_t at = (gap + 1) & (set->room - 1); set->ids[at]; at = (at + 1) & (set->room - 1)) {
        k42_id id = set->ids[at];
        set->ids[at] = 0;
        set->ids[place_of(set, id)] = id;
    }
}

bool account_delist(struct account *account, k42_id fcm) {
    struct fcm_set *set = &account->fcms;
    k42_lock(&account->lock);
    uint32_t at = set->room ? place_of(set, fcm) : 0;
    bool known = set->room && set->ids[at];
    if (known) {
        set->count--;
        close_gap(set, at);
    }
    bool ends = known && !set->count && account->ends;
    account->ends = account->ends && !ends;
    k42_unlock(&account->lock);
    return ends;
}

uint32_t account_fcm_count(struct account *account) {
    k42_lock(&account->lock);
    uint32_t count = account->fcms.count;
    k42_unlock(&account->lock);
    return count;
}

k42_id account_next_fcm(struct account *account) {
    struct fcm_set *set = &account->fcms;
    k42_id found = 0;
    k42_lock(&account->lock);
    for (uint32_t looked = 0; set->count && looked < set->room && !found; looked++) {
        set->hand = (set->hand + 1) & (set->room - 1);
        found = set->ids[set->hand];
    }
    k42_unlock(&account->lock);
    return found;
}

uint64_t account_ask_fcm(struct account *account, k42_id id, uint64_t share) {
    k42_result freed = k42_call((fcm_ref)k42_id_ref(id), give_back, share);
    if (freed == -K42_STALE)
        (void)account_delist(account, id);
    if (freed <= 0)
        return 0;
    __atomic_add_fetch(&account->given_back, (uint64_t)freed, __ATOMIC_RELAXED);
    return (uint64_t)freed;
}

uint64_t account_ask_fcms(struct account *account, uint64_t wanted) {
    uint32_t count = account_fcm_count(account);
    uint64_t freed = 0, share = count ? wanted / count : 0;
    for (k42_id id; count-- && freed < wanted && (id = account_next_fcm(account));)
        freed += account_ask_fcm(account, id, share > LEAST_SHARE ? share : LEAST_SHARE);
    return freed;
}

struct account *account_next_below(struct account *account, struct account *after) {
    k42_lock(&account->lock);
    struct account *next = after ? after->next : account->below;
    while (next && !try_hold(next))
        next = next->next;
    k42_unlock(&account->lock);
    if (after)
        account_release(after);
    return next;
}
