/*
 * What the kernel does when all CPUs run: the checks that the command line asks for, or nothing.
 */
#include "../core/text.h"
#include "advisor/advisor.h"
#include "arch/x86_64/arch.h"
#include "chaos/chaos.h"
#include "coverage/coverage.h"
#include "dev/block/block_devices.h"
#include "dev/devices.h"
#include "dev/tty/tty_devices.h"
#include "fs/9p/mount_9p.h"
#include "fs/open.h"
#include "kernel.h"
#include "linux/call.h"
#include "mem/fcm/file_pages.h"
#include "mem/pm/pm.h"
#include "mem/space/space.h"
#include "mem/swap/page_out.h"
#include "platform/kernel_platform.h"
#include "print.h"
#include "runtime.h"
#include "sched/thread.h"
#include "trace/flight.h"
#include "vdso/wall_clock.h"

#include <k42/k42.h>

#define CONSOLE_PATIENCE 2000000000ul

extern const struct kernel_check *const kernel_checks_begin[], *const kernel_checks_end[];

static void name_all_checks(void) {
    for (size_t i = 0; &kernel_checks_begin[i] < kernel_checks_end; i++) {
        size_t first = 0;
        while (!k42_text_equal(kernel_checks_begin[first]->name, kernel_checks_begin[i]->name))
            first++;
        if (first == i)
            print("  test=%s", kernel_checks_begin[i]->name);
    }
}

/* What filling the initial file system has set going, such as swaps of directories that grew. */
static void await_rest(void) {
    if (k42_swap_flush() < 0 || k42_defer_flush() < 0)
        panic("the thread that boots is active");
}

/* The machine's status: how many checks failed, or 1 when there was none of that name. */
static unsigned run_checks(const char *name) {
    unsigned passed = 0, failed = 0;
    await_rest();
    for (size_t i = 0; &kernel_checks_begin[i] < kernel_checks_end; i++) {
        const struct kernel_check *check = kernel_checks_begin[i];
        if (!k42_text_equal(check->name, name))
            continue;
        bool held = check->holds();
        print("%s %s", held ? "ok" : "not ok", check->what);
        passed += held;
        failed += !held;
    }
    print("test=%s on %u CPUs: %u passed, %u failed", name, cpu_count(), passed, failed);
    if (passed + failed)
        return failed;
    print("no check has that name; there are");
    name_all_checks();
    return 1;
}

/* "file-cache=small": of which class the page caches of files are before anybody changes that. */
static void choose_file_caches(void) {
    char name[32], full[40];
    if (!boot_option("file-cache", name, sizeof name))
        return;
    k42_format_text(full, sizeof full, "fcm.%s", name);
    struct k42_class *chosen = k42_class_find(full);
    if (!chosen || chosen == &fcm_device || chosen->interface != &fcm_interface)
        panic("boot: there is no page cache \"%s\"; file-cache=shared is the usual one", name);
    file_pages_choose(chosen);
}

void kernel_main(void) {
    char name[32];
    interrupts_enable();
    platform_open();
    wall_clock_open();
    boot_print_machine();
    flight_open();
    devices_open();
    if (pm_open() < 0)
        panic("there is no memory for the page managers");
    swap_open();
    spaces_open();
    choose_file_caches();
    k42_enter();
    if (fs_open() < 0)
        panic("there is no memory for the initial file system");
    block_devices_open();
    p9_register();
    coverage_open();
    k42_exit();
    if (!boot_option_set("no-terminals"))
        tty_devices_open();
    linux_open();
    if (boot_option_set("boot-times"))
        boot_print_times();
    for (unsigned i = 0; i < boot_module_count; i++)
        print("boot module: %lu bytes", boot_modules[i].size);
    if (boot_option("test", name, sizeof name))
        machine_exit(run_checks(name));
    if (boot_option_set("exit"))
        machine_exit(0);
    advisor_open();
    chaos_open();
    tty_await_console(CONSOLE_PATIENCE);
    linux_start();
    thread_exit();
}

void kernel_secondary(void) {
    sched_join();
}
