/*
 * Relief: the thread that makes PMs have FCMs give frames back, when the machine runs low or
 * somebody waits for want of memory, and what happens when nothing can be given back.
 *
 * It asks the PM of the account that is short, and those of all below it, in turn. When none has
 * anything, but pages are being written, it waits for that. Otherwise the memory is
 * out: for the machine's, the personality is asked to end somebody; if it finds nobody, or a limit
 * is in the way, those who wait are told that there is no memory. The kernel itself never waits
 * here, and does not die of it.
 *
 * Every few seconds it also has FCMs begin to write what is dirty, so that what programs wrote
 * reaches the medium though nobody asked for it.
 *
 * Those who wait stand in the wait table at their PM, key 0. The order is: the frame allocator or
 * the limit refuses; the account is made needy; the caller is put into the table and tries once
 * more. Relief clears `needy` and then notifies; whoever saw it set, but comes into the table after
 * that, makes the account needy again by trying once more.
 *
 * Owns: the machine's account; the list of the needy, each with a reference.
 */
#include "account.h"

#include "../../advisor/advisor.h"
#include "../../sched/wait.h"
#include "platform.h"
#include "runtime.h"

enum {
    LEAST_WANTED = 64,
    MOST_AT_ONCE = 256,
    LEAST_ROOM = 64, /* frames that programs and files leave to the kernel, */
    KEPT_PART = 128, /* or such a part of the memory if that is more */
    MOST_ROUNDS = 8,
    FRAMES_OF_AN_ATTEMPT = 8,
    QUIET_TURNS = 50, /* without anything on its way, since a frame was freed or a page sent, before
                         memory counts as out */
    GRACE_PERIODS = 3, /* after which what was destroyed has ended */
};
#define TURN_NS       2000000ul    /* a page's write, or the end of a program */
#define WRITE_BACK_NS 5000000000ul /* what is written is on its way after so long */

struct account *relief_machine;
bool (*pm_out_of_memory)(void);
bool (*pm_is_ending)(void);
const struct pm_swap *pm_swap;

static struct {
    uint32_t asked; /* slept on */
    struct account *needy;
} relief;

static void wake(void) {
    __atomic_add_fetch(&relief.asked, 1, __ATOMIC_SEQ_CST);
    k42_platform_wake(&relief.asked, 1);
}

void pm_wake_relief(void) {
    wake();
}

void relief_ask(struct account *account, struct account *short_, k42_id pm) {
    __atomic_store_n(&account->waiting, pm, __ATOMIC_RELAXED);
    __atomic_store_n(&account->short_, short_, __ATOMIC_RELAXED);
    if (!__atomic_exchange_n(&account->needy, 1, __ATOMIC_ACQ_REL)) {
        account_hold(account);
        account->next_needy = __atomic_load_n(&relief.needy, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&relief.needy, &account->next_needy, account, true,
                                            __ATOMIC_RELEASE, __ATOMIC_RELAXED))
            ;
    }
    wake();
}

/* ---- asking ---- */

/* The PM chooses. One that is gone has left its FCMs behind, which choose by themselves. */
static uint64_t ask_pm(struct account *account, uint64_t wanted) {
    k42_id pm = __atomic_load_n(&account->pm, __ATOMIC_RELAXED);
    k42_enter();
    k42_result freed = k42_call((pm_ref)k42_id_ref(pm), reclaim, wanted);
    if (freed == -K42_STALE)
        freed = (k42_result)account_ask_fcms(account, wanted);
    if (freed > 0)
        advisor_note(pm);
    k42_exit();
    return freed > 0 ? (uint64_t)freed : 0;
}

/* Not too much in one generation. */
static uint64_t ask_one(struct account *account, uint64_t wanted) {
    uint64_t freed = 0, some;
    do {
        uint64_t rest = wanted - freed;
        some = ask_pm(account, rest < MOST_AT_ONCE ? rest : MOST_AT_ONCE);
        freed += some;
    } while (some && freed < wanted);
    return freed;
}

/* As deep as limits are nested. */
static uint64_t ask_tree(struct account *account, uint64_t wanted) {
    uint64_t freed = ask_one(account, wanted);
    for (struct account *below = NULL; (below = account_next_below(account, below));)
        if (freed < wanted)
            freed += ask_tree(below, wanted - freed);
    return freed;
}

/* ---- the swap ---- */

