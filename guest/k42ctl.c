/*
 * k42ctl: what an administrator asks of the running kernel.
 *
 *     k42ctl reboot [--fast IMAGE [--initrd FILE] [--append TEXT]]
 *
 * An ordinary program that needs nothing but a kernel. Ends with 0, with 1 when the kernel refused,
 * with 2 when it was called wrongly.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char help[] =
    "usage: k42ctl COMMAND ...\n"
    "\n"
    "Asks something of the running kernel.\n"
    "\n"
    "commands:\n"
    "  reboot                 restart the machine\n"
    "  reboot --fast IMAGE    go over to the kernel in the file IMAGE at once, without\n"
    "                         firmware; with\n"
    "    --initrd FILE          its initial file system\n"
    "    --append TEXT          its options\n"
    "  help                   this\n";

static int refused(const char *what, const char *which) {
    fprintf(stderr, "k42ctl: %s %s: %s\n", what, which, strerror(errno));
    return 1;
}

static int wrong(const char *what, const char *which) {
    fprintf(stderr, "k42ctl: %s %s; 'k42ctl help' tells more\n", what, which);
    return 2;
}

static int restart(unsigned command) {
    sync();
    syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, NULL);
    return refused("cannot", "reboot");
}

/* Reads IMAGE and FILE into the kernel and starts what was read. */
static int go_over(const char *image, const char *initrd, const char *line) {
    int kernel = open(image, O_RDONLY | O_CLOEXEC);
    int files = initrd ? open(initrd, O_RDONLY | O_CLOEXEC) : -1;
    if (kernel < 0)
        return refused("cannot open", image);
    if (initrd && files < 0)
        return refused("cannot open", initrd);
    unsigned long flags = initrd ? 0 : KEXEC_FILE_NO_INITRAMFS;
    if (syscall(SYS_kexec_file_load, kernel, files, strlen(line) + 1, line, flags))
        return refused("the kernel does not take", image);
    return restart(LINUX_REBOOT_CMD_KEXEC);
}

static int reboot_by(char **arguments) {
    const char *image = NULL, *initrd = NULL, *line = "";
    for (; *arguments; arguments += 2) {
        const char **value = !strcmp(*arguments, "--fast")     ? &image
                             : !strcmp(*arguments, "--initrd") ? &initrd
                             : !strcmp(*arguments, "--append") ? &line
                                                               : NULL;
        if (!value)
            return wrong("reboot does not know", *arguments);
        if (!arguments[1])
            return wrong("something must follow", *arguments);
        *value = arguments[1];
    }
    if (!image && (initrd || *line))
        return wrong("--initrd and --append go with", "--fast");
    return image ? go_over(image, initrd, line) : restart(LINUX_REBOOT_CMD_RESTART);
}

int main(int count, char **arguments) {
    if (count < 2)
        return wrong("a command is", "missing");
    if (!strcmp(arguments[1], "reboot"))
        return reboot_by(arguments + 2);
    if (!strcmp(arguments[1], "help") || !strcmp(arguments[1], "--help")) {
        fputs(help, stdout);
        return 0;
    }
    return wrong("there is no command", arguments[1]);
}
