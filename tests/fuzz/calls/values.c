/*
 * Values for sequences of calls: see calls.h.
 *
 * The memory has a page for each of the structures that calls take most often, filled in so that
 * they come far; the pages behind are for what the kernel writes. The last ends where nothing is.
 */
#include "calls.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 32, DESCRIPTORS = 32 };

static char *memory, *read_only, *gone;
static int descriptors[DESCRIPTORS];
static unsigned descriptor_count;

static void keep(int fd) {
    if (fd >= 0 && descriptor_count < DESCRIPTORS)
        descriptors[descriptor_count++] = fd;
}

static void open_descriptors(void) {
    int ends[2];
    mkdir("d", 0777);
    keep(-1);
    keep(AT_FDCWD);
    keep(open("f", O_RDWR | O_CREAT, 0666));
    keep(open("f", O_RDONLY));
    keep(open("f", O_WRONLY | O_APPEND));
    keep(open("f", O_PATH));
    keep(open("d", O_RDONLY | O_DIRECTORY));
    keep(open("/proc/self", O_RDONLY | O_DIRECTORY));
    keep(open("/dev/null", O_RDWR));
    keep(open("/dev/zero", O_RDWR));
    if (!pipe2(ends, O_NONBLOCK))
        keep(ends[0]), keep(ends[1]);
    if (!pipe(ends))
        keep(ends[0]), keep(ends[1]);
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
        if (!socketpair(AF_UNIX, type, 0, ends))
            keep(ends[0]), keep(ends[1]);
    keep(socket(AF_UNIX, SOCK_STREAM, 0));
    keep(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    int listens = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "s"};
    (void)!bind(listens, (void *)&name, sizeof name), (void)!listen(listens, 4);
    keep(listens);
    keep(epoll_create1(0));
    keep(eventfd(1, EFD_NONBLOCK));
    keep(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK));
    keep(inotify_init1(IN_NONBLOCK));
    keep(memfd_create("fuzz", MFD_ALLOW_SEALING));
    sigset_t set;
    sigemptyset(&set), sigaddset(&set, SIGUSR1);
    keep(signalfd(-1, &set, SFD_NONBLOCK));
    keep((int)syscall(SYS_pidfd_open, getpid(), 0));
}

static char *page(unsigned n) {
    return memory + (size_t)n % PAGES * PAGE;
}

/* Structures, one in a page each, that point to pages behind them. */
static void fill_memory(void) {
    struct iovec *ranges = (void *)page(1);
    for (unsigned i = 0; i < 8; i++)
        ranges[i] = (struct iovec){page(16 + i), i * 100};
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "s"};
    memcpy(page(3), &name, sizeof name);
    *(struct msghdr *)(void *)page(2) =
        (struct msghdr){NULL, 0, ranges, 3, page(12), CMSG_SPACE(sizeof(int)), 0};
    struct cmsghdr *head = (void *)page(12);
    *head = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(head), &descriptors[2], sizeof(int));
    ((struct timespec *)(void *)page(4))[0] = (struct timespec){0, 1000000};
    ((struct timespec *)(void *)page(4))[1] = (struct timespec){0, 2000000};
    struct pollfd *polled = (void *)page(5);
    for (unsigned i = 0; i < descriptor_count; i++)
        polled[i] = (struct pollfd){descriptors[i], POLLIN | POLLOUT, 0};
    *(struct epoll_event *)(void *)page(6) = (struct epoll_event){EPOLLIN | EPOLLET, {.u64 = 7}};
    *(struct sigevent *)(void *)page(7) =
        (struct sigevent){.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    *(uint64_t *)(void *)page(8) = 1ul << (SIGUSR1 - 1); /* a set of signals */
    struct sembuf *operations = (void *)page(9);
    operations[0] = (struct sembuf){0, 1, IPC_NOWAIT};
    operations[1] = (struct sembuf){0, -1, IPC_NOWAIT | SEM_UNDO};
    strcpy(page(10), "user.fuzz");
    uint64_t *words = (void *)page(11); /* sizes, offsets, and whatever has many fields */
    for (unsigned i = 0; i < 16; i++)
        words[i] = i;
}

void calls_set_up(void) {
    size_t bytes = (size_t)PAGES * PAGE;
    memory = mmap(NULL, bytes + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    read_only = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    gone = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(gone, PAGE);
    mprotect(memory + bytes, PAGE, PROT_NONE);
    open_descriptors();
    fill_memory();
}

long calls_descriptor(uint8_t choice) {
    return choice < descriptor_count ? descriptors[choice] : choice - 32;
}

/* With all rights none that are not in the working folder, or cannot be harmed. */
long calls_path(uint8_t choice, bool privileged) {
    static char longest[PATH_MAX + 1];
    static const char *const paths[] = {
        "f", "d", "g", "d/f",  "d/g", "l",         "d/l", "p",
        "s", "",  ".", "d/..", "f/",  "none/none", "",    "./d/./f",
    };
    static const char *const others[] = {
        "/",
        "/proc/self/exe",
        "/proc/self/fd/3",
        "/proc/self/mem",
        "/proc/self/maps",
        "/dev/null",
        "/dev/tty",
        "/tmp",
        "/proc/self/cwd/f",
        "/bin/sh",
        "/dev",
        "/proc/1/environ",
        "/sys",
        "/etc/passwd",
        "/proc/self/task",
        "/bin",
    };
    memset(longest, 'x', PATH_MAX);
    if (choice % 64 == 14)
        return (long)longest;
    if (!privileged && choice >= 64)
        return (long)others[choice % 16];
    return (long)paths[choice % 16];
}

long calls_pointer(uint8_t choice) {
    const long bad[] = {
        0,
        1,
        (long)gone,
        (long)read_only,
        (long)page(PAGES - 1) + PAGE,
        (long)page(PAGES - 1) + PAGE - 4,
        0x7fffffffeffcl,
        0x800000000000l,
        (long)0xffffffff80000000ul,
        -8,
    };
    if (choice < 128)
        return (long)page(choice % PAGES) + (choice >= 96 ? 8 : 0);
    if (choice < 192)
        return 0;
    return bad[choice % (sizeof bad / sizeof *bad)];
}

long calls_size(uint8_t choice) {
    static const long odd[] = {-1,       LONG_MAX, LONG_MIN, INT_MAX, 1l << 31, UINT_MAX,
                               PAGE - 1, PAGE,     PAGE + 1, 65536,   1l << 20, 1l << 32,
                               0,        1,        1l << 40, 24};
    return choice < 192 ? choice : odd[choice % 16];
}

void calls_poke(uint8_t where, const uint8_t **at, const uint8_t *end) {
    size_t left = (size_t)(end - *at), length = left ? **at % 32u + 1 : 0;
    *at += left > 0;
    length = length < left ? length : left ? left - 1 : 0;
    memcpy(page(where % 16) + where / 16 * 8, *at, length);
    *at += length;
}