static bool has_swap(void) {
    return pm_swap && pm_swap->is_on();
}

/* Pages of programs begin to leave. The machine's are everybody's. */
static bool send_out(struct account *account, uint64_t wanted) {
    k42_id pm = __atomic_load_n(&account->pm, __ATOMIC_RELAXED);
    return has_swap() && pm_swap->page_out(account->above ? k42_id_ref(pm) : K42_NULL_REF, wanted);
}

/* Of those that are out: wherever they were charged. */
static uint64_t ask_swap(uint64_t wanted) {
    if (!has_swap())
        return 0;
    k42_enter();
    uint64_t freed = pm_swap->give_back(wanted);
    k42_exit();
    return freed;
}

static bool is_on_the_way(void) {
    if (!has_swap())
        return false;
    k42_enter();
    uint64_t pages = pm_swap->on_the_way();
    k42_exit();
    return pages != 0;
}

/* Clocks need more than one round to come to pages that were used. Programs' pages begin to leave
 * at the same time, since nobody knows whose are wanted less. */
static uint64_t relieve(struct account *account, uint64_t wanted, bool *moved) {
    uint64_t freed = ask_swap(wanted);
    *moved = freed < wanted && send_out(account, wanted - freed);
    for (unsigned round = 0; round < MOST_ROUNDS && freed < wanted; round++)
        freed += ask_tree(account, wanted - freed);
    return freed;
}

static void write_back(struct account *account) {
    uint32_t count = account_fcm_count(account);
    for (k42_id id; count-- && (id = account_next_fcm(account));) {
        k42_enter();
        (void)account_ask_fcm(account, id, 0);
        k42_exit();
    }
    for (struct account *below = NULL; (below = account_next_below(account, below));)
        write_back(below);
}

static bool is_in_transit(struct account *account) {
    bool found = false;
    uint32_t count = account_fcm_count(account);
    for (k42_id id; count-- && !found && (id = account_next_fcm(account));) {
        struct fcm_usage usage = {.in_transit = 0};
        k42_enter();
        found = k42_call((fcm_ref)k42_id_ref(id), usage, &usage) == 0 && usage.in_transit;
        k42_exit();
    }
    for (struct account *below = NULL; (below = account_next_below(account, below));)
        found = found || is_in_transit(below);
    return found;
}

/* ---- those who wait ---- */

static bool has_frames(uint64_t more) {
    struct frame_statistics now;
    if (frames_pressure() != FRAME_PRESSURE_CRITICAL)
        return true;
    frames_count(&now);
    uint64_t free = now.free > now.last ? now.free - now.last : 0, least = now.present / KEPT_PART;
    return free + now.idle + now.cached >= (least > LEAST_ROOM ? least : LEAST_ROOM) + more;
}

bool relief_has_frames(void) {
    return has_frames(0);
}

/*
 * What refused may have room by now: who asked twice is served twice. Room is as many frames as one
 * attempt may take before it gives all of them back (a page that comes back takes one for itself,
 * one for the swap's cache, and its tables): one alone would be taken, the next refused, and given
 * back, again and again.
 */
static bool has_room(const struct account *account) {
    if (!account->above)
        return has_frames(FRAMES_OF_AN_ATTEMPT);
    return __atomic_load_n(&account->used, __ATOMIC_RELAXED) + FRAMES_OF_AN_ATTEMPT <=
           __atomic_load_n(&account->limit, __ATOMIC_RELAXED);
}

static bool end_somebody(const struct account *short_) {
    return short_ == relief_machine && pm_out_of_memory && pm_out_of_memory();
}

/* Where there is little, little at a time: what goes too early is read again. */
static uint64_t wanted_of(const struct account *short_) {
    uint64_t part = __atomic_load_n(&short_->limit, __ATOMIC_RELAXED) / 32;
    return part >= LEAST_WANTED ? LEAST_WANTED : part ? part : 1;
}

/* Whether objects may be about to end that were destroyed before the quiet turns were over: address
 * spaces of programs that have ended have their frames until then. */
static bool something_ends(struct account *account) {
    struct k42_stats now;
    k42_stats(&now);
    if (account->quiet == QUIET_TURNS)
        account->settled = now.grace_periods + GRACE_PERIODS;
    return now.defers_pending && now.grace_periods < account->settled;
}

enum outcome { WORTH_TRYING, LATER, HOPELESS };

