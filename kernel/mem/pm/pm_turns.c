/*
 * PM, in turns: whoever can give frames back is asked in turn, each for an equal share, and chooses
 * its pages by itself.
 *
 * Knows no pages, so at the machine's, which is of this class by default, pages come and go without
 * meeting.
 *
 * Locking and formats: body.h. Fails: see pm.h.
 */
#include "body.h"

static k42_result page_came(struct pm *self, k42_ref fcm, uint64_t index) {
    struct account *account = BODY(self);
    (void)fcm, (void)index;
    if (account->above)
        __atomic_add_fetch(&account->came, 1, __ATOMIC_RELAXED);
    return 0;
}

struct forgotten {
    struct k42_defer defer;
    struct order order;
};

static void forget(struct k42_defer *defer) {
    struct forgotten *forgotten = k42_container(defer, struct forgotten, defer);
    order_end(&forgotten->order);
    heap_free(forgotten);
}

/*
 * What a policy knew that was here before is forgotten, but not while callers wait: there may be a
 * record for each page. Without memory for that it goes with the pages.
 */
static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct account *account = (struct account *)state->word[0];
    struct forgotten *forgotten = account->order.chains ? heap_allocate(sizeof *forgotten) : NULL;
    if (forgotten) {
        forgotten->order = account->order;
        account->order = (struct order){.records = 0};
        k42_defer(&forgotten->defer, forget);
    }
    /* The next policy is told of all pages. */
    account->policy = NULL;
    return body_import(to, state, part);
}
static const struct k42_transfer transfers[] = BODY_TRANSFERS_WITH(pm_account_format, import);

/* With a page that was still known goes all that had gone. */
static k42_result page_left(struct pm *self, k42_ref fcm, uint64_t index) {
    struct account *account = BODY(self);
    if (!__atomic_load_n(&account->order.records, __ATOMIC_RELAXED))
        return 0;
    k42_lock(&account->order_lock);
    order_trim(&account->order, ORDER_NEW_GONE, 0);
    order_trim(&account->order, ORDER_OFTEN_GONE, 0);
    k42_unlock(&account->order_lock);
    return pm_body_left(self, fcm, index);
}

/* Whoever comes next is told of all pages again. */
static k42_result reclaim(struct pm *self, uint64_t wanted) {
    struct account *account = BODY(self);
    account->policy = NULL;
    return (k42_result)account_ask_fcms(account, wanted);
}

static const struct pm_ops turns_ops = {PM_BODY_METHODS, .came = page_came, .left = page_left,
                                        .reclaim = reclaim};

K42_CLASS(pm_turns) = {
    .name = "pm.turns",
    .interface = &pm_interface,
    .version = 1,
    .traits = "choice=turns",
    BODY_LAYOUT,
    .fini = pm_body_fini,
    .transfers = transfers,
    .ops = &turns_ops,
};
