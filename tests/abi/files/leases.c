/* Leases: who gets one, what breaks it, and how its owner is told. */
#include "abi.h"

static volatile sig_atomic_t told, told_of, told_why;

static void handler(int signal, siginfo_t *info, void *context) {
    (void)context;
    told = signal;
    told_of = info->si_fd;
    told_why = info->si_code;
}

static void listen_to(int signal) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(signal, &action, NULL);
}

static void say_told(int fd) {
    say("signal %d, of this file %d, code %d", told, told_of == fd, told_why);
    told = told_of = told_why = 0;
}

/* What is open and how decides. */
static void who_gets_one(void) {
    int reader = open("file", O_RDONLY), ends[2];
    gives(F_UNLCK, fcntl, reader, F_GETLEASE);
    fails(EAGAIN, fcntl, reader, F_SETLEASE, F_UNLCK);
    fails(EINVAL, fcntl, reader, F_SETLEASE, 77);
    gives(0, fcntl, reader, F_SETLEASE, F_RDLCK);
    gives(F_RDLCK, fcntl, reader, F_GETLEASE);
    gives(0, fcntl, reader, F_SETLEASE, F_WRLCK);
    gives(F_WRLCK, fcntl, reader, F_GETLEASE);
    gives(0, fcntl, reader, F_SETLEASE, F_RDLCK);
    is("owner", fcntl(reader, F_GETOWN) == getpid(), 1);
    int copy = dup(reader), other = open("file", O_RDONLY);
    gives(F_RDLCK, fcntl, copy, F_GETLEASE);
    gives(F_UNLCK, fcntl, other, F_GETLEASE);
    fails(EAGAIN, fcntl, reader, F_SETLEASE, F_WRLCK);
    gives(0, fcntl, other, F_SETLEASE, F_RDLCK);
    fails(EAGAIN, fcntl, other, F_SETLEASE, F_WRLCK);
    /* It is the open file's: the last descriptor takes it along. */
    close(reader);
    gives(F_RDLCK, fcntl, copy, F_GETLEASE);
    close(copy);
    gives(0, fcntl, other, F_SETLEASE, F_WRLCK);
    gives(0, fcntl, other, F_SETLEASE, F_UNLCK);
    gives(F_UNLCK, fcntl, other, F_GETLEASE);
    gives(0, fcntl, other, F_GETOWN);
    fails(EAGAIN, fcntl, other, F_SETLEASE, F_UNLCK);
    close(other);
    int writer = open("file", O_RDWR);
    fails(EAGAIN, fcntl, writer, F_SETLEASE, F_RDLCK);
    gives(0, fcntl, writer, F_SETLEASE, F_WRLCK);
    fails(EAGAIN, fcntl, writer, F_SETLEASE, F_RDLCK);
    gives(F_WRLCK, fcntl, writer, F_GETLEASE);
    close(writer);
    writer = open("file", O_WRONLY);
    reader = open("/proc/self/exe", O_RDONLY);
    gives(0, fcntl, writer, F_SETLEASE, F_WRLCK);
    gives(0, fcntl, reader, F_SETLEASE, F_RDLCK);
    fails(EAGAIN, fcntl, reader, F_SETLEASE, F_WRLCK);
    close(writer);
    close(reader);
    pipe(ends);
    int folder = open(".", O_RDONLY), path = open("file", O_PATH);
    fails(EINVAL, fcntl, ends[0], F_SETLEASE, F_RDLCK);
    fails(EINVAL, fcntl, folder, F_SETLEASE, F_RDLCK);
    gives(F_UNLCK, fcntl, ends[0], F_GETLEASE);
    fails(EBADF, fcntl, path, F_SETLEASE, F_RDLCK);
    fails(EBADF, fcntl, path, F_GETLEASE);
    fails(EBADF, fcntl, -1, F_GETLEASE);
}

