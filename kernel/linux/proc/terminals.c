/*
 * /proc/tty/drivers: which device numbers are terminals, and what those are called; programs that
 * list processes turn the number in /proc/PID/stat into a name with it.
 *
 * Constant: the numbers are given by the drivers' own files (dev/tty/).
 */
#include "../../fs/procfs/procfs.h"
#include "../../fs/values.h"
#include "proc.h"
#include "runtime.h"

static k42_result print_drivers(const struct proc_key *key, struct proc_text *text) {
    static const char drivers[] = "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
                                  "/dev/console         /dev/console    5       1 system:console\n"
                                  "/dev/ptmx            /dev/ptmx       5       2 system\n"
                                  "hvc                  /dev/hvc      229 0-15 system\n"
                                  "serial               /dev/ttyS       4 64-67 serial\n"
                                  "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"
                                  "pty_master           /dev/ptm      128 0-1048575 pty:master\n";
    (void)key;
    proc_put(text, drivers, sizeof drivers - 1);
    return 0;
}

void proc_terminals_register(void) {
    static struct proc_entry tty = {.name = "tty", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry drivers = {
        .name = "drivers", .mode = MODE_REGULAR | 0444, .print = print_drivers};
    proc_add(NULL, &tty);
    proc_add(&tty, &drivers);
}