/*
 * Pages may be written, and be done, between two looks: so it takes several that find nothing.
 * Others need not be written, and leave room at once. What could not be written, and is nowhere
 * else, nobody waits for; but it is tried once more before memory counts as out.
 *
 * Why those who wait get on. They are told to try again when there is room for all that an attempt
 * takes, or when frames were freed. If they are refused all the same, either others have taken the
 * frames, and got on; or what was freed did not suffice yet, is free still, and each turn adds to
 * it. Otherwise nothing was freed: while pages move, their writes end; when none does, what was
 * destroyed, such as address spaces of programs that have ended, is waited for; and then somebody
 * is ended, or those who wait are told.
 */
static enum outcome help(struct account *account, struct account *short_) {
    bool moved;
    if (has_room(short_) || relieve(short_, wanted_of(short_), &moved) || has_room(short_)) {
        account->quiet = 0;
        return WORTH_TRYING;
    }
    if (moved)
        account->quiet = 0;
    if (moved || is_in_transit(short_) || is_on_the_way())
        return LATER;
    if (++account->quiet == QUIET_TURNS / 2)
        write_back(relief_machine);
    if (account->quiet < QUIET_TURNS || something_ends(account))
        return LATER;
    account->quiet = 0;
    return end_somebody(short_) ? LATER : HOPELESS;
}

/* True when it is over. The account in the way is above this one, or itself, and so stays. */
static bool serve(struct account *account) {
    enum outcome outcome = help(account, __atomic_load_n(&account->short_, __ATOMIC_RELAXED));
    if (outcome == LATER)
        return false;
    __atomic_store_n(&account->hopeless, outcome == HOPELESS, __ATOMIC_SEQ_CST);
    __atomic_store_n(&account->needy, 0, __ATOMIC_SEQ_CST);
    wait_notify(__atomic_load_n(&account->waiting, __ATOMIC_RELAXED), 0, (uint32_t)WAIT_ANY,
                WAIT_ALL);
    account_release(account);
    return true;
}

/* Serves everybody who is needy; returns those for whom it is too early. */
static struct account *serve_all(struct account *list) {
    struct account *later = NULL;
    while (list) {
        struct account *next = list->next_needy;
        if (!serve(list)) {
            list->next_needy = later;
            later = list;
        }
        list = next;
    }
    return later;
}

/* Returns when it is due again. */
static uint64_t write_back_when_due(uint64_t due) {
    uint64_t now = k42_platform_now_ns();
    if (now < due)
        return due;
    write_back(relief_machine);
    return k42_platform_now_ns() + WRITE_BACK_NS;
}

static void run(void *unused) {
    (void)unused;
    struct account *later = NULL;
    k42_result attached = k42_attach("relief");
    if (attached < 0)
        k42_platform_panic("relief: the thread that frees memory cannot attach");
    uint64_t due = k42_platform_now_ns() + WRITE_BACK_NS;
    for (uint32_t seen = 0;;) {
        wait_request_end(); /* what somebody was asked for in a turn is not waited for */
        due = write_back_when_due(due);
        k42_platform_park(&relief.asked, seen, later ? TURN_NS : WRITE_BACK_NS);
        seen = __atomic_load_n(&relief.asked, __ATOMIC_SEQ_CST);
        (void)ask_swap(0);
        if (frames_pressure() != FRAME_PRESSURE_NONE)
            (void)frames_relieve();
        later = serve_all(later);
        struct account *more =
            serve_all(__atomic_exchange_n(&relief.needy, NULL, __ATOMIC_ACQUIRE));
        while (more) {
            struct account *next = more->next_needy;
            more->next_needy = later;
            later = more;
            more = next;
        }
    }
}

/* ---- the machine's ---- */

static uint64_t relieve_machine(struct frame_reliever *self, enum frame_pressure pressure,
                                uint64_t wanted) {
    bool moved;
    (void)self, (void)pressure;
    return relieve(relief_machine, wanted, &moved);
}

static struct frame_reliever reliever = {.name = "page caches", .relieve = relieve_machine};

k42_result relief_open(void) {
    relief_machine = account_make(NULL, PM_NO_LIMIT);
    if (!relief_machine || !k42_platform_spawn("relief", run, NULL))
        return -ENOMEM;
    frame_reliever_add(&reliever);
    frames_watch_pressure(wake);
    return 0;
}
