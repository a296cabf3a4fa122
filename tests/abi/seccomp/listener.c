/* Filters that have somebody else say what becomes of a call. */
#include "asked.h"

#include <linux/audit.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#define LISTENS SECCOMP_FILTER_FLAG_NEW_LISTENER
#define PATIENT SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define RECEIVE SECCOMP_IOCTL_NOTIF_RECV
#define SEND    SECCOMP_IOCTL_NOTIF_SEND
#define VALID   SECCOMP_IOCTL_NOTIF_ID_VALID
#define ADD     SECCOMP_IOCTL_NOTIF_ADDFD
#define GOES_ON SECCOMP_USER_NOTIF_FLAG_CONTINUE

/* A thread that asks: it makes the call for each of its turns, and notes what came of it. */
static volatile int listener = -1, its_tid, turns, got_error;
static volatile long got;
static unsigned its_flags;
static pthread_t asking;

static void *asks(void *) {
    its_tid = (int)abi_call(gettid);
    listener = (int)abi_call(seccomp, SECCOMP_SET_MODE_FILTER, LISTENS | its_flags, &filter);
    for (int turn = 1; turn <= turns; turn++) {
        long result = abi_call(getpgid, 0x123456789, 2, 3);
        got_error = result < 0 ? errno : 0;
        got = result;
    }
    return NULL;
}

static void begin(int times) {
    turns = times;
    pthread_create(&asking, NULL, asks, NULL);
    while (listener < 0)
        sched_yield();
}

static void end(const char *what) {
    pthread_join(asking, NULL);
    say("%s: %ld, %s", what, got, strerror(got_error));
}

static uint64_t received(void) {
    struct seccomp_notif told = {0};
    gives(0, ioctl, listener, RECEIVE, &told);
    return told.id;
}

static short ready(void) {
    struct pollfd one = {listener, POLLIN | POLLOUT, 0};
    poll(&one, 1, 0);
    return one.revents;
}

static void answers(void) {
    begin(1);
    struct seccomp_notif told = {0};
    gives(0, ioctl, listener, RECEIVE, &told);
    say("call %d, %x, %llx %llx %llx, flags %x", told.data.nr, told.data.arch, told.data.args[0],
        told.data.args[1], told.data.args[2], told.flags);
    is("its thread", told.pid == (unsigned)its_tid, 1);
    gives(0, ioctl, listener, VALID, &told.id);
    struct seccomp_notif_resp answer = {.id = told.id, .error = -EXFULL};
    gives(0, ioctl, listener, SEND, &answer);
    end("error");
    fails(ENOENT, ioctl, listener, VALID, &told.id);
    fails(ENOENT, ioctl, listener, SEND, &answer);
}

static void value(void) {
    begin(2);
    struct seccomp_notif_resp answer = {.id = received(), .val = 4711};
    gives(0, ioctl, listener, SEND, &answer);
    answer = (struct seccomp_notif_resp){.id = received(), .flags = GOES_ON};
    is("first", got, 4711);
    gives(0, ioctl, listener, SEND, &answer);
    end("goes on");
}

static void fails_so(void) {
    struct seccomp_notif told = {0}, dirty = {.pid = 1};
    begin(1);
    while (!ready())
        sched_yield();
    is("to be received", ready(), POLLIN);
    fails(EINVAL, ioctl, listener, RECEIVE, &dirty);
    fails(EFAULT, ioctl, listener, RECEIVE, BAD);
    fails(EINVAL, ioctl, listener, 0x5401, &told);
    fails(EFAULT, ioctl, listener, VALID, BAD);
    fails(EFAULT, ioctl, listener, SEND, BAD);
    struct seccomp_notif *kept = (struct seccomp_notif *)read_only();
    fails(EFAULT, ioctl, listener, RECEIVE, kept);
    gives(0, ioctl, listener, RECEIVE, &told);
    is("to be answered", ready(), POLLOUT);
    struct seccomp_notif_resp answer = {.id = told.id, .flags = 2};
    fails(EINVAL, ioctl, listener, SEND, &answer);
    answer = (struct seccomp_notif_resp){.id = told.id, .flags = GOES_ON, .val = 1};
    fails(EINVAL, ioctl, listener, SEND, &answer);
    answer = (struct seccomp_notif_resp){.id = told.id + 1};
    fails(ENOENT, ioctl, listener, SEND, &answer);
    fails(ENOENT, ioctl, listener, VALID, &answer.id);
    fails(EINVAL, read, listener, &told, sizeof told);
    answer = (struct seccomp_notif_resp){.id = told.id};
    gives(0, ioctl, listener, SEND, &answer);
    end("nothing");
}

