/*
 * PM, in turns: whoever can give frames back is asked in turn, each for an equal share.
 *
 * Taking a frame charges the account and those above it that have limits, then asks the frame
 * allocator, in the name of this account, so that what a process has lies together.
 *
 * Locking: account.h. Formats: the account, by pointer. Fails: see pm.h.
 */
#include "account.h"

#include "../../body.h"

#include "runtime.h"

static inline struct account *account_of(struct pm *self) {
    return BODY(self);
}

pm_ref pm_machine;

/* For those who must have some to give more back. */
static struct frame_consumer *urgent;

static void turns_fini(struct k42_root *root) {
    struct account *account = body_of_root(root);
    if (account)
        account_release(account);
}

/* ---- frames ---- */

static k42_result refuse(struct pm *self, struct account *short_, unsigned flags) {
    struct account *account = account_of(self);
    if (flags & PM_TRY)
        return -ENOMEM;
    if (__atomic_load_n(&account->hopeless, __ATOMIC_RELAXED) &&
        __atomic_exchange_n(&account->hopeless, 0, __ATOMIC_SEQ_CST))
        return -ENOMEM;
    k42_id id = k42_root_id(BODY_ROOT(self));
    relief_ask(account, short_, id);
    return wait_on(id, 0, (uint32_t)WAIT_ANY);
}

static k42_result allocate(struct account *account, unsigned order, unsigned flags,
                           struct frame **frame) {
    bool zeroed = flags & PM_ZERO && !order;
    k42_result result = zeroed ? frame_allocate_zeroed(account->consumer, frame)
                               : frame_allocate(order, account->consumer, frame);
    if (result == -ENOMEM && flags & PM_URGENT)
        result =
            zeroed ? frame_allocate_zeroed(urgent, frame) : frame_allocate(order, urgent, frame);
    if (result == 0 && flags & PM_ZERO && !zeroed)
        for (uint64_t i = 0; i < 1ul << order; i++)
            machine_zero_page(machine_memory(frame_physical(*frame) + i * FRAME_BYTES));
    return result;
}

static struct k42_pair take(struct pm *self, unsigned order, unsigned flags) {
    struct account *account = account_of(self);
    struct frame *frame;
    if (order > FRAME_ORDER_MAX)
        return (struct k42_pair){-EINVAL, 0};
    struct account *short_ = account_charge(account, 1ul << order);
    if (short_)
        return (struct k42_pair){refuse(self, short_, flags), 0};
    if (allocate(account, order, flags, &frame)) {
        account_discharge(account, 1ul << order);
        return (struct k42_pair){refuse(self, relief_machine, flags | (order ? PM_TRY : 0)), 0};
    }
    return (struct k42_pair){0, frame_physical(frame)};
}

static k42_result give(struct pm *self, uint64_t physical, unsigned order, unsigned flags) {
    if (flags & PM_ZERO && !order)
        frame_free_zeroed(frame_at(physical));
    else
        frame_free(frame_at(physical), order);
    account_discharge(account_of(self), 1ul << order);
    return 0;
}

/* ---- who gives back ---- */

static k42_result enlist(struct pm *self, k42_ref fcm) {
    return account_enlist(account_of(self), k42_ref_id(fcm));
}

static k42_result delist(struct pm *self, k42_ref fcm) {
    account_delist(account_of(self), k42_ref_id(fcm));
    return 0;
}

/* ---- limits ---- */

static k42_result divide(struct pm *self, uint64_t limit, k42_ref *below) {
    struct account *account = account_make(account_of(self), limit);
    if (!account)
        return -ENOMEM;
    k42_result result = k42_make(&pm_turns, account, below);
    if (result)
        account_release(account);
    return result;
}

static k42_result limit(struct pm *self, uint64_t frames) {
    struct account *account = account_of(self);
    __atomic_store_n(&account->limit, frames, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&account->used, __ATOMIC_SEQ_CST) > frames ? refuse(self, account, 0)
                                                                      : 0;
}

static k42_result usage(struct pm *self, struct pm_usage *usage) {
    struct account *account = account_of(self);
    *usage =
        (struct pm_usage){.used = __atomic_load_n(&account->used, __ATOMIC_RELAXED),
                          .peak = __atomic_load_n(&account->peak, __ATOMIC_RELAXED),
                          .limit = __atomic_load_n(&account->limit, __ATOMIC_RELAXED),
                          .fcms = account_fcm_count(account),
                          .given_back = __atomic_load_n(&account->given_back, __ATOMIC_RELAXED)};
    if (!account->above) {
        struct frame_statistics statistics;
        frames_count(&statistics);
        usage->used = statistics.used;
    }
    return 0;
}

static k42_result describe(struct k42_object *self, char *text, size_t size) {
    struct account *account = account_of((struct pm *)(void *)self);
    return (k42_result)k42_format_text(text, size, "%lu frames, of %lu at most, %u FCMs",
                                       account->used, account->limit, account_fcm_count(account));
}

/* ---- state ---- */

static const struct k42_format account_format = {.name = "pm.account", .version = 1, .cost = 1};
static const struct k42_transfer turns_transfers[] = BODY_TRANSFERS(account_format);

static const struct pm_ops turns_ops = {
    .object.describe = describe,
    .take = take,
    .give = give,
    .enlist = enlist,
    .delist = delist,
    .divide = divide,
    .limit = limit,
    .usage = usage,
};

K42_CLASS(pm_turns) = {
    .name = "pm.turns",
    .interface = &pm_interface,
    .version = 1,
    .traits = "choice=turns",
    BODY_LAYOUT,
    .ops = &turns_ops,
    .fini = turns_fini,
    .transfers = turns_transfers,
};

k42_result pm_open(void) {
    urgent = frame_consumer_create("pm urgent", FRAME_URGENT);
    k42_result result = urgent ? relief_open() : -ENOMEM;
    if (result)
        return result;
    k42_ref machine;
    result = k42_create(&pm_turns, relief_machine, &machine);
    pm_machine = (pm_ref)machine;
    return result;
}
