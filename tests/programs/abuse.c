/*
 * What programs do that nobody should: abuse WHAT. Each prints only what is the same on Linux, and
 * leaves nothing behind, so that what is in the kernel can be counted before and after.
 */
#include "abuse.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

char self[256], folder[64], image[4 << 20];
size_t image_size;

static void limit(int what, rlim_t most) {
    struct rlimit both = {most, most};
    if (setrlimit(what, &both))
        tell("setrlimit", -1);
}

/* ---- much ---- */

static void bomb(void) {
    pid_t group = fork();
    if (group == 0) {
        setpgid(0, 0);
        limit(RLIMIT_NPROC, 40);
        fail_if(setresgid(1234, 1234, 1234) || setresuid(1234, 1234, 1234), "setresuid");
        int refused = 0;
        /* Everybody forks, until it is refused, and stays. */
        for (pid_t child; (child = fork()) >= 0;)
            if (child == 0)
                refused = 0;
        say(errno == EAGAIN ? "refused" : strerrorname_np(errno));
        for (;;)
            pause();
    }
    setpgid(group, group);
    /* 40 processes say it, each once. */
    nanosleep(&(struct timespec){2, 0}, NULL);
    kill(-group, SIGKILL);
    waitpid(group, NULL, 0);
}

static void descriptors(void) {
    limit(RLIMIT_NOFILE, 300);
    int pair[2];
    for (int kind = 0; errno != EMFILE; kind++) {
        int made = kind % 5 == 0   ? open("/dev/null", O_RDONLY)
                   : kind % 5 == 1 ? pipe(pair)
                   : kind % 5 == 2 ? memfd_create("m", 0)
                   : kind % 5 == 3 ? open("file", O_RDWR | O_CREAT, 0600)
                                   : dup(1);
        if (made < 0)
            break;
    }
    tell("one more", dup(0));
    close_range(3, ~0u, 0);
}

static void mounts(void) {
    mkdir("point", 0755);
    for (int i = 0; i < 200; i++) {
        fail_if(mount("none", "point", "tmpfs", 0, NULL), "mount");
        make("point/file", self, sizeof self, 0644);
        mkdir("point/directory", 0755);
        if (i % 2)
            fail_if(symlink("file", "point/link"), "symlink");
        int open_file = open("point/file", O_RDONLY);
        if (umount("point") != -1 || errno != EBUSY)
            say("busy, and yet taken away");
        close(open_file);
        fail_if(umount("point"), "umount");
    }
    say("mounted 200 times");
}

static int seen;

static int count_entry(const char *path, const struct stat *status, int kind, struct FTW *at) {
    (void)path, (void)status, (void)kind, (void)at;
    seen++;
    return 0;
}

static void walk(const char *where) {
    for (int i = 0; i < 1000; i++) {
        seen = 0;
        fail_if(nftw(where, count_entry, 20, FTW_PHYS), "nftw");
    }
    say("%d entries", seen);
}

/* ---- killed in the middle ---- */

static void forks(void) {
    for (;;) {
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        waitpid(child, NULL, 0);
    }
}

static void reads(void) {
    static char bytes[8 << 20];
    int file = open("large", O_RDWR);
    for (;;) {
        pread(file, bytes, sizeof bytes, 0);
        pwrite(file, bytes, sizeof bytes, 0);
    }
}

static void faults(void) {
    for (;;) {
        char *at = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (int i = 0; i < 8 << 20; i += 4096)
            at[i] = 1;
        munmap(at, 8 << 20);
    }
}

static void maps(void) {
    int file = open("large", O_RDWR);
    for (;;) {
        char *at = mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        for (int i = 0; i < 8 << 20; i += 4096)
            at[i]++;
        munmap(at, 8 << 20);
    }
}

static void pipes(void) {
    static char bytes[1 << 16];
    int pair[2];
    fail_if(pipe(pair), "pipe");
    if (fork() == 0)
        for (;;)
            read(pair[0], bytes, sizeof bytes);
    for (;;)
        write(pair[1], bytes, sizeof bytes);
}

static void execs(void) {
    char *again[] = {self, (char *)"execs", NULL};
    execve(self, again, again + 2);
    _exit(0);
}

