/*
 * epoll_create, epoll_ctl, epoll_wait and their like.
 *
 * Adding a set to a set is done by one thread of the machine at a time (`nesting`, waited for at
 * its address), so that two of them cannot close a ring, each with the half that the other did not
 * see. Nothing else takes that turn.
 */
#include "../../files/files.h"

#include "../../../arch/x86_64/user_copy.h"
#include "../../abi.h" /* after files.h, whose names it has as macros */
#include "../../clocks.h"
#include "../../readiness.h"
#include "../../signal/signals.h"
#include "../unnamed.h"
#include "epoll.h"

/* ---- sets ---- */

static k42_result get_set(file_ref file, epoll_ref *set) {
    k42_result result = k42_call(file, control, FILE_KIND, 0);
    if (result != FILE_OF_POLL)
        return result == -K42_STALE || (k42_call(file, flags) & OPEN_PATH) ? -EBADF : -EINVAL;
    result = k42_call(file, control, FILE_OBJECT, 0);
    *set = (epoll_ref)k42_id_ref((k42_id)result);
    return result < 0 ? -EBADF : 0;
}

static k42_result create(unsigned flags) {
    epoll_ref set;
    if (flags & ~(unsigned)OPEN_CLOSE_ON_EXEC)
        return -EINVAL;
    k42_result result = epoll_make(&set);
    if (result < 0)
        return result;
    struct k42_pair file = epoll_file(set, 0);
    if (file.result < 0) {
        (void)!k42_destroy((k42_ref)set);
        return file.result;
    }
    return files_add((file_ref)file.word, flags);
}

LINUX_CALL(213, epoll_create, int size) {
    return size <= 0 ? -EINVAL : create(0);
}

LINUX_CALL(291, epoll_create1, unsigned flags) {
    return create(flags);
}

/* ---- interests ---- */

static struct {
    uint32_t taken;
    uint64_t rounds;
} nesting;

static k42_result take_turn(void) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&nesting.taken, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(WAIT_NO_OBJECT, (uintptr_t)&nesting, WAIT_READ);
}

static void end_turn(void) {
    __atomic_exchange_n(&nesting.taken, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(WAIT_NO_OBJECT, (uintptr_t)&nesting, WAIT_READ, 1);
}

/* Each attempt is a round of its own: one that had to wait has gone through some already. */
static k42_result add_inner_once(epoll_ref set, const struct epoll_interest *interest) {
    epoll_ref inner = (epoll_ref)k42_id_ref(interest->inner);
    k42_result below = k42_call(inner, below, k42_id_of(set), ++nesting.rounds);
    if (below < 0)
        return below;
    k42_result above = k42_call(set, above, 0);
    if (above < 0)
        return above;
    if (below + 1 + above > EPOLL_NESTED)
        return -ELOOP;
    above = k42_call(inner, above, (unsigned)above + 1);
    return above < 0 ? above : k42_call(set, add, interest);
}

static k42_result add_inner(epoll_ref set, const struct epoll_interest *interest) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, 0, take_turn());
    if (result < 0)
        return result;
    WAIT_CALL(result, WAIT_FOREVER, 0, add_inner_once(set, interest));
    end_turn();
    return result;
}

static k42_result carry_out(epoll_ref set, int operation, const struct epoll_interest *interest) {
    k42_result result = -EINVAL;
    if (operation == EPOLL_CTL_ADD && interest->inner)
        return add_inner(set, interest);
    if (operation == EPOLL_CTL_ADD)
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(set, add, interest));
    else if (operation == EPOLL_CTL_MOD)
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(set, change, interest));
    else if (operation == EPOLL_CTL_DEL)
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(set, remove, interest->number, interest->file));
    return result;
}

/* What Linux refuses of events before it looks at the set. */
static k42_result check_events(int operation, const struct epoll_interest *interest) {
    enum { WITH_EXCLUSIVE = EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP };
    uint32_t events = interest->events;
    if (!(events & EPOLLEXCLUSIVE) || operation == EPOLL_CTL_DEL)
        return 0;
    if (operation == EPOLL_CTL_MOD || interest->inner)
        return -EINVAL;
    return events & ~((uint32_t)WITH_EXCLUSIVE | EPOLLET | EPOLLEXCLUSIVE) ? -EINVAL : 0;
}

/* Both files are held: a call that waits leaves the generation. */
static k42_result control(file_ref set_file, int operation, struct epoll_interest *interest) {
    file_ref file = (file_ref)k42_id_ref(interest->file);
    struct file_poll where = {0};
    epoll_ref set, inner;
    if (k42_call(file, poll, &where) < 0 || !where.object)
        return k42_call(file, flags) & OPEN_PATH ? -EBADF : -EPERM;
    if (k42_id_of(set_file) == interest->file)
        return -EINVAL;
    k42_result result = get_set(set_file, &set);
    if (result < 0)
        return result;
    interest->inner = get_set(file, &inner) < 0 ? 0 : k42_id_of(inner);
    result = check_events(operation, interest);
    if (result >= 0)
        result = carry_out(set, operation, interest);
    return result == -EINTR ? -LINUX_RESTART_ALWAYS : linux_result(result, -EBADF);
}

