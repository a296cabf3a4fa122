/*
 * /dev/null, zero, full, random, urandom and kmsg: devices without a device.
 */
#include "devices.h"
#include "open_file.h"
#include "random.h"
#include "values.h"

#include "../copy.h"
#include "../log.h"
#include "../mem/space/space.h"
#include "../print.h"

#include <errno.h>

enum { MAJOR = 1 };

static k42_result null_read(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return 0;
}

static k42_result null_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset;
    return (k42_result)copy_skip(copy, copy->left);
}

static k42_result zero_read(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset;
    return copy->left ? copy_out_zeros(copy, copy->left) : 0;
}

static k42_result full_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset;
    return copy->left ? -ENOSPC : 0;
}

static k42_result random_read(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset;
    return random_copy(copy);
}

/* What is written helps to make numbers unlike others. */
static k42_result random_write(struct file *self, int64_t offset, struct copy *copy) {
    char bytes[64];
    k42_result done = 0;
    (void)self, (void)offset;
    while (copy->left) {
        k42_result copied = copy_in(copy, bytes, sizeof bytes);
        if (copied <= 0)
            return done ? done : copied;
        random_stir(bytes, (size_t)copied);
        done += copied;
    }
    return done;
}

/* Each line becomes one of the kernel's log, which keeps so much of it. */
static k42_result log_write(struct file *self, int64_t offset, struct copy *copy) {
    char text[LOG_TEXT];
    (void)self, (void)offset;
    k42_result length = copy_in(copy, text, sizeof text - 1), begin = 0;
    if (length <= 0)
        return length;
    for (k42_result at = 0; at <= length; at++)
        if (at == length || text[at] == '\n') {
            text[at] = 0;
            if (at > begin)
                print_line(text + begin);
            begin = at + 1;
        }
    return length + (k42_result)copy_skip(copy, copy->left);
}

static k42_result null_seek(struct file *self, int64_t offset, int whence) {
    (void)self, (void)offset, (void)whence;
    return 0;
}

/* Zeroed memory of one's own. */
static k42_result zero_map(struct file *self, struct file_map *map) {
    (void)self;
    *map = (struct file_map){.most = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE};
    return 0;
}

/* Each has a format of its own: the bodies are alike, the devices are no alternatives. */
#define MEMORY_FILE(name_, read_, write_, map_)                                                    \
    static const struct k42_format name_##_format = {"file." #name_, 1, 1};                        \
    static const struct k42_transfer name_##_transfers[] = BODY_TRANSFERS(name_##_format);         \
    static const struct file_ops name_##_ops = {                                                   \
        OPENED_METHODS,                                                                            \
        .read = read_,                                                                             \
        .write = write_,                                                                           \
        .seek = null_seek,                                                                         \
        .list = file_no_list,                                                                      \
        .poll = file_ready,                                                                        \
        .control = file_no_control,                                                                \
        .map = map_,                                                                               \
        .sync = file_no_sync,                                                                      \
        .resize = file_no_resize,                                                                  \
        .allocate = file_no_allocate,                                                              \
    };                                                                                             \
    K42_CLASS(file_##name_) = {                                                                    \
        .name = "file." #name_,                                                                    \
        .interface = &file_interface,                                                              \
        .version = 1,                                                                              \
        BODY_LAYOUT,                                                                               \
        .ops = &name_##_ops,                                                                       \
        .fini = opened_fini,                                                                       \
        .transfers = name_##_transfers,                                                            \
    }

MEMORY_FILE(null, null_read, null_write, file_no_map);
MEMORY_FILE(zero, zero_read, null_write, zero_map);
MEMORY_FILE(full, zero_read, full_write, file_no_map);
MEMORY_FILE(random, random_read, random_write, file_no_map);
MEMORY_FILE(log, null_read, log_write, file_no_map);

static struct k42_pair memory_open(struct device *device, uint32_t minor, k42_ref node,
                                   unsigned flags) {
    (void)minor;
    return opened_make(device->context, sizeof(struct opened), node, flags, NULL, NULL);
}

/* It is read by syslog(), which programs turn to when this cannot be opened for that. */
static struct k42_pair log_open(struct device *device, uint32_t minor, k42_ref node,
                                unsigned flags) {
    return open_reads(flags) ? (struct k42_pair){.result = -EPERM}
                             : memory_open(device, minor, node, flags);
}

void memory_devices_register(void) {
    static struct device memory[] = {
        {.name = "null", .minor = 3, .context = &file_null},
        {.name = "zero", .minor = 5, .context = &file_zero},
        {.name = "full", .minor = 7, .context = &file_full},
        {.name = "random", .minor = 8, .context = &file_random},
        {.name = "urandom", .minor = 9, .context = &file_random},
    };
    static struct device log = {.name = "kmsg",
                                .major = MAJOR,
                                .minor = 11,
                                .mode = 0200,
                                .open = log_open,
                                .context = &file_log};
    device_register(&log);
    for (unsigned n = 0; n < sizeof memory / sizeof *memory; n++) {
        memory[n].major = MAJOR;
        memory[n].mode = 0666;
        memory[n].open = memory_open;
        device_register(&memory[n]);
    }
}
