/*
 * Another kernel to go over to (next_kernel.h): read from files of the program's into frames that
 * stay where they are.
 *
 * There is one at most; loading exchanges the whole record by one atomic step, and whoever got the
 * old one out frees it. Fails without a trace: what was loaded before stays.
 */
#include "next_kernel.h"

#include "../arch/x86_64/arch.h"
#include "../mem/frame/frame.h"
#include "../mem/heap/heap.h"
#include "../print.h"
#include "../sched/thread.h"
#include "files/files.h"
#include "linux.h"
#include "program.h"

#include <linux/capability.h>

enum {
    LINE_MOST = 2048,
    UNLOAD = 1, /* flags of kexec_file_load */
    ON_CRASH = 2,
    NO_INITRAMFS = 4,
};

/* A file in memory, in one piece. */
struct piece {
    struct frame *frame; /* NULL: none */
    unsigned order;
    size_t size;
};

struct next_kernel {
    struct piece image, initramfs;
    char line[LINE_MOST];
};

static struct next_kernel *next;

static void piece_free(struct piece *piece) {
    if (piece->frame)
        frame_free(piece->frame, piece->order);
}

static void discard(struct next_kernel *kernel) {
    if (!kernel)
        return;
    piece_free(&kernel->image);
    piece_free(&kernel->initramfs);
    heap_free(kernel);
}

/* Makes room for a file of `size` bytes. */
static k42_result piece_make(struct piece *piece, uint64_t size) {
    unsigned order = 0;
    if (!size)
        return -ENOEXEC;
    while (order <= FRAME_ORDER_MAX && (FRAME_BYTES << order) < size)
        order++;
    if (order > FRAME_ORDER_MAX)
        return -EFBIG;
    piece->order = order;
    piece->size = size;
    return frame_allocate(order, NULL, &piece->frame);
}

static k42_result read_all(file_ref file, struct piece *piece) {
    struct k42_pair node = k42_call(file, node);
    struct node_attributes attributes;
    k42_result result = node.result;
    if (result >= 0)
        result = k42_call((node_ref)node.word, attributes, &attributes);
    if (result >= 0)
        result = piece_make(piece, attributes.size);
    for (size_t done = 0; result >= 0 && done < piece->size; done += (size_t)result) {
        struct copy copy =
            copy_of_kernel((char *)frame_memory(piece->frame) + done, piece->size - done);
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(file, read, (int64_t)done, &copy));
        if (result == 0)
            result = -EIO; /* it became shorter meanwhile */
    }
    return result < 0 ? linux_result(result, -EBADF) : 0;
}

static k42_result read_file(int number, struct piece *piece) {
    file_ref file;
    k42_result result = files_get(number, &file);
    if (result >= 0)
        result = k42_call(file, hold);
    if (result < 0)
        return -EBADF;
    result = read_all(file, piece);
    k42_result released = k42_call(file, release);
    return result < 0 ? result : released < 0 ? -EBADF : 0;
}

static k42_result load(struct next_kernel *kernel, int image, int initramfs, uintptr_t line,
                       size_t length, uint64_t flags) {
    if (length > sizeof kernel->line)
        return -EINVAL;
    k42_result result = length ? program_read(kernel->line, line, length) : 0;
    if (result == 0 && length && kernel->line[length - 1])
        result = -EINVAL;
    if (result == 0)
        result = read_file(image, &kernel->image);
    if (result == 0 && !(flags & NO_INITRAMFS))
        result = read_file(initramfs, &kernel->initramfs);
    return result;
}

LINUX_CALL(320, kexec_file_load, int image, int initramfs, size_t length, uintptr_t line,
           uint64_t flags) {
    if (!task_capable(task_self(), CAP_SYS_BOOT))
        return -EPERM;
    if (flags & ~(uint64_t)(UNLOAD | NO_INITRAMFS))
        return -EINVAL; /* ON_CRASH too: there is no memory set aside for that */
    struct next_kernel *kernel = NULL;
    if (!(flags & UNLOAD)) {
        kernel = heap_allocate_zeroed(sizeof *kernel);
        k42_result result = kernel ? load(kernel, image, initramfs, line, length, flags) : -ENOMEM;
        if (result < 0) {
            discard(kernel);
            return result;
        }
    }
    discard(__atomic_exchange_n(&next, kernel, __ATOMIC_ACQ_REL));
    return 0;
}

struct start {
    struct next_kernel *kernel;
    int error;
};

/* In a thread of CPU 0, from where the processor's part can stop all others. */
static void go(void *argument) {
    struct start *start = argument;
    struct next_kernel *kernel = start->kernel;
    struct boot_module module = {0};
    if (kernel->initramfs.frame)
        module =
            (struct boot_module){frame_physical(kernel->initramfs.frame), kernel->initramfs.size};
    start->error = machine_fast_reboot(frame_memory(kernel->image.frame), kernel->image.size,
                                       &module, module.size ? 1 : 0, kernel->line);
}

k42_result next_kernel_start(void) {
    struct start start = {.kernel = __atomic_exchange_n(&next, NULL, __ATOMIC_ACQ_REL)};
    if (!start.kernel)
        return -EINVAL;
    print("linux: %s (%d) starts another kernel", task_self()->name, task_self()->pid);
    k42_exit();
    struct thread *thread = thread_start_on(0, "reboot", go, &start);
    if (thread)
        thread_join(thread);
    k42_enter();
    discard(start.kernel);
    return thread ? start.error : -ENOMEM;
}
