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
#include "linux.h"
#include "program.h"
#include "task.h"
#include "whole_file.h"

#include <errno.h>
#include <linux/capability.h>

enum {
    LINE_MOST = 2048,
    UNLOAD = 1, /* flags of kexec_file_load */
    ON_CRASH = 2,
    NO_INITRAMFS = 4,
};

struct next_kernel {
    struct whole_file image, initramfs;
    char line[LINE_MOST];
};

static struct next_kernel *next;

static void discard(struct next_kernel *kernel) {
    if (!kernel)
        return;
    whole_file_discard(&kernel->image);
    whole_file_discard(&kernel->initramfs);
    heap_free(kernel);
}

static k42_result load(struct next_kernel *kernel, int image, int initramfs, uintptr_t line,
                       size_t length, uint64_t flags) {
    if (length > sizeof kernel->line)
        return -EINVAL;
    k42_result result = length ? program_read(kernel->line, line, length) : 0;
    if (result == 0 && length && kernel->line[length - 1])
        result = -EINVAL;
    if (result == 0)
        result = whole_file_read(image, &kernel->image);
    if (result == 0 && !(flags & NO_INITRAMFS))
        result = whole_file_read(initramfs, &kernel->initramfs);
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
    start->error = machine_fast_reboot(whole_file_bytes(&kernel->image), kernel->image.size,
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
