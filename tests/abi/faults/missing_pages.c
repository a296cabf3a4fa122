/* userfaultfd: pages of anonymous memory, told of, copied, zeroed, woken; what is there already. */
#include "abi.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

static int fd;
static char *watched;

/* Touches a page; what it reads there is its answer. */
static void *reader(void *at) {
    return (void *)(long)*(volatile char *)at;
}

static void *writer(void *at) {
    *(volatile char *)at = 'w';
    return (void *)(long)((volatile char *)at)[1];
}

static short ready(int wait) {
    struct pollfd one = {fd, POLLIN};
    poll(&one, 1, wait);
    return one.revents;
}

static void told(long page, int write) {
    struct uffd_msg message = {0};
    is("ready", ready(5000), POLLIN);
    gives(sizeof message, read, fd, &message, sizeof message);
    is("event", message.event, UFFD_EVENT_PAGEFAULT);
    is("page", ((char *)message.arg.pagefault.address - watched) / 4096, page);
    is("write", message.arg.pagefault.flags & UFFD_PAGEFAULT_FLAG_WRITE, write);
    is("ready", ready(0), 0);
    fails(EAGAIN, read, fd, &message, sizeof message);
}

static void copy_to(int page, const char *text, int mode) {
    static char bytes[4096];
    strcpy(bytes, text);
    struct uffdio_copy copy = {(long)(watched + 4096 * page), (long)bytes, 4096, mode, 0};
    gives(0, ioctl, fd, UFFDIO_COPY, &copy);
    is("copied", copy.copy, 4096);
}

static long joined(pthread_t thread) {
    void *result;
    pthread_join(thread, &result);
    return (long)result;
}

int main(void) {
    pthread_t one, two;
    fd = works(userfaultfd, O_CLOEXEC | O_NONBLOCK);
    char link[64] = "", name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    is("its name", readlink(name, link, sizeof link - 1) > 0, 1);
    say("%s", link);
    is("ready", ready(0), POLLERR); /* before UFFDIO_API */
    struct uffdio_api api = {.api = UFFD_API, .features = UFFD_FEATURE_THREAD_ID};
    gives(0, ioctl, fd, UFFDIO_API, &api);
    is("ioctls", api.ioctls == UFFD_API_IOCTLS, 1);
    is("has threads' ids", !!(api.features & UFFD_FEATURE_THREAD_ID), 1);
    is("ready", ready(0), 0);

    watched = pages(8);
    watched[4096] = 'x'; /* there before it is watched */
    struct uffdio_register what = {{(long)watched, 8 * 4096}, UFFDIO_REGISTER_MODE_MISSING, 0};
    gives(0, ioctl, fd, UFFDIO_REGISTER, &what);
    long some = 1 << _UFFDIO_WAKE | 1 << _UFFDIO_COPY | 1 << _UFFDIO_ZEROPAGE;
    is("ioctls", (what.ioctls & some) == some, 1);
    is("what was there", watched[4096], 'x');
    gives(0, ioctl, fd, UFFDIO_REGISTER, &what); /* once more */

    pthread_create(&one, NULL, reader, watched);
    told(0, 0);
    copy_to(0, "first", 0);
    is("read", joined(one), 'f');

    pthread_create(&one, NULL, writer, watched + 2 * 4096);
    told(2, UFFD_PAGEFAULT_FLAG_WRITE);
    copy_to(2, "second", 0);
    is("wrote", joined(one), 'e');
    is("wrote", watched[2 * 4096], 'w');

    pthread_create(&one, NULL, reader, watched + 3 * 4096 + 17);
    told(3, 0);
    struct uffdio_zeropage zero = {{(long)(watched + 3 * 4096), 2 * 4096}, 0, 0};
    gives(0, ioctl, fd, UFFDIO_ZEROPAGE, &zero);
    is("zeroed", zero.zeropage, 2 * 4096);
    is("read", joined(one), 0);
    is("read", watched[4 * 4096], 0);
    watched[4 * 4096] = 'z'; /* no fault that is told */
    is("ready", ready(0), 0);

    /* What is there stays as it is. */
    static char bytes[4 * 4096] = "again";
    struct uffdio_copy copy = {(long)watched, (long)bytes, 4096, 0, 0};
    fails(EEXIST, ioctl, fd, UFFDIO_COPY, &copy);
    is("copied", copy.copy, -EEXIST);
    is("as before", watched[0], 'f');
    zero = (struct uffdio_zeropage){{(long)watched, 4096}, 0, 0};
    fails(EEXIST, ioctl, fd, UFFDIO_ZEROPAGE, &zero);
    /* As far as there is nothing. */
    copy_to(7, "last", 0);
    copy = (struct uffdio_copy){(long)(watched + 5 * 4096), (long)bytes, 3 * 4096, 0, 0};
    fails(EAGAIN, ioctl, fd, UFFDIO_COPY, &copy);
    is("copied", copy.copy, 2 * 4096);

    /* Thrown away, it is missing again; two wait for it, and are told of one by one. */
    madvise(watched + 5 * 4096, 4096, MADV_DONTNEED);
    pthread_create(&one, NULL, reader, watched + 5 * 4096);
    told(5, 0);
    pthread_create(&two, NULL, reader, watched + 5 * 4096 + 1);
    told(5, 0);
    copy_to(5, "both", UFFDIO_COPY_MODE_DONTWAKE);
    struct uffdio_range range = {(long)(watched + 5 * 4096), 4096};
    gives(0, ioctl, fd, UFFDIO_WAKE, &range);
    is("read", joined(one), 'b');
    is("read", joined(two), 'o');
    shown(userfaultfd);

    /* Who is woken without a page is told of again. */
    madvise(watched + 5 * 4096, 4096, MADV_DONTNEED);
    pthread_create(&one, NULL, reader, watched + 5 * 4096);
    told(5, 0);
    gives(0, ioctl, fd, UFFDIO_WAKE, &range);
    told(5, 0);
    gives(0, ioctl, fd, UFFDIO_UNREGISTER, &range);
    is("read", joined(one), 0); /* it is as any memory now */
    close(fd);
    madvise(watched, 4096, MADV_DONTNEED);
    is("read", watched[0], 0);
}
