/*
 * Seals of a file of ramfs: what is not done to its bytes and its size any more, by nobody.
 *
 * Whoever changes them looks at the seals under pages->lock, under which seals are added, and with
 * it held does what he does; so what has been sealed has ended. Two cannot hold it so long:
 *
 * A write copies without the lock. While it is under way it counts (`writers`), and seals are added
 * when nobody does; so a write looks at them once, in the beginning. That seals come at all,
 * however many write one after the other, `sealing` sees to: whoever wants to begin meanwhile
 * waits. Who has set it waits for the writers, and is made to try again by the last of them; no
 * signal ends that wait, and whatever the answer then is, it clears the word. Where no seals can
 * come any more, as in files of a tmpfs, nobody counts.
 *
 * A program writes to what it has mapped without asking. So no shared mapping that may be written
 * to is attached when FCM_SEAL_WRITE is added, and none afterwards: both are seen under the lock.
 * Who is attached for writing stays so while it is divided, moved or inherited, since the new
 * attachment is made before the old one ends.
 *
 * Locking: pages->lock. Waits with the file's key SEALING.
 */
#include "../../sched/wait.h"
#include "pages_inside.h"

#define SEALING (~(uintptr_t)0)

static bool takes_more(unsigned seals) {
    return !(seals & (FCM_SEAL_SEAL | PAGES_UNSEALED));
}

static k42_result wait_here(struct fcm *self) {
    return wait_on(k42_root_id(BODY_ROOT(self)), SEALING, WAIT_WRITE);
}

static void tell(struct fcm *self) {
    wait_notify(k42_root_id(BODY_ROOT(self)), SEALING, WAIT_WRITE, WAIT_ALL);
}

k42_result pages_write_begins(struct fcm *self) {
    struct pages *pages = PAGES(self);
    unsigned seals = __atomic_load_n(&pages->seals, __ATOMIC_ACQUIRE);
    if (!takes_more(seals)) /* nor will it */
        return seals & FCM_SEALED_WRITING ? -EPERM : (k42_result)seals;
    k42_lock(&pages->lock);
    seals = pages->seals;
    k42_result result = seals & FCM_SEALED_WRITING ? -EPERM : (k42_result)seals;
    if (result >= 0 && takes_more(seals) && pages->sealing)
        result = wait_here(self);
    else if (result >= 0 && takes_more(seals))
        pages->writers++;
    k42_unlock(&pages->lock);
    return result;
}

void pages_write_ends(struct fcm *self, unsigned seals) {
    struct pages *pages = PAGES(self);
    if (!takes_more(seals))
        return;
    k42_lock(&pages->lock);
    bool was_last = --pages->writers == 0 && pages->sealing;
    k42_unlock(&pages->lock);
    if (was_last)
        tell(self);
}

/* With the lock. */
static k42_result add(struct fcm *self, unsigned seals) {
    struct pages *pages = PAGES(self);
    if (pages->seals & FCM_SEAL_SEAL)
        return -EPERM;
    if ((seals & ~pages->seals & FCM_SEAL_WRITE) && pages->writable_mappings)
        return -EBUSY;
    if (pages->writers)
        return wait_here(self);
    __atomic_store_n(&pages->seals, pages->seals | seals, __ATOMIC_RELEASE);
    return pages->seals;
}

k42_result pages_seal(struct fcm *self, unsigned seals) {
    struct pages *pages = PAGES(self);
    k42_lock(&pages->lock);
    bool is_unsealed = pages->seals & PAGES_UNSEALED;
    if (!seals || is_unsealed) {
        k42_result present = is_unsealed ? -EINVAL : (k42_result)pages->seals;
        k42_unlock(&pages->lock);
        return present;
    }
    k42_result result = add(self, seals);
    bool others_wait = pages->sealing && result != -K42_WAIT;
    pages->sealing = result == -K42_WAIT;
    k42_unlock(&pages->lock);
    if (others_wait)
        tell(self);
    return result;
}
