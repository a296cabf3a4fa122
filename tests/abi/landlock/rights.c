/* Each right that a domain may forbid, where a rule gives it, and where none does. */
#include "landlock.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#define ALL (2 * LANDLOCK_ACCESS_FS_REFER - 1)

static void restricted(int ruleset) {
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gives(0, landlock_restrict_self, ruleset, 0);
    close(ruleset);
}

static int bound(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int one = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(address.sun_path, path);
    int result = bind(one, (struct sockaddr *)&address, sizeof address);
    close(one);
    return result;
}

#define TRY(call)                                                                                  \
    do {                                                                                           \
        errno = 0;                                                                                 \
        long result_ = (long)(call);                                                               \
        say("%s: %s", #call, result_ < 0 ? strerror(errno) : "fine");                              \
    } while (0)

static void tries(void) {
    char *const words[] = {"true", NULL};
    TRY(open("file", O_RDONLY));
    TRY(open("file", O_WRONLY));
    TRY(open("file", O_RDWR));
    TRY(open("file", O_RDWR | O_TRUNC));
    TRY(open("file", O_RDONLY | O_CREAT, 0600));
    TRY(open("file", 3));
    TRY(open("file", O_PATH));
    TRY(open("/dev/null", O_RDWR));
    TRY(open(".", O_RDONLY));
    TRY(open(".", O_PATH));
    TRY(open("new", O_WRONLY | O_CREAT, 0600));
    TRY(access("new", F_OK));
    TRY(open(".", O_RDWR | O_TMPFILE, 0600));
    TRY(mkdir("made", 0700));
    TRY(rmdir("empty"));
    TRY(unlink("gone"));
    TRY(unlink("empty"));
    TRY(rmdir("file"));
    TRY(symlink("x", "link"));
    TRY(mkfifo("fifo", 0600));
    TRY(mknod("regular", S_IFREG | 0600, 0));
    TRY(mknod("null", S_IFCHR | 0600, 0x103));
    TRY(mknod("block", S_IFBLK | 0600, 0x103));
    TRY(bound("socket"));
    TRY(link("file", "other"));
    TRY(rename("file", "moved"));
    TRY(rename("moved", "file"));
    TRY(truncate("file", 0));
    TRY(chmod("file", 0644));
    TRY(access("/", R_OK));
    TRY(mkdir("file", 0700));
    TRY(unlink("nothing"));
    TRY(execve("/proc/self/exe", words, NULL) ? -1 : 0);
}

static uint64_t handled, given;

static void with_a_rule(void) {
    int ruleset = ruleset_of(handled);
    if (given)
        allow(ruleset, given, ".");
    restricted(ruleset);
    tries();
}

/* Each begins in a folder of its own. */
static void fresh(void) {
    static int count;
    char name[16];
    snprintf(name, sizeof name, "%s%d", count ? "../" : "", count);
    count++;
    mkdir(name, 0755);
    chdir(name);
    mkdir("empty", 0755);
    put("gone", "");
    put("file", "file");
}

static void tried(const char *what, uint64_t handles, uint64_t gives_here) {
    handled = handles;
    given = gives_here;
    fresh();
    say("---- %s", what);
    in_child("tries", with_a_rule);
}

int main(void) {
    tried("nothing given", ALL, 0);
    tried("all given", ALL & ~LANDLOCK_ACCESS_FS_EXECUTE, ALL & ~LANDLOCK_ACCESS_FS_EXECUTE);
    tried("reading", ALL, LANDLOCK_ACCESS_FS_READ_FILE);
    tried("writing", ALL, LANDLOCK_ACCESS_FS_WRITE_FILE);
    tried("running handled alone", LANDLOCK_ACCESS_FS_EXECUTE, 0);
    tried("making files", ALL, LANDLOCK_ACCESS_FS_MAKE_REG);
    for (uint64_t bit = LANDLOCK_ACCESS_FS_READ_DIR; bit < LANDLOCK_ACCESS_FS_REFER; bit <<= 1) {
        char what[32];
        snprintf(what, sizeof what, "without %lx", (unsigned long)bit);
        uint64_t but = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_REFER | bit;
        tried(what, (ALL & ~but) | bit, ALL & ~but);
    }
    return 0;
}
