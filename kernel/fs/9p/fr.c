/*
 * FR, 9P: the pages of a file of the host's.
 *
 * A page is one message each way, whose data goes straight between the server and the frame. What
 * lies behind the server's end of the file is zero. Pages that programs changed are written back by
 * a thread of the file system, soon after a file is closed, and otherwise several times a second.
 *
 * Whether others changed the file is looked at when it is opened: the server's version of it is not
 * the one that the pages are of, and it was not we who wrote. Then all pages go.
 *
 * Owns: nothing; an FR stands for its inode, which ends it together with the FCM. While a page is
 * in transit neither goes, so calls for pages hold nothing.
 */
#include "p9.h"

#include "../../mem/fcm/file_pages.h"
#include "../../mem/machine.h"
#include "../../sched/thread.h"
#include "../values.h"
#include "runtime.h"

#define WRITE_BACK_NS 200000000ul
#define GATHER_NS     20000000ul /* what comes together is written together */

enum { KEY_RESIZED = 2, KEY_FLUSHED = 1 };

static struct p9_inode *inode_of(struct fr *self) {
    return BODY(self);
}

static uint32_t fid_of(const struct p9_inode *inode) {
    uint32_t fid = k42_load_acquire(&inode->write_fid);
    return fid != P9_NO_FID ? fid : k42_load_acquire(&inode->read_fid);
}

/* ---- pages ---- */

static void page_came(struct p9_call *call, int error, struct p9_reader *reader) {
    uint32_t bytes = call->data_bytes, count = error ? 0 : p9_get32(reader);
    if (!error && (reader->bad || count > bytes || P9_READ_HEADER + count > call->request.result))
        error = -EIO;
    if (!error && count < bytes)
        __builtin_memset((char *)machine_memory(call->pieces[2].physical) + count, 0,
                         bytes - count);
    if (k42_call((fcm_ref)call->object, filled, call->word, error) < 0)
        return;
}

static void page_went(struct p9_call *call, int error, struct p9_reader *reader) {
    if (!error && (p9_get32(reader) != call->pieces[1].bytes || reader->bad))
        error = -EIO;
    if (k42_call((fcm_ref)call->object, written, call->word, error) < 0)
        return;
}

static k42_result transfer(struct p9_inode *inode, const struct fr_page *page, enum p9_type type,
                           p9_answered *answered) {
    struct p9_call *call;
    k42_result result = p9_call_take(inode->fs->client, type, answered, inode, &call);
    if (result < 0)
        return result;
    call->object = page->fcm;
    call->word = page->index;
    p9_put32(&call->message, fid_of(inode));
    p9_put64(&call->message, page->index << MACHINE_PAGE_SHIFT);
    p9_put32(&call->message, (uint32_t)page->bytes);
    result = p9_call_send_data(call, page->physical, (uint32_t)page->bytes);
    return result < 0 ? result == -K42_WAIT ? result : -EIO : FR_STARTED;
}

static k42_result fr_fill(struct fr *self, const struct fr_page *page) {
    return transfer(inode_of(self), page, P9_TREAD, page_came);
}

static k42_result fr_write(struct fr *self, const struct fr_page *page) {
    struct p9_inode *inode = inode_of(self);
    if (k42_load_acquire(&inode->write_fid) == P9_NO_FID)
        return -EROFS;
    k42_store_relaxed(&inode->wrote, true);
    return transfer(inode, page, P9_TWRITE, page_went);
}

/* ---- once for a program's call ---- */

static struct once *once_of(struct p9_inode *inode, bool resize) {
    return resize ? &inode->resized : &inode->flushed;
}

static uintptr_t key_of(bool resize) {
    return resize ? KEY_RESIZED : KEY_FLUSHED;
}

static void settle(struct p9_inode *inode, bool resize, int result, bool over) {
    once_settle(once_of(inode, resize), result, over);
    wait_notify(k42_id_of(inode->fr), key_of(resize), WAIT_READ, WAIT_ALL);
}

static void once_came(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_inode *inode = call->context;
    bool resize = call->type == P9_TSETATTR;
    (void)reader;
    p9_attributes_changed(inode);
    settle(inode, resize, error, true);
}

static k42_result send_resize(struct p9_inode *inode, struct p9_call *call, uint64_t size) {
    k42_store_relaxed(&inode->wrote, true);
    p9_put32(&call->message, inode->fid);
    p9_put32(&call->message, P9_SET_SIZE);
    for (unsigned i = 0; i < 3; i++)
        p9_put32(&call->message, 0);
    p9_put64(&call->message, size);
    for (unsigned i = 0; i < 4; i++)
        p9_put64(&call->message, 0);
    return p9_call_send(call);
}

static k42_result send_flush(struct p9_inode *inode, struct p9_call *call) {
    p9_put32(&call->message, k42_load_acquire(&inode->write_fid));
    p9_put32(&call->message, 0);
    return p9_call_send(call);
}

static k42_result start(struct p9_inode *inode, bool resize, uint64_t size) {
    struct p9_call *call;
    k42_result result =
        p9_call_take(inode->fs->client, resize ? P9_TSETATTR : P9_TFSYNC, once_came, inode, &call);
    if (result >= 0)
        result = resize ? send_resize(inode, call, size) : send_flush(inode, call);
    if (result >= 0)
        return wait_on(k42_id_of(inode->fr), key_of(resize), WAIT_READ);
    struct wait_point point = wait_noted();
    settle(inode, resize, 0, false);
    return result == -K42_WAIT ? wait_on(point.id, point.key, point.events) : -EIO;
}

