/*
 * Reading a whole file: see whole_file.h.
 *
 * Owns: nothing. Locking: none. Fails without a trace.
 */
#include "whole_file.h"

#include "../mem/frame/frame.h"
#include "files/files.h"
#include "program.h"

/* Makes room for a file of `size` bytes. */
static k42_result make_room(struct whole_file *whole, uint64_t size) {
    unsigned order = 0;
    if (!size)
        return -ENOEXEC;
    while (order <= FRAME_ORDER_MAX && (FRAME_BYTES << order) < size)
        order++;
    if (order > FRAME_ORDER_MAX)
        return -EFBIG;
    whole->order = order;
    whole->size = size;
    return frame_allocate(order, NULL, &whole->frame);
}

static k42_result read_all(file_ref file, struct whole_file *whole) {
    struct k42_pair node = k42_call(file, node);
    struct node_attributes attributes;
    k42_result result = node.result;
    if (result >= 0)
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                  k42_call((node_ref)node.word, attributes, &attributes));
    if (result >= 0)
        result = make_room(whole, attributes.size);
    for (size_t done = 0; result >= 0 && done < whole->size; done += (size_t)result) {
        struct copy copy =
            copy_of_kernel((char *)frame_memory(whole->frame) + done, whole->size - done);
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(file, read, (int64_t)done, &copy));
        if (result == 0)
            result = -EIO; /* it became shorter meanwhile */
    }
    return result < 0 ? linux_result(result, -EBADF) : 0;
}

k42_result whole_file_read(int descriptor, struct whole_file *whole) {
    file_ref file;
    *whole = (struct whole_file){0};
    k42_result result = files_get(descriptor, &file);
    if (result >= 0)
        result = k42_call(file, hold);
    if (result < 0)
        return -EBADF;
    result = read_all(file, whole);
    k42_result released = k42_call(file, release);
    return result < 0 ? result : released < 0 ? -EBADF : 0;
}

k42_result whole_file_copy(uintptr_t from, size_t size, struct whole_file *whole) {
    *whole = (struct whole_file){0};
    k42_result result = make_room(whole, size);
    return result < 0 ? result : program_read(whole_file_bytes(whole), from, size);
}

void whole_file_discard(struct whole_file *whole) {
    if (whole->frame)
        frame_free(whole->frame, whole->order);
    *whole = (struct whole_file){0};
}

void *whole_file_bytes(const struct whole_file *whole) {
    return frame_memory(whole->frame);
}
