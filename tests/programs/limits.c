/*
 * Limits: how long files may become.
 */
#include "say.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

static volatile int came, code, from_self;

static void count(int signal, siginfo_t *info, void *context) {
    came++;
    code = info->si_code;
    from_self = info->si_pid == getpid();
}

static void watch(int signal) {
    struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO};
    sigaction(signal, &action, NULL);
}

static void limit(int resource, unsigned long now, unsigned long most) {
    struct rlimit wanted = {now, most};
    tell_success("setrlimit", setrlimit(resource, &wanted));
}

static void say_file(const char *what, int fd, long result) {
    int error = errno;
    struct stat stat;
    fstat(fd, &stat);
    say("%s: %ld %s, %ld bytes, offset %ld, %d signals, code %d, from self %d", what, result,
        result < 0 ? strerrorname_np(error) : "", (long)stat.st_size, (long)lseek(fd, 0, SEEK_CUR),
        came, code, from_self);
    came = 0;
}

static void files_have_a_longest(void) {
    static char bytes[3000];
    struct iovec pieces[3] = {{bytes, 700}, {bytes, 700}, {bytes, 700}};
    unlink("long"), unlink("appended");
    int fd = open("long", O_RDWR | O_CREAT, 0600);
    int appended = open("appended", O_RDWR | O_CREAT | O_APPEND, 0600);
    watch(SIGXFSZ);
    limit(RLIMIT_FSIZE, 5000, RLIM_INFINITY);
    say_file("write", fd, write(fd, bytes, 3000));
    say_file("cut", fd, write(fd, bytes, 3000));
    say_file("nothing", fd, write(fd, bytes, 0));
    say_file("beyond", fd, write(fd, bytes, 1));
    say_file("pwrite below", fd, pwrite(fd, bytes, 10, 4990));
    say_file("pwrite across", fd, pwrite(fd, bytes, 20, 4990));
    say_file("pwrite beyond", fd, pwrite(fd, bytes, 10, 5000));
    say_file("far beyond", fd, pwrite(fd, bytes, 10, 1l << 40));
    say_file("ftruncate to it", fd, ftruncate(fd, 5000));
    say_file("ftruncate beyond", fd, ftruncate(fd, 5001));
    say_file("truncate beyond", fd, truncate("long", 5001));
    say_file("fallocate beyond", fd, fallocate(fd, 0, 4096, 4096));
    say_file("fallocate beyond, of the same size", fd,
             fallocate(fd, FALLOC_FL_KEEP_SIZE, 4096, 4096));
    say_file("append", appended, write(appended, bytes, 3000));
    say_file("append vectors", appended, writev(appended, pieces, 3));
    say_file("append beyond", appended, write(appended, bytes, 3000));
    lseek(fd, 0, SEEK_SET);
    ftruncate(appended, 4000);
    int last = open("appended", O_RDWR);
    lseek(last, 4000, SEEK_SET);
    long sent = sendfile(last, fd, NULL, 3000);
    came = 0; /* Linux has tried to write the rest, too */
    say_file("sendfile", last, sent);
    say_file("sendfile beyond", last, sendfile(last, fd, NULL, 3000));
    limit(RLIMIT_FSIZE, 2000, RLIM_INFINITY);
    say_file("ftruncate what is too long", fd, ftruncate(fd, 4000));
    say_file("overwrite what is too long", fd, pwrite(fd, bytes, 100, 1950));
    int read_only = open("long", O_RDONLY);
    say_file("not for writing", read_only, write(read_only, bytes, 10));
    say_file("not for resizing", read_only, ftruncate(read_only, 10000));
    limit(RLIMIT_FSIZE, 0, RLIM_INFINITY);
    say_file("none at all", fd, pwrite(fd, bytes, 1, 0));
    say_file("a device", open("/dev/null", O_WRONLY), write(open("/dev/null", O_WRONLY), bytes, 9));
    int ends[2];
    pipe(ends);
    tell("a pipe", write(ends[1], bytes, 9));
    signal(SIGXFSZ, SIG_IGN);
    say_file("ignored", fd, pwrite(fd, bytes, 1, 0));
    say_file("made shorter", fd, ftruncate(fd, 10));
}

static void is_killed(void) {
    int fd = open("long", O_RDWR);
    limit(RLIMIT_FSIZE, 5, 5);
    pwrite(fd, "", 1, 5);
}

static void *write_byte(void *unused) {
    int fd = open("long", O_RDWR);
    tell("another thread", pwrite(fd, "", 1, 5));
    return NULL;
}

static void threads_and_children_share_it(void) {
    pthread_t thread;
    signal(SIGXFSZ, SIG_IGN);
    limit(RLIMIT_FSIZE, 5, 5);
    pthread_create(&thread, NULL, write_byte, NULL);
    pthread_join(thread, NULL);
    if (!fork()) {
        write_byte(NULL);
        _exit(0);
    }
    wait(NULL);
}

static void of_another_process(void) {
    int ends[2], back[2];
    char byte;
    pipe(ends), pipe(back);
    pid_t child = fork();
    if (!child) {
        signal(SIGXFSZ, SIG_IGN);
        write_byte(NULL);
        write(back[1], "", 1);
        read(ends[0], &byte, 1);
        write_byte(NULL);
        _exit(0);
    }
    struct rlimit wanted = {5, 5};
    read(back[0], &byte, 1);
    tell("prlimit", prlimit(child, RLIMIT_FSIZE, &wanted, NULL));
    write(ends[1], "", 1);
    waitpid(child, NULL, 0);
}

int main(void) {
    in_child("files", files_have_a_longest);
    in_child("killed", is_killed);
    in_child("shared", threads_and_children_share_it);
    in_child("another's", of_another_process);
    return 0;
}
