/*
 * Attaching to a server, and the end of it.
 *
 * Owns: the making of a struct p9_fs. Its references are its inodes and its thread; a root that
 * nobody holds any more has the thread drop all names, and the last inode to go lets it end.
 */
#include "p9.h"

#include "../../dev/names.h"
#include "../../print.h"
#include "../../sched/thread.h"
#include "../open_file.h"
#include "../types.h"
#include "mount_9p.h"
#include "runtime.h"

#define ROOT_FID 0u

/* ---- three questions, one after the other ---- */

struct greeting {
    struct p9_fs *fs;
    k42_result result;
    uint32_t over; /* slept on */
};

static void over(struct p9_call *call, k42_result result) {
    struct greeting *greeting = call->context;
    greeting->result = result;
    k42_store_release(&greeting->over, 1);
    thread_wake_parked(&greeting->over, 1);
}

static void root_is_known(struct p9_call *call, int error, struct p9_reader *reader) {
    struct greeting *greeting = call->context;
    struct p9_attributes attributes;
    if (!error && !p9_get_attributes(reader, &attributes))
        error = -EIO;
    attributes.asked_ns = call->begun_ns;
    if (!error) {
        greeting->fs->root = p9_inode_of(greeting->fs, NULL, NULL, call->fid, &attributes);
        error = greeting->fs->root ? 0 : -ENOMEM;
    }
    over(call, error);
}

static void attached(struct p9_call *call, int error, struct p9_reader *reader) {
    (void)reader;
    p9_call_again(call, P9_TGETATTR, root_is_known);
    p9_put32(&call->message, call->fid);
    p9_put64(&call->message, P9_GETATTR_BASIC);
    if (error || p9_call_send_again(call) < 0)
        over(call, error ? error : -EIO);
}

static void agreed(struct p9_call *call, int error, struct p9_reader *reader) {
    uint32_t most = error ? 0 : p9_get32(reader);
    struct p9_string version = error ? (struct p9_string){"", 0} : p9_get_string(reader);
    if (!error &&
        (reader->bad || most < 2 * P9_BUFFER_BYTES || version.length != sizeof P9_VERSION - 1 ||
         __builtin_memcmp(version.text, P9_VERSION, version.length) != 0))
        error = -EPROTO;
    if (!error)
        error = (int)p9_fid_take(call->client, &call->fid);
    p9_call_again(call, P9_TATTACH, attached);
    p9_put32(&call->message, call->fid);
    p9_put32(&call->message, P9_NO_FID);
    p9_put_string(&call->message, "root", 4);
    p9_put_string(&call->message, "", 0);
    p9_put32(&call->message, 0);
    if (error || p9_call_send_again(call) < 0)
        over(call, error ? error : -EIO);
}

static k42_result greet(struct p9_fs *fs) {
    struct greeting greeting = {.fs = fs};
    struct p9_call *call;
    k42_enter();
    k42_result result = p9_call_take(fs->client, P9_TVERSION, agreed, &greeting, &call);
    if (!result) {
        p9_put32(&call->message, P9_MESSAGE_MAX);
        p9_put_string(&call->message, P9_VERSION, sizeof P9_VERSION - 1);
        result = p9_call_send(call);
    }
    k42_exit();
    if (result < 0)
        return result == -K42_WAIT ? -EIO : result;
    while (!k42_load_acquire(&greeting.over))
        thread_park(&greeting.over, 0, 0);
    return greeting.result;
}

/* ---- life ---- */

void p9_fs_drop(struct p9_fs *fs) {
    if (__atomic_sub_fetch(&fs->references, 1, __ATOMIC_ACQ_REL))
        return;
    p9_client_end(fs->client);
    k42_platform_free(fs);
}

static struct p9_fs *make_fs(const char *tag, channel_ref channel, unsigned flags) {
    struct p9_fs *fs = k42_platform_alloc(sizeof *fs);
    if (!fs)
        return NULL;
    fs->client = p9_client_make(channel);
    if (!fs->client) {
        k42_platform_free(fs);
        return NULL;
    }
    fs->references = 1; /* the thread's */
    fs->holders = 1;
    fs->flags = flags;
    fs->device = node_new_device();
    k42_copy_text(fs->tag, sizeof fs->tag, tag);
    return fs;
}

k42_result p9_attach(const char *tag, unsigned flags, node_ref *root) {
    channel_ref channel = (channel_ref)device_find(tag, &channel_interface);
    if (!channel)
        return -ENODEV;
    struct p9_fs *fs = make_fs(tag, channel, flags);
    if (!fs)
        return -ENOMEM;
    k42_result result = greet(fs);
    if (result < 0) {
        p9_fs_drop(fs);
        return result;
    }
    *root = (node_ref)fs->root->self;
    int started = thread_start_alone("9p", p9_write_back, fs);
    if (started < 0)
        print("9p %s: no thread to write back; only sync does", fs->tag);
    return 0;
}

/* mount(2) comes active. Its options (trans, version, msize) say what is so anyway. */
static k42_result make(const char *source, const char *options, node_ref *root) {
    (void)options;
    k42_exit();
    k42_result result = p9_attach(source, 0, root);
    k42_enter();
    return result;
}

void p9_register(void) {
    static struct file_system_type type = {.name = "9p", .make = make};
    file_system_register(&type);
}
