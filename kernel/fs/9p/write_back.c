/*
 * The thread of a 9P file system: writes back what programs changed, soon after a file is closed
 * and otherwise several times a second, and ends files that nobody uses any more, which waits.
 *
 * Files enter its lists held, and leave them here. Its rounds are what sync(2) waits for. Locking:
 * fs->lock for the lists and the rounds, never held across a call. Fails: what cannot be written
 * is the FCM's to tell the next sync.
 */
#include "p9.h"

#include "../../mem/fcm/file_pages.h"
#include "../../sched/thread.h"
#include "runtime.h"

#define WRITE_BACK_NS 200000000ul
#define GATHER_NS     20000000ul /* what comes together is written together */

void p9_write_soon(struct p9_fs *fs) {
    k42_store_release(&fs->hurry, true);
    __atomic_fetch_add(&fs->wake, 1, __ATOMIC_RELEASE);
    thread_wake_parked(&fs->wake, 1);
}

/*
 * The flag is taken back before the file is synced, so a change that does not see it is after the
 * sync began, and enters the file again.
 */
void p9_may_write(struct p9_inode *inode) {
    struct p9_fs *fs = inode->fs;
    if (__atomic_exchange_n(&inode->may_be_dirty, true, __ATOMIC_ACQ_REL))
        return;
    if (!p9_hold(inode))
        return;
    k42_lock(&fs->lock);
    bool first = !fs->written;
    inode->next_written = fs->written;
    fs->written = inode;
    k42_unlock(&fs->lock);
    if (!first)
        return;
    __atomic_fetch_add(&fs->wake, 1, __ATOMIC_RELEASE);
    thread_wake_parked(&fs->wake, 1);
}

static void sync_pages(struct p9_inode *inode) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE,
              k42_call((fcm_ref)inode->fcm, sync, 0ul, ~0ul, 0u));
    (void)result; /* the FCM keeps it for the program's own sync */
}

static void write_files(struct p9_fs *fs) {
    k42_lock(&fs->lock);
    struct p9_inode *list = fs->written;
    fs->written = NULL;
    k42_unlock(&fs->lock);
    while (list) {
        struct p9_inode *inode = list;
        struct fcm_usage usage = {0};
        list = inode->next_written;
        k42_store_release(&inode->writing, true);
        k42_store_release(&inode->may_be_dirty, false);
        k42_enter();
        if (inode->fcm)
            sync_pages(inode);
        k42_store_release(&inode->writing, false);
        if (inode->fcm)
            p9_look_after_writing(inode);
        k42_result known = inode->fcm ? k42_call((fcm_ref)inode->fcm, usage, &usage) : 0;
        if (known >= 0 && (usage.dirty || usage.attachments))
            p9_may_write(inode);
        p9_drop(inode);
        k42_exit();
    }
}

static void destroy(k42_ref ref) {
    if (ref && k42_destroy(ref) < 0)
        return;
}

/*
 * Their pages go, whatever of them is left; then they do. Nobody waits for a page then, for each
 * was told of when it went, and no page comes to a file without a size.
 */
static void end_files(struct p9_fs *fs) {
    k42_lock(&fs->lock);
    struct p9_inode *list = fs->leaving;
    fs->leaving = NULL;
    k42_unlock(&fs->lock);
    while (list) {
        struct p9_inode *inode = list;
        k42_result result;
        list = inode->next_leaving;
        k42_enter();
        if (!inode->unlinked || inode->lost)
            sync_pages(inode);
        inode->quiet = true;
        WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE,
                  k42_call((fcm_ref)inode->fcm, resize, 0ul));
        (void)result;
        k42_id id = k42_id_of(inode->fcm);
        destroy(inode->fcm);
        wait_hangup(id, FCM_KEY_EXCLUSIVE);
        destroy(inode->fr);
        destroy(inode->self);
        k42_exit();
    }
}

static bool has_work(struct p9_fs *fs) {
    k42_lock(&fs->lock);
    bool some = fs->written || fs->leaving;
    k42_unlock(&fs->lock);
    return some;
}

/* The call's round: the first to begin after its first attempt. Under the lock. */
static uint32_t round_of(struct p9_fs *fs, uint64_t request) {
    for (unsigned i = 0; i < P9_SYNCS; i++)
        if (fs->syncs[i].request == request)
            return fs->syncs[i].round;
    struct p9_sync *sync = &fs->syncs[fs->next_sync++ % P9_SYNCS];
    *sync = (struct p9_sync){request, fs->rounds_begun + 1};
    return sync->round;
}

k42_result p9_sync_all(struct p9_fs *fs) {
    uint64_t request = wait_request();
    k42_lock(&fs->lock);
    bool over = (int32_t)(fs->rounds_over - round_of(fs, request)) >= 0;
    k42_unlock(&fs->lock);
    if (over)
        return 0;
    p9_write_soon(fs);
    return wait_on(k42_id_of(fs->root->self), P9_KEY_SYNC, WAIT_READ);
}

static void begin_round(struct p9_fs *fs) {
    k42_lock(&fs->lock);
    fs->rounds_begun++;
    k42_unlock(&fs->lock);
}

static void end_round(struct p9_fs *fs) {
    k42_lock(&fs->lock);
    fs->rounds_over = fs->rounds_begun;
    k42_unlock(&fs->lock);
    wait_notify(k42_id_of(fs->root->self), P9_KEY_SYNC, WAIT_READ, WAIT_ALL);
}

void p9_write_back(void *argument) {
    struct p9_fs *fs = argument;
    for (;;) {
        uint32_t wake = k42_load_acquire(&fs->wake);
        bool work = has_work(fs), ending = k42_load_acquire(&fs->ending);
        if (!ending && !k42_load_acquire(&fs->hurry))
            thread_park(&fs->wake, wake, work ? WRITE_BACK_NS : 0);
        if (!__atomic_exchange_n(&fs->hurry, false, __ATOMIC_ACQ_REL) && !ending)
            thread_sleep(GATHER_NS);
        begin_round(fs);
        write_files(fs);
        end_files(fs);
        end_round(fs);
        if (!ending)
            continue;
        k42_enter();
        p9_changes_end(fs);
        p9_names_end(fs);
        k42_exit();
        if (k42_load_acquire(&fs->references) == 1 && !has_work(fs))
            break;
        thread_park(&fs->wake, wake, WRITE_BACK_NS);
    }
    while (!p9_client_is_idle(fs->client))
        thread_sleep(GATHER_NS);
    p9_fs_drop(fs);
}
