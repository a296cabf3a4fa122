/*
 * prctl(PR_SET_VMA): names of memory, which /proc/PID/maps shows.
 *
 * A name is an open file that nobody has a descriptor of and that has nothing but its text: an
 * object that the mappings hold which have it, so that it is taken along wherever they are. Data:
 * the text, constant. Format: file.text, by pointer. Fails: -EFAULT, -EINVAL, -ENOMEM.
 */
#include "memory_calls.h"

#include "events/unnamed.h"
#include "program.h"
#include "task.h"

#include <linux/prctl.h>

struct text_file {
    struct opened opened;
    char text[FILE_TEXT_MOST];
};

#define TEXT_FILE(self) k42_container(OPENED(self), struct text_file, opened)

static k42_result no_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result text_control(struct file *self, unsigned request, uintptr_t argument) {
    switch (request) {
    case FILE_KIND:
        return FILE_OF_TEXT;
    case FILE_LOOK:
        __builtin_memcpy((char *)argument, TEXT_FILE(self)->text, FILE_TEXT_MOST);
        return 0;
    default:
        return -ENOTTY;
    }
}

static const struct file_ops text_ops = {
    UNNAMED_METHODS,      .read = no_bytes,   .write = no_bytes,
    .seek = unnamed_seek, .poll = file_ready, .control = text_control,
};

static const struct k42_format text_format = {"file.text", 1, 1};
static const struct k42_transfer text_transfers[] = BODY_TRANSFERS(text_format);

K42_CLASS(file_text) = {
    .name = "file.text",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &text_ops,
    .fini = opened_fini,
    .transfers = text_transfers,
};

/* ---- the call ---- */

/* Letters that are to be seen, without those that would end the name where it is shown. */
static bool is_allowed(char c) {
    return c >= ' ' && c <= '~' && c != '\\' && c != '`' && c != '$' && c != '[' && c != ']';
}

static k42_result set_up(struct opened *opened, void *context) {
    char *to = k42_container(opened, struct text_file, opened)->text;
    k42_result length = program_read_text(to, *(const uintptr_t *)context, FILE_TEXT_MOST);
    if (length < 0)
        return length == -ENAMETOOLONG ? -EINVAL : length;
    for (const char *at = to; *at; at++)
        if (!is_allowed(*at))
            return -EINVAL;
    return 0;
}

static k42_result rename_range(uintptr_t address, size_t length, k42_ref name) {
    size_t whole = memory_whole_pages(length);
    k42_result result;
    if (!memory_is_page(address) || (length && !whole) || address + whole < address)
        return -EINVAL;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
              k42_call(task_self()->space, rename, address, whole, name));
    return result;
}

k42_result memory_name(uint64_t what, uintptr_t address, size_t length, uintptr_t from) {
    struct k42_pair name = {0};
    if (what != PR_SET_VMA_ANON_NAME)
        return -EINVAL;
    if (from)
        name = opened_make(&file_text, sizeof(struct text_file), K42_NULL_REF, OPEN_PATH, set_up,
                           &from);
    if (name.result < 0)
        return name.result;
    k42_result result = rename_range(address, length, (k42_ref)name.word);
    if (from)
        (void)!k42_call((file_ref)name.word, release);
    return result;
}
