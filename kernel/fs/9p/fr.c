/*
 * FR, 9P: the pages of a file of the host's.
 *
 * A page, or a run of them, is one message each way, whose data goes straight between the server
 * and the frames. What lies behind the server's end of the file is zero. write_back.c says when
 * pages that programs changed are written back.
 *
 * Whether others changed the file is looked at when it is opened: the server's version of it is not
 * the one that the pages are of, and it was not we who wrote. Then all pages go. A version tells
 * something only if it was asked for when all our changes had been answered; otherwise it may be
 * that of a moment between two of our own writes.
 *
 * What we write makes a new version, which the server does not tell with its answer. So the round
 * that writes back asks for it at once, and what is told then is ours; and before the first page is
 * written, by the round or by whoever else does it, it is asked, if what is known is old, whether
 * others have changed the file since. What others change between a question and our writing, or
 * between that and the question after it, is taken for ours.
 *
 * Owns: nothing; an FR stands for its inode, which ends it together with the FCM. While a page is
 * in transit neither goes, so calls for pages hold nothing.
 */
#include "p9.h"

#include "../../mem/fcm/file_pages.h"
#include "../../mem/machine.h"
#include "../values.h"
#include "runtime.h"

enum { KEY_RESIZED = 2, KEY_FLUSHED = 1 };
_Static_assert(FR_RUN_PAGES <= P9_DATA_PIECES, "a run is one call");

static struct p9_inode *inode_of(struct fr *self) {
    return BODY(self);
}

static uint32_t fid_of(const struct p9_inode *inode) {
    uint32_t fid = k42_load_acquire(&inode->write_fid);
    return fid != P9_NO_FID ? fid : k42_load_acquire(&inode->read_fid);
}

/* ---- whose change it was ---- */

void p9_changing(struct p9_inode *inode) {
    k42_lock(&inode->lock);
    inode->changing++;
    k42_unlock(&inode->lock);
}

void p9_changed(struct p9_inode *inode) {
    k42_lock(&inode->lock);
    inode->changing--;
    inode->changed_ns = k42_platform_now_ns();
    bool asks = inode->fcm && !inode->changing && !k42_load_acquire(&inode->writing);
    k42_unlock(&inode->lock);
    if (asks) /* a round does, after all that it writes */
        p9_may_write(inode);
}

/* Under the lock: whether the attributes tell of all changes that we have sent. */
static bool tell_all(const struct p9_inode *inode) {
    return !inode->unlinked && !inode->changing && inode->changed_ns < inode->attributes_ns;
}

/* And none is to come. A round says that it is writing before it takes back that there is something
 * to write. */
static bool are_settled(const struct p9_inode *inode) {
    bool pending = k42_load_acquire(&inode->may_be_dirty) || k42_load_acquire(&inode->writing);
    return !pending && tell_all(inode);
}

/* Since the version of the pages was asked for we have changed the file. */
static bool is_ours(const struct p9_inode *inode) {
    return inode->changed_ns >= inode->version_ns;
}

static bool is_same(const struct p9_version *a, const struct p9_version *b) {
    return a->number == b->number && a->size == b->size &&
           a->modified.seconds == b->modified.seconds &&
           a->modified.nanoseconds == b->modified.nanoseconds;
}

/* The pages are right, as far as the server tells. */
static void take_version(struct p9_inode *inode) {
    inode->version = inode->told;
    inode->version_ns = inode->attributes_ns;
}

static void ask(struct p9_inode *inode) {
    struct node_attributes attributes;
    k42_result result;
    p9_attributes_changed(inode); /* what is known does not do */
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, p9_get_attributes_of(inode, &attributes));
    (void)result; /* what is not told is not taken for anything */
}

/* Under the lock: whether the server is to be asked before our first change since the version of
 * the pages was told. What was asked for within a second will do, and else what this call has asked
 * for, however slow the server is. */
static bool is_to_be_asked(struct p9_inode *inode) {
    if (is_ours(inode) || inode->attributes_ns + P9_YOUNG_NS >= k42_platform_now_ns())
        return false;
    if (inode->attributes_known.asker != wait_request())
        p9_forget(&inode->attributes_known);
    return true;
}

/* 0, or -K42_WAIT, noted. What the server does not tell holds nothing up. */
static k42_result look_before_writing(struct p9_inode *inode) {
    struct node_attributes attributes;
    k42_lock(&inode->lock);
    bool asks = is_to_be_asked(inode);
    k42_unlock(&inode->lock);
    if (asks && p9_get_attributes_of(inode, &attributes) == -K42_WAIT)
        return -K42_WAIT;
    k42_lock(&inode->lock);
    if (tell_all(inode) && !is_ours(inode) && !is_same(&inode->version, &inode->told))
        inode->others = true;
    k42_unlock(&inode->lock);
    return 0;
}

/* True: what we have written is not told yet. */
static bool is_untold(struct p9_inode *inode) {
    k42_lock(&inode->lock);
    bool ours = is_ours(inode), told = tell_all(inode);
    if (ours && told)
        take_version(inode);
    k42_unlock(&inode->lock);
    return ours && !told;
}

/* What is told while others of our changes are under way is not of all of them: once more, then. */
void p9_look_after_writing(struct p9_inode *inode) {
    for (unsigned n = 0; is_untold(inode) && n < 2; n++)
        ask(inode);
}

/* ---- pages ---- */

