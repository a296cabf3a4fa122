/*
 * What the cases of userfaultfd share: a file that watches some pages, and who brings them.
 */
#ifndef ABI_FAULTS_H
#define ABI_FAULTS_H

#include "../abi.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static inline int watch(char *from, int count, int flags, long features) {
    int fd = works(userfaultfd, flags);
    struct uffdio_api api = {.api = UFFD_API, .features = features};
    gives(0, ioctl, fd, UFFDIO_API, &api);
    struct uffdio_register what = {{(long)from, count * 4096l}, UFFDIO_REGISTER_MODE_MISSING, 0};
    gives(0, ioctl, fd, UFFDIO_REGISTER, &what);
    return fd;
}

/* The page that somebody waits for. */
static inline char *asked_for(int fd) {
    struct uffd_msg message;
    if (read(fd, &message, sizeof message) != sizeof message)
        give_up("read");
    return (char *)(message.arg.pagefault.address & -4096ul);
}

static inline long bring(int fd, void *page, const char *text) {
    static __thread char bytes[4096];
    snprintf(bytes, sizeof bytes, "%s", text);
    struct uffdio_copy copy = {(long)page, (long)bytes, 4096, 0, 0};
    return ioctl(fd, UFFDIO_COPY, &copy) ? -errno : copy.copy;
}

#endif
