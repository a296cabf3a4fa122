/* Rulesets: how they are made, and which rules they take. */
#include "abi.h"

#include <linux/landlock.h>

#define EXECUTE LANDLOCK_ACCESS_FS_EXECUTE
#define READ    LANDLOCK_ACCESS_FS_READ_FILE
#define LIST    LANDLOCK_ACCESS_FS_READ_DIR

static void made(void) {
    uint64_t handled[512] = {READ | LIST};
    is("there is a version", abi_call(landlock_create_ruleset, 0, 0, 1) >= 2, 1);
    fails(EINVAL, landlock_create_ruleset, handled, 0, 1);
    fails(EINVAL, landlock_create_ruleset, 0, 8, 1);
    fails(EINVAL, landlock_create_ruleset, handled, 8, 1u << 30);
    fails(EFAULT, landlock_create_ruleset, 0, 8, 0);
    fails(EFAULT, landlock_create_ruleset, BAD, 8, 0);
    fails(EINVAL, landlock_create_ruleset, handled, 0, 0);
    fails(EINVAL, landlock_create_ruleset, handled, 7, 0);
    fails(E2BIG, landlock_create_ruleset, handled, 4097, 0);
    handled[511] = 1;
    fails(E2BIG, landlock_create_ruleset, handled, 4096, 0);
    handled[0] = 1ul << 63;
    fails(EINVAL, landlock_create_ruleset, handled, 8, 0);
    handled[0] = 0;
    fails(ENOMSG, landlock_create_ruleset, handled, 8, 0);
}

static void is_a_file(int ruleset) {
    struct stat about;
    char byte = 0;
    gives(FD_CLOEXEC, fcntl, ruleset, F_GETFD);
    is("access", fcntl(ruleset, F_GETFL) & O_ACCMODE, O_RDWR);
    fails(EINVAL, read, ruleset, &byte, 1);
    fails(EINVAL, write, ruleset, &byte, 1);
    fails(ENOTTY, ioctl, ruleset, 0x5401, &byte);
    gives(0, fstat, ruleset, &about);
    is("mode", about.st_mode, 0600);
}

static int add(int ruleset, uint64_t rights, int file, int kind, int flags) {
    struct landlock_path_beneath_attr rule = {rights, file};
    return (int)abi_call(landlock_add_rule, ruleset, kind, &rule, flags);
}

static void adds(int ruleset) {
    int pipes[2], folder = open(".", O_PATH), file = open("file", O_RDONLY | O_CREAT, 0600);
    struct landlock_path_beneath_attr rule = {READ | LIST, folder};
    gives(0, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    gives(0, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    fails(EINVAL, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 1);
    fails(EINVAL, landlock_add_rule, ruleset, 77, &rule, 0);
    fails(EFAULT, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, BAD, 0);
    fails(EFAULT, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, 0, 0);
    fails(EBADF, landlock_add_rule, 99, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    fails(EBADF, landlock_add_rule, folder, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    fails(EBADFD, landlock_add_rule, file, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    rule.parent_fd = 99;
    fails(EBADF, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    rule.parent_fd = ruleset;
    fails(EBADFD, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    pipe(pipes);
    rule.parent_fd = pipes[0];
    fails(EBADFD, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    rule.parent_fd = (int)syscall(SYS_memfd_create, "memory", 0);
    fails(EBADFD, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    rule = (struct landlock_path_beneath_attr){0, folder};
    fails(ENOMSG, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    rule.allowed_access = EXECUTE;
    fails(EINVAL, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    rule = (struct landlock_path_beneath_attr){LIST, file};
    fails(EINVAL, landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    is("of a file", add(ruleset, READ, file, LANDLOCK_RULE_PATH_BENEATH, 0), 0);
    is("what is wrong first", add(ruleset, 1ul << 40, 99, LANDLOCK_RULE_PATH_BENEATH, 0), -1);
    is("the rights", errno, EINVAL);
}

/* So many that the table grows, and one that is told of twice. */
static void many(int ruleset) {
    char name[16];
    int bad = 0;
    for (int n = 0; n < 300; n++) {
        snprintf(name, sizeof name, "many%d", n % 290);
        int file = open(name, O_RDONLY | O_CREAT, 0600);
        bad += add(ruleset, READ, file, LANDLOCK_RULE_PATH_BENEATH, 0) != 0;
        close(file);
    }
    is("failures", bad, 0);
}

int main(void) {
    uint64_t handled = READ | LIST;
    made();
    int ruleset = (int)abi_call(landlock_create_ruleset, &handled, sizeof handled, 0);
    works(landlock_create_ruleset, &handled, sizeof handled, 0);
    is_a_file(ruleset);
    adds(ruleset);
    many(ruleset);
    return 0;
}
