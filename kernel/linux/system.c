/*
 * The machine as programs see it: sysinfo, its end.
 */
#include "system.h"

#include "../dev/tty/tty_devices.h"
#include "../mem/frame/frame.h"
#include "../mem/swap/swap.h"
#include "../print.h"
#include "../sched/thread.h"
#include "abi.h"
#include "next_kernel.h"
#include "process/ids.h"
#include "program.h"
#include "runtime.h"
#include "task.h"

#include <k42/k42.h>

void system_memory(uint64_t *total, uint64_t *available) {
    struct frame_statistics frames;
    frames_count(&frames);
    *total = frames.present;
    *available = frames.free + frames.idle + frames.cached;
}

uint64_t system_archives(void) {
    struct frame_statistics frames;
    frames_count(&frames);
    return frames.kept;
}

static uint16_t count_processes(void) {
    uint64_t count = 0;
    for (int number = ids_next(1); number; number = ids_next(number + 1))
        count++;
    return count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
}

LINUX_CALL(99, sysinfo, uintptr_t to) {
    uint64_t total, available, loads[SCHED_LOADS];
    struct swap_totals swap;
    system_memory(&total, &available);
    swap_total(&swap);
    sched_read_load(loads);
    struct sysinfo info = {
        .uptime = (int64_t)(time_ns() / 1000000000),
        .loads = {loads[0] >> 16, loads[1] >> 16, loads[2] >> 16},
        .totalram = total * FRAME_SIZE,
        .freeram = available * FRAME_SIZE,
        .totalswap = swap.pages * FRAME_SIZE,
        .freeswap = swap.free * FRAME_SIZE,
        .procs = count_processes(),
        .mem_unit = 1,
    };
    return program_write(to, &info, sizeof info);
}

/* ---- the end ---- */

#define PATIENCE_NS 2000000000ul /* for what was written to leave */

static k42_result end_machine(unsigned command) {
    if (command != LINUX_REBOOT_CMD_CAD_ON && command != LINUX_REBOOT_CMD_CAD_OFF)
        tty_devices_drain(PATIENCE_NS);
    switch (command) {
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_RESTART2:
        print("linux: %s (%d) restarts the machine", task_self()->name, task_self()->pid);
        machine_reboot();
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        print("linux: %s (%d) switches the machine off", task_self()->name, task_self()->pid);
        machine_exit(0);
    case LINUX_REBOOT_CMD_KEXEC:
        return next_kernel_start();
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}

LINUX_CALL(169, reboot, unsigned magic, unsigned again, unsigned command) {
    if (!task_capable(task_self(), CAP_SYS_BOOT))
        return -EPERM;
    if (magic != LINUX_REBOOT_MAGIC1 ||
        (again != LINUX_REBOOT_MAGIC2 && again != LINUX_REBOOT_MAGIC2A &&
         again != LINUX_REBOOT_MAGIC2B && again != LINUX_REBOOT_MAGIC2C))
        return -EINVAL;
    return end_machine(command);
}