LINUX_CALL(233, epoll_ctl, int set_fd, int operation, int fd, uintptr_t event_at) {
    struct epoll_told event = {0};
    file_ref set_file, file;
    k42_result result =
        operation == EPOLL_CTL_DEL ? 0 : files_copy_in(&event, event_at, sizeof event);
    if (result >= 0)
        result = files_get(set_fd, &set_file);
    if (result >= 0)
        result = files_get(fd, &file);
    if (result < 0)
        return result;
    if (k42_call(set_file, hold) < 0)
        return -EBADF;
    result = k42_call(file, hold);
    if (result >= 0) {
        struct epoll_interest interest = {.number = fd,
                                          .events = (event.events & ~(uint32_t)EPOLLWAKEUP) |
                                                    EPOLLERR | EPOLLHUP,
                                          .data = event.data,
                                          .file = k42_id_of(file)};
        result = control(set_file, operation, &interest);
        (void)!k42_call(file, release);
    }
    (void)!k42_call(set_file, release);
    return result == -K42_STALE ? -EBADF : result;
}

/* ---- waiting ---- */

struct collecting {
    epoll_ref set;
    struct copy copy;
    unsigned most;
    bool once; /* does not wait until anything is ready */
};

static k42_result attempt(struct collecting *collecting) {
    k42_result result = k42_call(collecting->set, collect, &collecting->copy, collecting->most);
    return result == -K42_WAIT && collecting->once && wait_noted().key == EPOLL_READY ? 0 : result;
}

/* While it waits it is one who would take what is told of; when it goes with nothing, somebody may
 * have relied on that until it was not counted any more. */
static k42_result wait_and_collect(struct collecting *collecting, k42_result result,
                                   uint64_t deadline) {
    (void)!k42_call(collecting->set, waits, 1);
    WAIT_CALL_ON(result, collecting->once ? WAIT_FOREVER : deadline, 0, attempt(collecting));
    (void)!k42_call(collecting->set, waits, -1);
    if (result != -ETIMEDOUT && result != -EINTR)
        return result;
    k42_result last;
    collecting->once = true;
    WAIT_CALL(last, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, attempt(collecting));
    return last > 0 ? last : result;
}

static k42_result collect(int fd, uintptr_t to, int most, uint64_t deadline) {
    file_ref file;
    if (most <= 0 || most > (int)(INT32_MAX / sizeof(struct epoll_told)))
        return -EINVAL;
    size_t size = (size_t)most * sizeof(struct epoll_told);
    if (!user_range_ok(to, size))
        return -EFAULT;
    struct collecting collecting = {
        .copy = copy_of_user(to, size), .most = (unsigned)most, .once = !deadline};
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = get_set(file, &collecting.set);
    if (result < 0)
        return result;
    result = attempt(&collecting);
    if (result != -K42_WAIT && result != -K42_FAULT)
        return linux_result(result, -EBADF);
    if (k42_call(file, hold) < 0)
        return -EBADF;
    result = wait_and_collect(&collecting, result, deadline);
    (void)!k42_call(file, release);
    return result == -ETIMEDOUT ? 0 : result == -K42_STALE ? -EBADF : result;
}

static uint64_t deadline_of(int milliseconds) {
    if (milliseconds < 0)
        return WAIT_FOREVER;
    return milliseconds ? clocks_after(milliseconds * 1000000l) : 0;
}

LINUX_CALL(232, epoll_wait, int fd, uintptr_t to, int most, int milliseconds) {
    return collect(fd, to, most, deadline_of(milliseconds));
}

static k42_result collect_masked(int fd, uintptr_t to, int most, uint64_t deadline, uintptr_t mask,
                                 size_t mask_size) {
    k42_result result = readiness_set_mask(mask, mask_size);
    if (result < 0)
        return result;
    result = collect(fd, to, most, deadline);
    if (result != -EINTR)
        signal_mask_restore();
    return result;
}

LINUX_CALL(281, epoll_pwait, int fd, uintptr_t to, int most, int milliseconds, uintptr_t mask,
           size_t mask_size) {
    return collect_masked(fd, to, most, deadline_of(milliseconds), mask, mask_size);
}

LINUX_CALL(441, epoll_pwait2, int fd, uintptr_t to, int most, uintptr_t time, uintptr_t mask,
           size_t mask_size) {
    int64_t ns = -1;
    k42_result result = time ? clocks_read(time, &ns) : 0;
    if (result < 0)
        return result;
    uint64_t deadline = ns < 0 ? WAIT_FOREVER : ns ? clocks_after(ns) : 0;
    return collect_masked(fd, to, most, deadline, mask, mask_size);
}
