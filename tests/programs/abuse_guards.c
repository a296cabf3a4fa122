/*
 * What abuse uses of guards and name spaces: a ruleset, a listener and whom it answers, name
 * spaces as files, and the folder of queues.
 */
#include "abuse.h"

#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/nsfs.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int ruleset, listener, space, queues, asking;
static struct landlock_path_beneath_attr rule = {LANDLOCK_ACCESS_FS_READ_FILE, -1};

/* Which calls a thread of the caller's, or a child, asks about. */
static int listen_for(unsigned number) {
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {4, program};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                        &filter);
}

static void ask(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (long turn = 0;; turn++)
        if (syscall(SYS_getpgid, turn) != turn + 1)
            say("an answer is lost");
}

void open_guards(void) {
    uint64_t handled = LANDLOCK_ACCESS_FS_READ_FILE;
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);
    rule.parent_fd = open(folder, O_PATH);
    space = open("/proc/self/ns/uts", O_RDONLY);
    mkdir("/tmp/queues", 0700);
    fail_if(mount("queues", "/tmp/queues", "mqueue", 0, NULL), "queues");
    queues = open("/tmp/queues/abused", O_RDONLY | O_CREAT, 0600);
    listener = listen_for(SYS_getpgid);
    fail_if(ruleset < 0 || rule.parent_fd < 0 || space < 0 || queues < 0 || listener < 0, "guards");
    asking = fork();
    if (!asking)
        ask();
}

void use_guards(void) {
    struct seccomp_notif told = {0};
    char text[16];
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
        say("a ruleset takes no rule");
    if (ioctl(space, NS_GET_NSTYPE) != 0x04000000 || access("/proc/self/ns/uts", R_OK))
        say("a name space is lost");
    if (pread(queues, text, 6, 0) != 6 || access("/tmp/queues/abused", W_OK))
        say("a queue is lost");
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &told))
        say("a question is lost");
    struct seccomp_notif_resp answer = {.id = told.id, .val = (long)told.data.args[0] + 1};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer))
        say("an answer does not arrive");
}

void close_guards(void) {
    kill(asking, SIGKILL);
    waitpid(asking, NULL, 0);
    close(queues);
    unlink("/tmp/queues/abused");
    umount("/tmp/queues");
}
