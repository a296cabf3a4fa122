/*
 * An open file of procfs: the text as it was printed when it was last read from the beginning.
 *
 * The text belongs to whoever has the file's offset taken (opened.c).
 */
#include "../../copy.h"
#include "../open_file.h"
#include "../values.h"
#include "inside.h"
#include "runtime.h"

#include <errno.h>

enum { MOST_WRITTEN = 4096 };

struct proc_file {
    struct opened opened;
    const struct proc_entry *entry;
    struct proc_key key;
    struct proc_text text;
    bool printed;
};

#define PROC_FILE(self) ((struct proc_file *)BODY(self))

static k42_result print_again(struct proc_file *file) {
    file->text.used = 0;
    file->text.failed = false;
    k42_result result = file->entry->print(&file->key, &file->text);
    file->printed = result >= 0;
    if (result >= 0 && file->text.failed)
        result = -ENOMEM;
    return result < 0 ? result : 0;
}

static k42_result move_at(struct proc_file *file, int64_t offset, struct copy *copy, bool write) {
    k42_result result = offset_take(&file->opened);
    if (result < 0)
        return result;
    bool current = offset == FILE_CURRENT;
    uint64_t at = (uint64_t)(current ? file->opened.offset : offset);
    result = copy->left ? file->entry->move(&file->key, at, copy, write) : 0;
    if (current && result > 0)
        file->opened.offset += result;
    offset_leave(&file->opened);
    return result;
}

static k42_result read_at(struct proc_file *file, uint64_t at, struct copy *copy) {
    k42_result result = !at || !file->printed ? print_again(file) : 0;
    if (result < 0 || at >= file->text.used)
        return result;
    return copy_out(copy, file->text.bytes + at, file->text.used - at);
}

static k42_result proc_read(struct file *self, int64_t offset, struct copy *copy) {
    struct proc_file *file = PROC_FILE(self);
    if (!open_reads(file->opened.flags))
        return -EBADF;
    if (file->entry->move)
        return move_at(file, offset, copy, false);
    if (!file->entry->print)
        return -EINVAL;
    k42_result result = offset_take(&file->opened);
    if (result < 0)
        return result;
    bool current = offset == FILE_CURRENT;
    result =
        copy->left ? read_at(file, (uint64_t)(current ? file->opened.offset : offset), copy) : 0;
    if (current && result > 0)
        file->opened.offset += result;
    offset_leave(&file->opened);
    return result;
}

static k42_result proc_write(struct file *self, int64_t offset, struct copy *copy) {
    struct proc_file *file = PROC_FILE(self);
    if (!open_writes(file->opened.flags))
        return -EBADF;
    if (file->entry->move)
        return move_at(file, offset, copy, true);
    if (!file->entry->write)
        return -EIO;
    char *bytes = k42_platform_alloc(MOST_WRITTEN + 1);
    if (!bytes)
        return -ENOMEM;
    k42_result result = copy_in(copy, bytes, MOST_WRITTEN);
    if (result > 0) {
        k42_result taken = file->entry->write(&file->key, bytes, (size_t)result);
        result = taken < 0 ? taken : result;
    }
    k42_platform_free(bytes);
    return result;
}

static const struct file_ops proc_file_ops = {
    OPENED_METHODS,
    .read = proc_read,
    .write = proc_write,
    .seek = opened_seek,
    .list = file_no_list,
    .poll = file_ready,
    .control = file_no_control,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
};

static void proc_file_fini(struct k42_root *root) {
    struct proc_file *file = body_of_root(root);
    if (!file)
        return;
    k42_platform_free(file->text.bytes);
    k42_platform_free(file);
}

static const struct k42_format proc_file_format = {"file.proc", 1, 1};
static const struct k42_transfer proc_file_transfers[] = BODY_TRANSFERS(proc_file_format);

K42_CLASS(file_proc) = {
    .name = "file.proc",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &proc_file_ops,
    .fini = proc_file_fini,
    .transfers = proc_file_transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    const struct proc_file *from = context;
    struct proc_file *file = k42_container(opened, struct proc_file, opened);
    file->entry = from->entry;
    file->key = from->key;
    return 0;
}

struct k42_pair proc_open(const struct proc_entry *entry, const struct proc_key *key, k42_ref node,
                          unsigned flags) {
    struct proc_file what = {.entry = entry, .key = *key};
    return opened_make(&file_proc, sizeof(struct proc_file), node, flags, set_up, &what);
}
