/*
 * What programs expect of a system that has just booted: file systems in their places, a name, the
 * loopback network; drivers, where the kernel keeps them in files; and the launcher's ports.
 *
 * Runs once, alone. Whatever a kernel does not have, or has done already, is left out silently: the
 * program that needs it will say so better.
 */
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DRIVERS      "/usr/lib/k42-drivers" /* files that begin with the order in which to load them */
#define ANNOUNCEMENT "k42.ports"            /* of ports, on the kernel's command line */
#define BESIDE       "k42.beside"           /* of one more */
#define PATIENCE_MS  10000                  /* until a port that was announced is there */

/* The kernel may have done so: a folder on another device than the one above is a mount's. */
static bool is_mounted(const char *folder) {
    char above[64];
    struct stat here, there;
    snprintf(above, sizeof above, "%s/..", folder);
    return !stat(folder, &here) && !stat(above, &there) && here.st_dev != there.st_dev;
}

static void mount_all(void) {
    static const struct {
        const char *type, *where, *options;
    } mounts[] = {
        {"proc", "/proc", ""},
        {"sysfs", "/sys", ""},
        {"devtmpfs", "/dev", ""},
        {"devpts", "/dev/pts", "ptmxmode=666,mode=620,gid=5"},
        {"tmpfs", "/dev/shm", "mode=1777"},
        {"tmpfs", "/run", "mode=755"},
        {"tmpfs", "/tmp", "mode=1777"},
    };
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        (void)mkdir(mounts[i].where, 0755);
        if (is_mounted(mounts[i].where))
            continue;
        (void)mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, mounts[i].options);
    }
    static const char *const links[][2] = {{"/proc/self/fd", "/dev/fd"},
                                           {"fd/0", "/dev/stdin"},
                                           {"fd/1", "/dev/stdout"},
                                           {"fd/2", "/dev/stderr"}};
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        (void)!symlink(links[i][0], links[i][1]);
}

static void load_drivers(void) {
    struct dirent **names;
    int count = scandir(DRIVERS, &names, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, DRIVERS "/%s", names[i]->d_name);
        int fd = names[i]->d_name[0] == '.' ? -1 : open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0) {
            if (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST)
                fprintf(stderr, "init: cannot load %s: %s\n", path, strerror(errno));
            close(fd);
        }
        free(names[i]);
    }
    if (count > 0)
        free(names);
}

static void bring_up_loopback(void) {
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)ioctl(fd, SIOCSIFFLAGS, &request);
    close(fd);
}

void system_prepare(void) {
    mount_all();
    (void)sethostname("k42", 3);
    load_drivers();
    bring_up_loopback();
}

static bool announced(const char *what) {
    char line[4096] = "";
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, line, sizeof line - 1);
    close(fd);
    return n > 0 && strstr(line, what);
}

/* Drivers find their devices in their own time. */
static int open_soon(const char *path, unsigned patience_ms) {
    for (;;) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd >= 0 || !patience_ms--)
            return fd;
        usleep(1000);
    }
}

bool ports_open(int ports[PORT_COUNT]) {
    unsigned patience_ms = announced(ANNOUNCEMENT) ? PATIENCE_MS : 0;
    for (unsigned i = 0; i < PORT_COUNT; i++) {
        char path[32];
        snprintf(path, sizeof path, "/dev/vport0p%u", i + 1);
        ports[i] = open_soon(path, patience_ms);
        if (ports[i] < 0)
            return false;
    }
    return true;
}

int port_beside_open(void) {
    char path[32];
    snprintf(path, sizeof path, "/dev/vport0p%u", PORT_COUNT + 1);
    return announced(BESIDE) ? open_soon(path, PATIENCE_MS) : -1;
}

const char *console_name(void) {
    return access("/dev/hvc0", F_OK) == 0 ? "/dev/hvc0" : "/dev/console";
}