static void kill_all(void (*what)(void)) {
    for (int i = 0; i < 15; i++) {
        pid_t child = fork();
        if (child == 0) {
            setpgid(0, 0);
            what();
        }
        setpgid(child, child);
        nanosleep(&(struct timespec){0, 1000000L * (i * i + 1)}, NULL);
        kill(-child, SIGKILL);
        waitpid(child, NULL, 0);
    }
}

static void killed(void) {
    make("large", image, image_size, 0600);
    fail_if(truncate("large", 8 << 20), "truncate");
    kill_all(forks);
    kill_all(reads);
    kill_all(faults);
    kill_all(maps);
    kill_all(pipes);
    kill_all(execs);
    say("all killed");
}

/* A hundred stages, each of which passes on what comes; one in the middle is killed. */
static void stages(void) {
    int from = open("/dev/zero", O_RDONLY), pair[2], status, last = 0, passed;
    pid_t middle = 0;
    static char bytes[4096];
    for (int i = 0; i < 100; i++) {
        fail_if(pipe(pair), "pipe");
        pid_t child = fork();
        fail_if(child < 0, "fork");
        if (child == 0) {
            close(pair[0]);
            for (;;)
                if ((passed = read(from, bytes, sizeof bytes)) <= 0 ||
                    write(pair[1], bytes, (size_t)passed) != passed)
                    _exit(0);
        }
        close(pair[1]);
        close(from);
        from = pair[0];
        middle = i == 50 ? child : middle;
    }
    for (int i = 0; i < 100; i++)
        fail_if(read(from, bytes, sizeof bytes) <= 0, "the last stage");
    kill(middle, SIGKILL);
    while (read(from, bytes, sizeof bytes) > 0)
        ;
    for (pid_t child; (child = wait(&status)) > 0;)
        last += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    say("the end came through, %d killed", last);
}

static void hog(void) {
    for (;;) {
        char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (at == MAP_FAILED) {
            tell("mmap", -1);
            return;
        }
        for (int i = 0; i < 1 << 20; i += 4096)
            at[i] = 1;
    }
}

/* Files of a folder in memory, until there is no more. */
static void fill(const char *where) {
    static char bytes[1 << 20];
    fail_if(chdir(where), where);
    int file = open("filling", O_WRONLY | O_CREAT, 0600);
    while (write(file, bytes, sizeof bytes) > 0)
        ;
    tell("write", -1);
    unlink("filling");
}

int main(int count, char **arguments) {
    const char *what = count > 1 ? arguments[1] : "", *where = count > 2 ? arguments[2] : "/";
    if (!strcmp(what, "execs")) {
        readlink("/proc/self/exe", self, sizeof self - 1);
        execs();
    }
    if (!strcmp(what, "left")) {
        left();
        return 0;
    }
    if (!strcmp(what, "resident")) {
        resident(where);
        return 0;
    }
    fail_if(readlink("/proc/self/exe", self, sizeof self - 1) < 0, "readlink");
    int file = open(self, O_RDONLY);
    image_size = (size_t)read(file, image, sizeof image);
    close(file);
    strcpy(folder, "/tmp/abuse-XXXXXX");
    fail_if(!mkdtemp(folder) || chdir(folder), folder);
    if (!strcmp(what, "exec"))
        exec();
    else if (!strcmp(what, "bomb"))
        bomb();
    else if (!strcmp(what, "descriptors"))
        descriptors();
    else if (!strcmp(what, "mounts"))
        mounts();
    else if (!strcmp(what, "walk"))
        walk(where);
    else if (!strcmp(what, "killed"))
        killed();
    else if (!strcmp(what, "stages"))
        stages();
    else if (!strcmp(what, "use"))
        use(where);
    else if (!strcmp(what, "hog"))
        hog();
    else if (!strcmp(what, "fill"))
        fill(where);
    else
        say("abuse what?");
    /* The folder of this run has files, and one directory, at most. */
    char path[320];
    if (!chdir(folder)) {
        DIR *all = opendir(".");
        for (struct dirent *one; (one = readdir(all));)
            if (unlink(one->d_name))
                rmdir(one->d_name);
        closedir(all);
    }
    chdir("/");
    rmdir(folder);
    return 0;
}
