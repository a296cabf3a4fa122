/*
 * Restarts the machine, or goes over to another kernel.
 */
#include "k42ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int restart(unsigned command) {
    sync();
    syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, command, NULL);
    return refused("cannot reboot: %s", strerror(errno));
}

/* Reads IMAGE and FILE into the kernel and starts what was read. */
static int go_over(const char *image, const char *initrd, const char *line) {
    int kernel = open(image, O_RDONLY | O_CLOEXEC);
    int files = initrd ? open(initrd, O_RDONLY | O_CLOEXEC) : -1;
    if (kernel < 0)
        return refused("cannot open %s: %s", image, strerror(errno));
    if (initrd && files < 0)
        return refused("cannot open %s: %s", initrd, strerror(errno));
    unsigned long flags = initrd ? 0 : KEXEC_FILE_NO_INITRAMFS;
    if (syscall(SYS_kexec_file_load, kernel, files, strlen(line) + 1, line, flags))
        return refused("the kernel does not take %s: %s", image, strerror(errno));
    return restart(LINUX_REBOOT_CMD_KEXEC);
}

int reboot_command(char **words) {
    const char *image = NULL, *initrd = NULL, *line = "";
    while (*words)
        if (!option_value(&words, "--fast", &image) && !option_value(&words, "--initrd", &initrd) &&
            !option_value(&words, "--append", &line))
            return wrong_words("reboot does not know %s", *words);
    if (!image && (initrd || *line))
        return wrong_words("--initrd and --append go with --fast");
    return image ? go_over(image, initrd, line) : restart(LINUX_REBOOT_CMD_RESTART);
}
