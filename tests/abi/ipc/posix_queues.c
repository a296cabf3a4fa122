/* mq_open, mq_unlink, mq_timedsend, mq_timedreceive, mq_getsetattr: queues with names. */
#include "abi.h"

#include <mqueue.h>
#include <poll.h>

static char name[32], text[8192], long_name[300];
static int queue;
static unsigned priority;

static void sends(const char *what, unsigned of) {
    gives(0, mq_timedsend, queue, (long)what, strlen(what), of, 0);
}

static void receives(void) {
    memset(text, 0, sizeof text);
    works(mq_timedreceive, queue, (long)text, 100, (long)&priority, 0);
    say("%u: '%s'", priority, text);
}

static void attributes(void) {
    struct mq_attr now;
    gives(0, mq_getsetattr, queue, 0, (long)&now);
    say("flags %lo, %ld messages of %ld, %ld there", now.mq_flags, now.mq_maxmsg, now.mq_msgsize,
        now.mq_curmsgs);
}

static void ready(void) {
    struct pollfd one = {queue, POLLIN | POLLOUT};
    gives(1, poll, (long)&one, 1, 0);
    say("ready for %x", one.revents);
}

static void waits_for_a_message(void) {
    is("length", works(mq_timedreceive, queue, (long)text, 100, 0, 0), 3);
}

static void waits_for_room(void) {
    gives(0, mq_timedsend, queue, (long)"room", 4, 9, 0);
}

static void polls(void) {
    struct pollfd one = {queue, POLLIN};
    gives(1, poll, (long)&one, 1, 9000);
}

