/*
 * What all PMs do alike: taking and giving frames, limits, who is registered, and having pages
 * leave in the order that a policy keeps.
 *
 * Taking a frame charges the account and those above it that have limits, then asks the frame
 * allocator, in the name of this account, so that what a process has lies together.
 *
 * A page that is asked for is in no list meanwhile, and its record is the asker's: whoever says
 * that it left or came back notes that in the record, and the asker puts it where it belongs. So
 * FCMs are called with no lock held, and may call back.
 */
#include "body.h"

#include "runtime.h"

pm_ref pm_machine;

/* For those who must have some to give more back. */
static struct frame_consumer *urgent;

enum { LOOKS_PER_FRAME = 8, LOOKS_LEAST = 128, BACK_PAGES = 128 /* more than is read ahead */ };

static inline struct account *account_of(struct pm *self) {
    return BODY(self);
}

void pm_body_fini(struct k42_root *root) {
    struct account *account = body_of_root(root);
    if (account)
        account_release(account);
}

/* ---- frames ---- */

static uint64_t refused;

uint64_t pm_refused(void) {
    return __atomic_load_n(&refused, __ATOMIC_RELAXED) + frames_refused();
}

static k42_result refuse(struct pm *self, struct account *short_, unsigned flags) {
    struct account *account = account_of(self);
    if (flags & PM_TRY)
        return -ENOMEM;
    if (__atomic_load_n(&account->hopeless, __ATOMIC_RELAXED) &&
        __atomic_exchange_n(&account->hopeless, 0, __ATOMIC_SEQ_CST)) {
        __atomic_add_fetch(&refused, 1, __ATOMIC_RELAXED);
        return -ENOMEM;
    }
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

static struct k42_pair take(struct pm *self, unsigned order, unsigned flags,
                            struct account **short_) {
    struct account *account = account_of(self);
    struct frame *frame;
    *short_ = account_charge(account, 1ul << order, flags & PM_URGENT);
    if (*short_)
        return (struct k42_pair){-ENOMEM, 0};
    if (flags & PM_CHARGE)
        return (struct k42_pair){0, 0};
    bool may = flags & PM_URGENT || relief_has_frames();
    if (may && !allocate(account, order, flags, &frame))
        return (struct k42_pair){0, frame_physical(frame)};
    account_discharge(account, 1ul << order);
    *short_ = relief_machine;
    return (struct k42_pair){-ENOMEM, 0};
}

struct k42_pair pm_body_take(struct pm *self, unsigned order, unsigned flags) {
    struct account *short_;
    if (order > FRAME_ORDER_MAX)
        return (struct k42_pair){-EINVAL, 0};
    struct k42_pair taken = take(self, order, flags, &short_);
    if (taken.result && !(flags & (PM_URGENT | PM_TRY)) && pm_is_ending && pm_is_ending())
        taken = take(self, order, flags | PM_URGENT, &short_);
    if (taken.result) {
        bool try = order && short_ == relief_machine;
        taken.result = refuse(self, short_, flags | (try ? PM_TRY : 0));
    } else if (__builtin_expect(__atomic_load_n(&account_of(self)->hopeless, __ATOMIC_RELAXED),
                                0)) {
        __atomic_store_n(&account_of(self)->hopeless, 0, __ATOMIC_SEQ_CST);
    }
    return taken;
}

static k42_result end_if_over(struct pm *self) {
    return account_is_over(account_of(self)) ? k42_destroy(k42_root_ref(BODY_ROOT(self))) : 0;
}

k42_result pm_body_give(struct pm *self, uint64_t physical, unsigned order, unsigned flags) {
    if (flags & PM_CHARGE)
        (void)physical;
    else if (flags & PM_ZERO && !order)
        frame_free_zeroed(frame_at(physical));
    else
        frame_free(frame_at(physical), order);
    account_discharge(account_of(self), 1ul << order);
    return end_if_over(self);
}

/* ---- who gives back ---- */

k42_result pm_body_enlist(struct pm *self, k42_ref fcm) {
    return account_enlist(account_of(self), k42_ref_id(fcm));
}

k42_result pm_body_delist(struct pm *self, k42_ref fcm) {
    account_delist(account_of(self), k42_ref_id(fcm));
    return end_if_over(self);
}

k42_result pm_body_end_when_unused(struct pm *self) {
    account_end(account_of(self));
    return end_if_over(self);
}

/* ---- limits ---- */

static k42_result make_below(struct account *above, struct k42_class *class_, uint64_t limit,
                             k42_ref *below) {
    struct account *account = account_make(above, limit);
    if (!account)
        return -ENOMEM;
    k42_result result = k42_make(class_, account, below);
    if (result)
        account_release(account);
    else
        __atomic_store_n(&account->pm, k42_ref_id(*below), __ATOMIC_RELAXED);
    return result;
}

k42_result pm_body_divide(struct pm *self, uint64_t limit, k42_ref *below) {
    return make_below(account_of(self), BODY_ROOT(self)->class_, limit, below);
}

k42_result pm_create(struct k42_class *class_, uint64_t limit, pm_ref *pm) {
    k42_ref made;
    k42_result result = make_below(relief_machine, class_, limit, &made);
    *pm = result ? (pm_ref)K42_NULL_REF : (pm_ref)made;
    return result;
}

k42_result pm_body_limit(struct pm *self, uint64_t frames) {
    struct account *account = account_of(self);
    __atomic_store_n(&account->limit, frames, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&account->used, __ATOMIC_SEQ_CST) > frames ? refuse(self, account, 0)
                                                                      : 0;
}

k42_result pm_body_usage(struct pm *self, struct pm_usage *usage) {
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

k42_result pm_body_describe(struct k42_object *self, char *text, size_t size) {
    struct account *account = account_of((struct pm *)(void *)self);
    return (k42_result)k42_format_text(text, size, "%lu frames, of %lu at most, %u FCMs",
                                       account->used, account->limit, account_fcm_count(account));
}

/* ---- pages ---- */

/* FCMs say what they have when the account has got another policy: what came before is unknown. */
static void announce_all(struct account *account, k42_ref self) {
    uint32_t count = account_fcm_count(account);
    for (k42_id id; count-- && (id = account_next_fcm(account));) {
        k42_result result = k42_call((fcm_ref)k42_id_ref(id), manage, self);
        (void)result; /* one that has gone has no pages */
    }
}

/* Of several files in turn nothing is said. */
static void see_direction(struct account *account, k42_id fcm, uint64_t index) {
    account->went_back += account->last_fcm == fcm && index + BACK_PAGES < account->last_index;
    account->last_fcm = fcm;
    account->last_index = index;
}

k42_result pm_body_came(struct pm *self, k42_ref fcm, uint64_t index,
                        const struct order_policy *policy) {
    struct account *account = account_of(self);
    k42_result result = 0;
    k42_lock(&account->order_lock);
    struct order_page *page = order_find(&account->order, k42_ref_id(fcm), index);
    bool gone = page && (page->list == ORDER_NEW_GONE || page->list == ORDER_OFTEN_GONE);
    if (page && page->list == ORDER_NONE) {
        page->news = ORDER_CAME_BACK;
    } else if (!page || gone) {
        enum order_list from = page ? page->list : ORDER_NONE;
        if (!page)
            page = order_add(&account->order, k42_ref_id(fcm), index);
        else
            order_take(&account->order, page);
        account->came++;
        account->came_back += gone;
        see_direction(account, k42_ref_id(fcm), index);
        if (order_present(&account->order) == account->order.room)
            account->order.room++;
        if (page)
            policy->came(&account->order, page, from);
        else
            result = -ENOMEM;
    }
    k42_unlock(&account->order_lock);
    return result;
}

k42_result pm_body_left(struct pm *self, k42_ref fcm, uint64_t index) {
    struct account *account = account_of(self);
    k42_lock(&account->order_lock);
    struct order_page *page = order_find(&account->order, k42_ref_id(fcm), index);
    if (page && page->list == ORDER_NONE)
        page->news = ORDER_LEFT;
    else if (page && (page->list == ORDER_NEW || page->list == ORDER_OFTEN))
        order_forget(&account->order, page);
    k42_unlock(&account->order_lock);
    return 0;
}

/* A page to ask for, which is the caller's from then on. */
static struct order_page *choose(struct account *account, const struct order_policy *policy,
                                 enum order_list *from) {
    k42_lock(&account->order_lock);
    struct order_page *page = policy->candidate(&account->order);
    if (page) {
        *from = page->list;
        page->news = ORDER_NO_NEWS;
        order_take(&account->order, page);
        account->asked++;
    }
    k42_unlock(&account->order_lock);
    return page;
}

/* Puts it back to where it belongs. */
static void settle(struct account *account, const struct order_policy *policy,
                   struct order_page *page, enum order_list from, k42_result answer) {
    struct order *order = &account->order;
    k42_lock(&account->order_lock);
    bool gone = answer == FCM_HAS_LEFT || answer == -ENOENT || answer == -K42_STALE;
    account->left += answer == FCM_HAS_LEFT;
    if (page->news == ORDER_CAME_BACK && gone)
        policy->came(order, page, ORDER_NONE);
    else if (answer == FCM_HAS_LEFT)
        policy->goes(order, page, from);
    else if (gone || page->news == ORDER_LEFT)
        order_forget(order, page);
    else
        policy->stays(order, page, from,
                      answer == FCM_WAS_USED   ? ORDER_USED
                      : answer == FCM_NOT_USED ? ORDER_UNUSED
                                               : ORDER_BUSY);
    k42_unlock(&account->order_lock);
}

/* Before the first turn of a policy: nothing is under way, since it is relief alone that asks. */
static void take_over(struct pm *self, struct account *account, const struct order_policy *policy) {
    if (account->policy == policy)
        return;
    account->policy = policy;
    announce_all(account, k42_root_ref(BODY_ROOT(self)));
}

/* How many pages fit follows what there are now that memory is short. */
static void begin(struct account *account, const struct order_policy *policy) {
    struct order *order = &account->order;
    k42_lock(&account->order_lock);
    if (order_present(order) < order->room)
        order->room -= (order->room - order_present(order)) / 8;
    if (policy->begin)
        policy->begin(order);
    k42_unlock(&account->order_lock);
}

static k42_result ask_page(const struct order_page *page, unsigned flags) {
    return k42_call((fcm_ref)k42_id_ref(page->fcm), leave, page->index, flags);
}

/*
 * Each page is looked at twice at most, first for its use and then again; so a turn ends though all
 * were used. What FCMs have that this PM does not know of goes when it knows of nothing else.
 */
k42_result pm_body_reclaim(struct pm *self, uint64_t wanted, const struct order_policy *policy) {
    struct account *account = account_of(self);
    uint64_t freed = 0, looks = wanted * LOOKS_PER_FRAME + LOOKS_LEAST;
    enum order_list from;
    take_over(self, account, policy);
    begin(account, policy);
    for (struct order_page *page;
         freed < wanted && looks-- && (page = choose(account, policy, &from));) {
        unsigned flags = from == ORDER_NEW ? policy->new_flags : FCM_LEAVE_UNUSED;
        k42_result answer = ask_page(page, flags);
        freed += answer == FCM_HAS_LEFT;
        settle(account, policy, page, from, answer);
    }
    __atomic_add_fetch(&account->given_back, freed, __ATOMIC_RELAXED);
    if (!freed)
        freed = account_ask_fcms(account, wanted);
    return (k42_result)freed;
}

k42_result pm_body_pages(struct pm *self, struct pm_pages *pages) {
    struct account *account = account_of(self);
    const struct order *order = &account->order;
    k42_lock(&account->order_lock);
    *pages = (struct pm_pages){.present = order_present(order),
                               .often = order_count(order, ORDER_OFTEN),
                               .remembered = order_count(order, ORDER_NEW_GONE) +
                                             order_count(order, ORDER_OFTEN_GONE),
                               .target = order->target,
                               .came = account->came,
                               .came_back = account->came_back,
                               .asked = account->asked,
                               .left = account->left,
                               .went_back = account->went_back};
    k42_unlock(&account->order_lock);
    return 0;
}

/* ---- state ---- */

const struct k42_format pm_account_format = {.name = "pm.account", .version = 1, .cost = 1};
const struct k42_transfer pm_body_transfers[] = BODY_TRANSFERS(pm_account_format);

k42_result pm_open(void) {
    urgent = frame_consumer_create("pm urgent", FRAME_URGENT);
    k42_result result = urgent ? relief_open() : -ENOMEM;
    if (result)
        return result;
    k42_ref machine;
    k42_enter();
    result = k42_make(&pm_turns, relief_machine, &machine);
    k42_exit();
    pm_machine = (pm_ref)machine;
    if (!result)
        __atomic_store_n(&relief_machine->pm, k42_ref_id(machine), __ATOMIC_RELAXED);
    return result;
}