/* Opening that does not wait: told, and refused until the owner has given it up. */
static void broken_at_once(void) {
    int fd = open("file", O_RDONLY);
    gives(0, fcntl, fd, F_SETLEASE, F_WRLCK);
    fails(EAGAIN, open, "file", O_RDONLY | O_NONBLOCK);
    say_told(fd);
    gives(F_RDLCK, fcntl, fd, F_GETLEASE);
    fails(EAGAIN, open, "file", O_RDONLY | O_NONBLOCK);
    say_told(-1); /* once is enough */
    gives(0, fcntl, fd, F_SETLEASE, F_RDLCK);
    gives(F_RDLCK, fcntl, fd, F_GETLEASE);
    close((int)works(open, "file", O_RDONLY | O_NONBLOCK));
    fails(EAGAIN, open, "file", O_WRONLY | O_NONBLOCK);
    say_told(fd);
    gives(F_UNLCK, fcntl, fd, F_GETLEASE);
    fails(EAGAIN, open, "file", O_RDWR | O_NONBLOCK | O_TRUNC);
    int other = open("file", O_RDONLY | O_NONBLOCK);
    fails(EAGAIN, fcntl, other, F_SETLEASE, F_RDLCK); /* while one is being broken */
    close(other);
    gives(0, fcntl, fd, F_SETLEASE, F_UNLCK);
    close((int)works(open, "file", O_WRONLY | O_NONBLOCK));
    gives(4, pread64, fd, (char[8]){0}, 8, 0);
    close(fd);
    /* Only a place is no opening, and a name has none. */
    fd = open("file", O_RDONLY);
    gives(0, fcntl, fd, F_SETLEASE, F_WRLCK);
    close((int)works(open, "file", O_PATH));
    gives(0, rename, "file", "moved");
    gives(0, chmod, "moved", 0600);
    gives(0, rename, "moved", "file");
    say_told(-1);
    close(fd);
}

static void with_a_signal_of_its_own(void) {
    int fd = open("file", O_RDONLY);
    listen_to(SIGRTMIN + 3);
    gives(0, fcntl, fd, F_SETSIG, SIGRTMIN + 3);
    gives(0, fcntl, fd, F_SETLEASE, F_RDLCK);
    fails(EAGAIN, open, "file", O_WRONLY | O_NONBLOCK);
    say("its own %d", told == SIGRTMIN + 3);
    told = SIGIO;
    say_told(fd);
    gives(SIGRTMIN + 3, fcntl, fd, F_GETSIG);
    gives(0, fcntl, fd, F_SETLEASE, F_UNLCK);
    gives(0, fcntl, fd, F_GETSIG);
    close(fd);
}

static void opens_to_write(void) {
    works(open, "file", O_WRONLY);
}

static int leased;

static void opens_without(void) {
    close(leased);
    works(open, "file", O_WRONLY);
}

static void opens_to_read(void) {
    works(open, "file", O_RDONLY);
}

static void cuts(void) {
    gives(0, truncate, "file", 2);
}

/* The opener waits until the lease goes, or becomes one that he shares. */
static void waited_for(void) {
    static void (*const ways[])(void) = {opens_to_write, opens_to_read, cuts};
    for (int way = 0; way < 3; way++) {
        int fd = open("file", O_RDONLY);
        gives(0, fcntl, fd, F_SETLEASE, F_WRLCK);
        int child = start(ways[way]);
        until_asleep(child);
        say_told(fd);
        gives(way == 1 ? F_RDLCK : F_UNLCK, fcntl, fd, F_GETLEASE);
        gives(0, fcntl, fd, F_SETLEASE, way == 1 ? F_RDLCK : F_UNLCK);
        ended("opener", child);
        close(fd);
    }
    /* Or with the file, which the opener has as well. */
    leased = open("file", O_RDONLY);
    gives(0, fcntl, leased, F_SETLEASE, F_RDLCK);
    int child = start(opens_without);
    until_asleep(child);
    close(leased);
    ended("opener", child);
}

static void is_interrupted(void) {
    handle(SIGALRM, 0);
    alarm_in(50);
    fails(EINTR, open, "file", O_WRONLY);
    alarm_in(50);
    fails(EINTR, truncate, "file", 1);
}

static void interrupted(void) {
    int fd = open("file", O_RDONLY);
    gives(0, fcntl, fd, F_SETLEASE, F_RDLCK);
    in_child("opener", is_interrupted);
    say_told(fd);
    close(fd);
}

/* An ordinary user has leases of his own files alone. */
static void somebody(void) {
    int fd = open("file", O_RDONLY);
    be(SOMEBODY);
    fails(EACCES, fcntl, fd, F_SETLEASE, F_RDLCK);
    fails(EINVAL, fcntl, fd, F_SETLEASE, 9);
    int folder = open("/", O_RDONLY);
    fails(EACCES, fcntl, folder, F_SETLEASE, F_RDLCK);
    gives(F_UNLCK, fcntl, fd, F_GETLEASE);
}

static void maps_and_ends(void) {
    int fd = open("file", O_RDWR);
    char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    at[0] = '0';
}

/* What a process had it has no more when its parent knows of its end. */
static void after_an_end(void) {
    in_child("mapper", maps_and_ends);
    int fd = open("file", O_RDONLY);
    gives(0, fcntl, fd, F_SETLEASE, F_WRLCK);
    close(fd);
}

int main(void) {
    put("file", "0123");
    chmod("file", 0644);
    listen_to(SIGIO);
    who_gets_one();
    broken_at_once();
    with_a_signal_of_its_own();
    waited_for();
    put("file", "0123");
    interrupted();
    after_an_end();
    in_child("somebody", somebody);
}