static k42_result do_once(struct p9_inode *inode, bool resize, uint64_t size) {
    k42_result result;
    switch (once_look(once_of(inode, resize), &result)) {
    case ONCE_START:
        return start(inode, resize, size);
    case ONCE_UNDER_WAY:
        return wait_on(k42_id_of(inode->fr), key_of(resize), WAIT_READ);
    default:
        return result;
    }
}

/* A file without a name has its pages alone; the server cannot be told of it. */
static k42_result fr_resize(struct fr *self, uint64_t size) {
    struct p9_inode *inode = inode_of(self);
    return inode->quiet || inode->unlinked ? 0 : do_once(inode, true, size);
}

static k42_result fr_flush(struct fr *self) {
    struct p9_inode *inode = inode_of(self);
    return k42_load_acquire(&inode->write_fid) == P9_NO_FID ? 0 : do_once(inode, false, 0);
}

static k42_result fr_punch(struct fr *self, uint64_t first, uint64_t pages) {
    (void)self, (void)first, (void)pages;
    return -ENOTSUP;
}

static k42_result fr_describe(struct k42_object *self, char *text, size_t size) {
    struct p9_inode *inode = inode_of((struct fr *)(void *)self);
    return (k42_result)k42_format_text(text, size, "pages of file %lu of %s", inode->qid.path,
                                       inode->fs->tag);
}

static const struct fr_ops fr_ops = {
    .object.describe = fr_describe,
    .fill = fr_fill,
    .write = fr_write,
    .resize = fr_resize,
    .punch = fr_punch,
    .flush = fr_flush,
};

static const struct k42_format fr_format = {"fr.9p", 1, 1};
static const struct k42_transfer fr_transfers[] = BODY_TRANSFERS(fr_format);

K42_CLASS(p9_fr) = {
    .name = "fr.9p",
    .interface = &fr_interface,
    .version = 1,
    .traits = "behind=9p",
    BODY_LAYOUT,
    .ops = &fr_ops,
    .init = body_init,
    .transfers = fr_transfers,
};

/* ---- an inode's pages ---- */

static void destroy(k42_ref ref) {
    if (ref && k42_destroy(ref) < 0)
        return;
}

static k42_result make_pages(struct p9_inode *inode, uint64_t size) {
    k42_ref fr, fcm, none = K42_NULL_REF;
    k42_result result = k42_create(&p9_fr, inode, &fr);
    if (result < 0)
        return result;
    struct fcm_file file = {.pm = pm_machine, .fr = (fr_ref)fr, .size = size};
    result = k42_create(&fcm_shared, &file, &fcm);
    if (result < 0) {
        destroy(fr);
        return result;
    }
    k42_lock(&inode->lock);
    bool first = !inode->fcm;
    if (first) {
        inode->fr = fr;
        inode->version = inode->qid.version;
        k42_store_release(&inode->fcm, fcm);
    }
    k42_unlock(&inode->lock);
    destroy(first ? none : fcm);
    destroy(first ? none : fr);
    return 0;
}

/* Others have changed the file: as if it had just been found. */
static k42_result renew_pages(struct p9_inode *inode, uint64_t size, uint32_t version) {
    inode->quiet = true;
    k42_result result = k42_call((fcm_ref)inode->fcm, resize, 0ul);
    if (!result)
        result = k42_call((fcm_ref)inode->fcm, resize, size);
    inode->quiet = false;
    if (!result)
        inode->version = version;
    return result;
}

k42_result p9_get_pages(struct p9_inode *inode) {
    struct node_attributes attributes;
    k42_result result = p9_get_attributes_of(inode, &attributes);
    if (result < 0)
        return result;
    if (!k42_load_acquire(&inode->fcm))
        return make_pages(inode, inode->attributes.size);
    k42_lock(&inode->lock);
    uint32_t version = inode->qid.version;
    uint64_t size = inode->attributes.size;
    bool ours = inode->wrote || inode->may_be_dirty || inode->unlinked;
    if (ours)
        inode->version = version;
    if (ours && !inode->may_be_dirty)
        inode->wrote = false;
    bool changed = inode->version != version;
    k42_unlock(&inode->lock);
    return changed ? renew_pages(inode, size, version) : 0;
}

/* ---- writing back ---- */

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
        k42_store_release(&inode->may_be_dirty, false);
        k42_enter();
        if (inode->fcm)
            sync_pages(inode);
        k42_result known = inode->fcm ? k42_call((fcm_ref)inode->fcm, usage, &usage) : 0;
        if (known >= 0 && (usage.dirty || usage.attachments))
            p9_may_write(inode);
        p9_drop(inode);
        k42_exit();
    }
}

/* Their pages go, whatever of them is left; then they do. */
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
        if (!inode->unlinked)
            sync_pages(inode);
        inode->quiet = true;
        WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE,
                  k42_call((fcm_ref)inode->fcm, resize, 0ul));
        (void)result;
        k42_id id = k42_id_of(inode->fcm);
        destroy(inode->fcm);
        wait_hangup_all(id);
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
