/* acct: a record for each process that ends, until it is switched off; files that cannot be used.
 */
#include "abi.h"

#include <sys/acct.h>
#include <sys/mount.h>

static const struct acct_v3 *find(int pid) {
    static struct acct_v3 record;
    int fd = open("records", O_RDONLY);
    while (read(fd, &record, sizeof record) == sizeof record)
        if (record.ac_pid == pid) {
            close(fd);
            return &record;
        }
    close(fd);
    return NULL;
}

static void show(const char *what, int pid) {
    const struct acct_v3 *record = find(pid);
    if (!record) {
        say("%s: none", what);
        return;
    }
    say("%s: version %d, status %x, user %d, group %d, own child %d, flags %x", what,
        record->ac_version & 15, record->ac_exitcode, record->ac_uid, record->ac_gid,
        record->ac_ppid == getpid(), record->ac_flag & (AFORK | ACORE | AXSIG));
    is("begun lately", labs((long)record->ac_btime - time(NULL)) < 100, 1);
}

static int run(void (*fn)(void)) {
    int child = fork();
    if (!child) {
        fn();
        _exit(3);
    }
    waitpid(child, NULL, 0);
    return child;
}

static void nothing(void) {
}

static void killed(void) {
    kill(getpid(), SIGKILL);
}

static void executes(void) {
    be(SOMEBODY);
    execl("/bin/true", "true", NULL);
}

int main(void) {
    put("records", "");
    mkdir("folder", 0700);
    gives(0, acct, "records");
    int first = run(nothing), second = run(killed), third = run(executes);
    gives(0, acct, NULL);
    int fourth = run(nothing);
    show("exited", first);
    show("killed", second);
    show("another program", third);
    is("name", strcmp(find(third)->ac_comm, "true"), 0);
    show("not kept", fourth);
    gives(0, acct, NULL);
    fails(EISDIR, acct, "folder");
    fails(EACCES, acct, "/dev/null");
    fails_on_bad_paths(acct, path);
    mount("folder", "folder", NULL, MS_BIND, NULL);
    put("folder/file", "");
    mount("folder", "folder", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
    fails(EROFS, acct, "folder/file");
    umount("folder");
    be(SOMEBODY);
    fails(EPERM, acct, NULL);
    fails(EPERM, acct, "records");
}