/* Nobody is there any more: neither to ask, nor to be asked. */
static void gone(void) {
    begin(0);
    pthread_join(asking, NULL);
    while (!(ready() & POLLHUP))
        sched_yield();
    is("hung up", ready(), POLLHUP);
    close(listener);
    listener = -1;
    begin(2);
    received();
    close(listener);
    end("nobody answers");
}

static void flags(void) {
    const unsigned both = LISTENS | SECCOMP_FILTER_FLAG_TSYNC;
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, PATIENT, &filter);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, both, &filter);
    int fd = (int)works(seccomp, SECCOMP_SET_MODE_FILTER, both | SECCOMP_FILTER_FLAG_TSYNC_ESRCH,
                        &filter);
    is("closed when a program runs", fcntl(fd, F_GETFD), FD_CLOEXEC);
    fails(EBUSY, seccomp, SECCOMP_SET_MODE_FILTER, LISTENS, &filter);
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
    /* The newer one is meant, and has nobody to be asked. */
    is("result", abi_call(getpgid, 0), -1);
    is("error", errno, ENOSYS);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    close(fd);
    open("/dev/null", O_RDONLY);
}

static void no_room(void) {
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, seccomp, SECCOMP_SET_MODE_FILTER, LISTENS, &filter);
    is("no filter", prctl(PR_GET_SECCOMP, 0, 0, 0, 0), SECCOMP_MODE_DISABLED);
}

/* A signal takes the question back; what was restarted asks anew. */
static void interrupted(int restarts) {
    handle(SIGUSR1, restarts);
    begin(1);
    uint64_t id = received();
    until_thread_asleep(its_tid);
    gives(0, tgkill, getpid(), its_tid, SIGUSR1);
    if (restarts) {
        struct seccomp_notif_resp answer = {.id = received(), .val = 5};
        is("another one", answer.id != id, 1);
        gives(0, ioctl, listener, SEND, &answer);
    }
    end("interrupted");
    is("caught", caught, 1);
    fails(ENOENT, ioctl, listener, VALID, &id);
}

static void ends_it(void) {
    interrupted(0);
}

static void begins_anew(void) {
    interrupted(SA_RESTART);
}

static void patient(void) {
    handle(SIGUSR1, 0);
    its_flags = PATIENT;
    begin(1);
    struct seccomp_notif_resp answer = {.id = received(), .val = 6};
    until_thread_asleep(its_tid);
    gives(0, tgkill, getpid(), its_tid, SIGUSR1);
    doze(5);
    gives(0, ioctl, listener, SEND, &answer);
    end("patient");
    is("caught", caught, 1);
}

static void wants_nine(void) {
    _exit(abi_call(getpgid, 0) == 9 ? 0 : 1);
}

static void is_not_answered(void) {
    abi_call(getpgid, 0);
}

static void in_another_process(void) {
    listener = (int)abi_call(seccomp, SECCOMP_SET_MODE_FILTER, LISTENS, &filter);
    int child = start(wants_nine);
    struct seccomp_notif told = {0};
    gives(0, ioctl, listener, RECEIVE, &told);
    is("its number", told.pid == (unsigned)child, 1);
    struct seccomp_notif_resp answer = {.id = told.id, .val = 9};
    gives(0, ioctl, listener, SEND, &answer);
    ended("child", child);
    child = start(is_not_answered);
    uint64_t id = received();
    kill(child, SIGKILL);
    ended("killed", child);
    fails(ENOENT, ioctl, listener, VALID, &id);
}

int main(void) {
    in_child("answers", answers);
    in_child("value", value);
    in_child("fails", fails_so);
    in_child("gone", gone);
    in_child("flags", flags);
    in_child("no room", no_room);
    in_child("ends it", ends_it);
    in_child("begins anew", begins_anew);
    in_child("patient", patient);
    in_child("another process", in_another_process);
}