static void waits_in_vain(void) {
    struct timespec soon, wrong = {0, -1}, past = {1};
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    if (soon.tv_nsec >= 1000000000)
        soon.tv_sec++, soon.tv_nsec -= 1000000000;
    fails(ETIMEDOUT, mq_timedreceive, queue, (long)text, 100, 0, (long)&soon);
    fails(ETIMEDOUT, mq_timedreceive, queue, (long)text, 100, 0, (long)&past);
    fails(EINVAL, mq_timedreceive, queue, (long)text, 100, 0, (long)&wrong);
    fails(EFAULT, mq_timedreceive, queue, (long)text, 100, 0, (long)BAD);
    handle(SIGALRM, 0);
    alarm_in(100);
    fails(EINTR, mq_timedreceive, queue, (long)text, 100, 0, 0);
    sends("1", 1);
    sends("2", 1);
    sends("3", 1);
    fails(ETIMEDOUT, mq_timedsend, queue, (long)"x", 1, 0, (long)&soon);
    fails(EINVAL, mq_timedsend, queue, (long)"x", 1, 0, (long)&wrong);
    fails(EFAULT, mq_timedsend, queue, (long)"x", 1, 0, (long)BAD);
    alarm_in(100);
    fails(EINTR, mq_timedsend, queue, (long)"x", 1, 0, 0);
    struct mq_attr no_waiting = {O_NONBLOCK}, before;
    gives(0, mq_getsetattr, queue, (long)&no_waiting, (long)&before);
    is("before", before.mq_flags, 0);
    fails(EAGAIN, mq_timedsend, queue, (long)"x", 1, 0, 0);
    attributes();
    ready();
    receives();
    receives();
    receives();
    fails(EAGAIN, mq_timedreceive, queue, (long)text, 100, 0, 0);
    ready();
    is("status", works(fcntl, queue, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    no_waiting.mq_flags = 0;
    gives(0, mq_getsetattr, queue, (long)&no_waiting, 0);
}

static void waiting(void) {
    int child = start(waits_for_a_message);
    until_asleep(child);
    sends("one", 3);
    ended("one who waits for a message", child);
    sends("1", 1);
    sends("2", 2);
    sends("3", 3);
    child = start(waits_for_room);
    until_asleep(child);
    receives();
    ended("one who waits for room", child);
    receives();
    receives();
    receives();
    child = start(polls);
    until_asleep(child);
    sends("one", 3);
    ended("one who polls", child);
    receives();
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EACCES, mq_open, (long)name, O_RDWR, 0, 0);
    int reads = works(mq_open, (long)name, O_RDONLY, 0, 0);
    fails(EBADF, mq_timedsend, reads, (long)"x", 1, 0, 0);
    fails(EPERM, mq_unlink, (long)name);
    struct mq_attr many = {0, 11, 100}, large = {0, 10, 8193};
    fails(EINVAL, mq_open, (long)"k42-more", O_RDWR | O_CREAT, 0600, (long)&many);
    fails(EINVAL, mq_open, (long)"k42-more", O_RDWR | O_CREAT, 0600, (long)&large);
    struct rlimit little = {1000, 1000};
    setrlimit(RLIMIT_MSGQUEUE, &little);
    fails(EMFILE, mq_open, (long)"k42-more", O_RDWR | O_CREAT, 0600, 0);
}

static void no_queues_more(void) {
    put("/proc/sys/fs/mqueue/queues_max", "0");
    be(SOMEBODY);
    fails(ENOSPC, mq_open, (long)"k42-more", O_RDWR | O_CREAT, 0600, 0);
}

static void bad_names(void) {
    memset(long_name, 'x', sizeof long_name - 1);
    fails(ENOENT, mq_open, (long)"", O_RDWR | O_CREAT, 0600, 0);
    fails(EACCES, mq_open, (long)"/k42", O_RDWR | O_CREAT, 0600, 0);
    fails(EACCES, mq_open, (long)"..", O_RDWR, 0600, 0);
    fails(ENAMETOOLONG, mq_open, (long)long_name, O_RDWR | O_CREAT, 0600, 0);
    fails(EFAULT, mq_open, (long)BAD, O_RDWR | O_CREAT, 0600, 0);
    fails(EFAULT, mq_open, (long)name, O_RDWR | O_CREAT, 0600, (long)BAD);
    fails(ENOENT, mq_unlink, (long)"");
    fails(EACCES, mq_unlink, (long)"a/b");
    fails(ENAMETOOLONG, mq_unlink, (long)long_name);
    fails(EFAULT, mq_unlink, (long)BAD);
}

int main(void) {
    struct mq_attr small = {0, 3, 100}, none = {0, 0, 100};
    sprintf(name, "k42-%d", getpid());
    bad_names();
    fails(ENOENT, mq_open, (long)name, O_RDWR, 0, 0);
    fails(EINVAL, mq_open, (long)name, O_RDWR | O_CREAT, 0600, (long)&none);
    queue = works(mq_open, (long)name, O_RDWR | O_CREAT | O_EXCL, 0604, (long)&small);
    fails(EEXIST, mq_open, (long)name, O_RDWR | O_CREAT | O_EXCL, 0604, 0);
    fails(EINVAL, mq_open, (long)name, O_RDWR | O_WRONLY, 0, 0);
    gives(FD_CLOEXEC, fcntl, queue, F_GETFD);
    attributes();
    ready();
    sends("low", 0);
    sends("high", 32767);
    sends("low again", 0);
    ready();
    attributes();
    receives();
    receives();
    receives();
    ready();
    fails(EMSGSIZE, mq_timedsend, queue, (long)text, 101, 0, 0);
    fails(EINVAL, mq_timedsend, queue, (long)text, 1, 32768, 0);
    fails(EFAULT, mq_timedsend, queue, (long)BAD, 1, 0, 0);
    fails(EBADF, mq_timedsend, -1, (long)text, 1, 0, 0);
    fails(EBADF, mq_timedsend, 0, (long)text, 1, 0, 0);
    fails(EMSGSIZE, mq_timedreceive, queue, (long)text, 99, 0, 0);
    fails(EBADF, mq_timedreceive, 0, (long)text, 100, 0, 0);
    sends("lost", 0);
    fails(EFAULT, mq_timedreceive, queue, (long)BAD, 100, 0, 0);
    int writes = works(mq_open, (long)name, O_WRONLY, 0, 0);
    fails(EBADF, mq_timedreceive, writes, (long)text, 100, 0, 0);
    fails(EBADF, mq_getsetattr, 0, 0, (long)&small);
    fails(EFAULT, mq_getsetattr, queue, 0, (long)BAD);
    fails(EFAULT, mq_getsetattr, queue, (long)BAD, 0);
    small.mq_flags = 1;
    fails(EINVAL, mq_getsetattr, queue, (long)&small, 0);
    waiting();
    in_child("one who waits in vain", waits_in_vain);
    in_child("somebody", somebody);
    in_child("there are enough", no_queues_more);
    put("/proc/sys/fs/mqueue/queues_max", "256");
    sends("kept", 5);
    gives(0, mq_unlink, (long)name);
    fails(ENOENT, mq_unlink, (long)name);
    fails(ENOENT, mq_open, (long)name, O_RDWR, 0, 0);
    receives();
    queue = works(mq_open, (long)name, O_RDWR | O_CREAT, 0600, 0);
    attributes();
    gives(0, mq_unlink, (long)name);
    say("%s", get("/proc/sys/fs/mqueue/msg_max"));
    say("%s", get("/proc/sys/fs/mqueue/msgsize_default"));
}