/* The FCM is told of each page; one that is gone does not want the others either. */
static void pages_came(struct p9_call *call, int error, struct p9_reader *reader) {
    uint32_t bytes = call->data_bytes, count = error ? 0 : p9_get32(reader);
    if (!error && (reader->bad || count > bytes || P9_READ_HEADER + count > call->request.result))
        error = -EIO;
    for (unsigned i = 0; i + 1 < call->request.in; i++) {
        const struct channel_piece *page = &call->pieces[2 + i];
        uint32_t here = count < page->bytes ? count : page->bytes;
        if (!error && here < page->bytes)
            __builtin_memset((char *)machine_memory(page->physical) + here, 0, page->bytes - here);
        count -= here;
        if (k42_call((fcm_ref)call->object, filled, call->word + i, error) == -K42_STALE)
            return;
    }
}

static void page_went(struct p9_call *call, int error, struct p9_reader *reader) {
    if (!error && (p9_get32(reader) != call->pieces[1].bytes || reader->bad))
        error = -EIO;
    p9_changed(call->context);
    if (k42_call((fcm_ref)call->object, written, call->word, error) < 0)
        return;
}

static k42_result transfer(struct p9_inode *inode, const struct fr_run *run, enum p9_type type,
                           p9_answered *answered) {
    struct p9_call *call;
    k42_result result =
        p9_call_take_long(inode->fs->client, type, answered, inode, run->count, &call);
    if (result < 0)
        return result;
    call->object = run->fcm;
    call->word = run->index;
    p9_put32(&call->message, fid_of(inode));
    p9_put64(&call->message, run->index << MACHINE_PAGE_SHIFT);
    p9_put32(&call->message, (uint32_t)run->bytes);
    result = p9_call_send_pages(call, run->physical, run->count, (uint32_t)run->bytes);
    return result < 0 && result != -K42_WAIT ? -EIO : result;
}

static k42_result transfer_page(struct p9_inode *inode, const struct fr_page *page,
                                enum p9_type type, p9_answered *answered) {
    struct fr_run run = {.fcm = page->fcm,
                         .index = page->index,
                         .bytes = page->bytes,
                         .count = 1,
                         .physical = {page->physical}};
    k42_result result = transfer(inode, &run, type, answered);
    return result < 0 ? result : FR_STARTED;
}

static k42_result fr_fill(struct fr *self, const struct fr_page *page) {
    return transfer_page(inode_of(self), page, P9_TREAD, pages_came);
}

static k42_result fr_fill_run(struct fr *self, const struct fr_run *run) {
    k42_result result = transfer(inode_of(self), run, P9_TREAD, pages_came);
    return result < 0 ? result : (k42_result)run->count;
}

static k42_result fr_write(struct fr *self, const struct fr_page *page) {
    struct p9_inode *inode = inode_of(self);
    if (k42_load_acquire(&inode->write_fid) == P9_NO_FID)
        return -EROFS;
    k42_result result = look_before_writing(inode);
    if (result < 0)
        return result;
    p9_changing(inode);
    result = transfer_page(inode, page, P9_TWRITE, page_went);
    if (result < 0)
        p9_changed(inode);
    return result;
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
    if (resize)
        p9_changed(inode);
    p9_attributes_changed(inode);
    settle(inode, resize, error, true);
}

static k42_result send_resize(struct p9_inode *inode, struct p9_call *call, uint64_t size) {
    p9_put32(&call->message, inode->fid);
    p9_put32(&call->message, P9_SET_SIZE);
    for (unsigned i = 0; i < 3; i++)
        p9_put32(&call->message, 0);
    p9_put64(&call->message, size);
    for (unsigned i = 0; i < 4; i++)
        p9_put64(&call->message, 0);
    p9_changing(inode);
    k42_result result = p9_call_send(call);
    if (result < 0)
        p9_changed(inode);
    return result;
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
    .fill_run = fr_fill_run,
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
    .transfers = fr_transfers,
};

/* ---- an inode's pages ---- */

static k42_result make_pages(struct p9_inode *inode, uint64_t size) {
    struct file_pages made;
    k42_result result = file_pages_make(&p9_fr, inode, size, &made);
    if (result < 0)
        return result;
    k42_lock(&inode->lock);
    bool first = !inode->fcm;
    if (first) {
        inode->fr = made.fr;
        take_version(inode);
        k42_store_release(&inode->fcm, made.fcm);
    }
    k42_unlock(&inode->lock);
    if (!first)
        file_pages_drop(&made);
    return 0;
}

k42_result p9_get_pages(struct p9_inode *inode) {
    struct node_attributes attributes;
    k42_result result = p9_get_attributes_of(inode, &attributes);
    if (result < 0)
        return result;
    if (!k42_load_acquire(&inode->fcm))
        return make_pages(inode, inode->attributes.size);
    k42_lock(&inode->lock);
    struct p9_version told = inode->told;
    uint64_t asked = inode->attributes_ns;
    bool settled = are_settled(inode), ours = is_ours(inode);
    bool others = settled && (inode->others || (!ours && !is_same(&inode->version, &told)));
    if (settled && ours)
        take_version(inode);
    k42_unlock(&inode->lock);
    if (!others)
        return 0;
    result = k42_call((fcm_ref)inode->fcm, renew, told.size);
    if (result < 0)
        return result;
    k42_lock(&inode->lock);
    inode->version = told;
    inode->version_ns = asked;
    inode->others = false;
    k42_unlock(&inode->lock);
    return 0;
}
