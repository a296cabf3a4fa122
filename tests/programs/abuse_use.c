/*
 * What abuse uses: one of everything, for storms of swaps.
 */
#include "abuse.h"

#include <dirent.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

/* Files one waits on, all of them watched by a set. */
struct watched {
    int set, counter, timer, signals, process, changes;
};

static int watch(int set, int file) {
    struct epoll_event what = {.events = EPOLLIN, .data.fd = file};
    fail_if(file < 0 || epoll_ctl(set, EPOLL_CTL_ADD, file, &what), "what is watched");
    return file;
}

static void open_watched(struct watched *watched) {
    struct itimerspec millisecond = {{0, 1000000}, {0, 1000000}};
    sigset_t mask;
    sigemptyset(&mask), sigaddset(&mask, SIGUSR1), sigprocmask(SIG_BLOCK, &mask, NULL);
    watched->set = epoll_create1(0);
    fail_if(watched->set < 0, "epoll");
    watched->counter = watch(watched->set, eventfd(0, 0));
    watched->timer = watch(watched->set, timerfd_create(CLOCK_MONOTONIC, 0));
    watched->signals = watch(watched->set, signalfd(-1, &mask, 0));
    watched->process = watch(watched->set, (int)syscall(SYS_pidfd_open, getpid(), 0));
    watched->changes = watch(watched->set, inotify_init());
    fail_if(inotify_add_watch(watched->changes, folder, IN_ATTRIB) < 0, "folder");
    fail_if(timerfd_settime(watched->timer, 0, &millisecond, NULL), "timer");
}

/* Each becomes ready once, and is told of; the process does not end. */
static void use_watched(const struct watched *watched) {
    uint64_t one = 1, seen;
    struct signalfd_siginfo signal;
    struct inotify_event change;
    struct epoll_event event;
    int told = 0;
    kill(getpid(), SIGUSR1);
    if (write(watched->counter, &one, 8) != 8)
        say("nothing is counted");
    chmod(folder, 0700);
    while (told != 15 && epoll_wait(watched->set, &event, 1, 60000) == 1) {
        int file = event.data.fd;
        if (file == watched->counter && read(file, &seen, 8) == 8 && seen == 1)
            told |= 1;
        else if (file == watched->timer && read(file, &seen, 8) == 8 && seen)
            told |= 2;
        else if (file == watched->signals && read(file, &signal, sizeof signal) > 0)
            told |= 4;
        else if (file == watched->changes && read(file, &change, sizeof change) > 0 &&
                 change.mask == (IN_ATTRIB | IN_ISDIR))
            told |= 8;
        else
            break;
    }
    if (told != 15)
        say("told of %d", told);
}

/* A stream, packets and datagrams: what goes in at one end comes out at the other. */
static void open_sockets(int (*pairs)[2]) {
    static const int kinds[] = {SOCK_STREAM, SOCK_SEQPACKET, SOCK_DGRAM};
    for (int i = 0; i < 3; i++)
        fail_if(socketpair(AF_UNIX, kinds[i], 0, pairs[i]) < 0, "sockets");
}

static void use_sockets(int (*pairs)[2], uint64_t turn) {
    for (int i = 0; i < 3; i++) {
        uint64_t seen = 0;
        if (write(pairs[i][0], &turn, 8) != 8 || read(pairs[i][1], &seen, 8) != 8 || seen != turn)
            say("a word is lost between sockets");
    }
}

/* What runs stays closed to who would write to it; what is to be mounted takes options. */
static void use_claims(int context) {
    enum { FLAG };
    if (open("/proc/self/exe", O_WRONLY) >= 0 || errno != ETXTBSY)
        say("what runs can be written to");
    if (syscall(SYS_fsconfig, context, FLAG, "rw", NULL, 0))
        say("a file system has lost its options");
}

void use(const char *where) {
    enum { PAGES = 64, WORDS = PAGES * 512 };
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random"};
    char path[256];
    struct watched watched;
    int pairs[3][2];
    int held = open("/", O_PATH), disk = open("/dev/vda", O_RDWR), memory = memfd_create("m", 0);
    for (int i = 0; i < 4; i++)
        fail_if(open(devices[i], O_RDWR) < 0, devices[i]);
    snprintf(path, sizeof path, "%s/used", where);
    int file = open(path, O_RDWR | O_CREAT, 0600);
    fail_if(held < 0 || disk < 0 || memory < 0 || file < 0, path);
    fail_if(ftruncate(file, WORDS * 8) || ftruncate(memory, WORDS * 8), "ftruncate");
    uint64_t *shared =
                 mmap(NULL, WORDS * 8, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
             *mapped = mmap(NULL, WORDS * 8, PROT_READ, MAP_SHARED, file, 0), turn = 0, seen;
    DIR *all = opendir(where), *mine = opendir(folder);
    fail_if(!mine || shared == MAP_FAILED || mapped == MAP_FAILED || !all, where);
    open_guards(); /* its child has nothing of what follows */
    open_watched(&watched);
    open_sockets(pairs);
    open_ipc();
    int context = (int)syscall(SYS_fsopen, "tmpfs", 0);
    open_ring();
    open_memory();
    for (; access("/tmp/over", F_OK); turn++) {
        use_watched(&watched);
        use_sockets(pairs, turn);
        use_ipc(turn);
        use_claims(context);
        use_ring(turn);
        use_guards();
        use_memory(turn);
        uint64_t at = turn * 513 % WORDS;
        int entries = 0;
        shared[at] = turn;
        if (pwrite(file, &turn, 8, at * 8) != 8 || mapped[at] != turn)
            say("a word of the file is lost");
        if (pwrite(memory, &turn, 8, at * 8) != 8 || pread(memory, &seen, 8, at * 8) != 8 ||
            seen != turn)
            say("a word of memory is lost");
        if (pwrite(disk, &turn, 8, at * 8) != 8 || pread(disk, &seen, 8, at * 8) != 8 ||
            seen != turn)
            say("a word of the disk is lost");
        if (shared[at] != turn)
            say("a shared word is lost");
        if (turn % 50 == 0)
            fsync(file), fsync(disk);
        for (rewinddir(all); readdir(all);)
            entries++;
        for (rewinddir(mine); readdir(mine);)
            entries++;
        if (entries != 5)
            say("%d entries", entries);
    }
    close_guards();
    close_ring();
    close_ipc();
    say(turn > 20 ? "used" : "not used");
}
