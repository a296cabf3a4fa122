/* Calls that a program gets itself, as signals. */
#include "abi.h"

#include <linux/audit.h>
#include <sys/prctl.h>

#define DISPATCH PR_SET_SYSCALL_USER_DISPATCH
#define ON       PR_SYS_DISPATCH_ON
#define OFF      PR_SYS_DISPATCH_OFF

/* A call that is made from between two labels. */
__asm__(".globl call_here, call_here_end\n"
        "call_here: mov %rdi, %rax\n"
        "mov %rsi, %rdi\n"
        "syscall\n"
        "ret\n"
        "call_here_end:\n");
extern char call_here_end[];
extern long call_here(long number, long argument);

static volatile char *selector;
static int number, code, architecture, told_error;

/* What comes back from it is a call, too. */
static void handler(int, siginfo_t *info, void *) {
    *selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    number = info->si_syscall;
    code = info->si_code;
    architecture = (int)info->si_arch;
    told_error = info->si_errno;
}

/* Made while the byte says that calls are the program's. */
static long called(long which, long argument) {
    *selector = SYSCALL_DISPATCH_FILTER_BLOCK;
    long result = call_here(which, argument);
    *selector = SYSCALL_DISPATCH_FILTER_ALLOW;
    return result;
}

static void begin(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    struct rlimit none = {0, 0};
    sigaction(SIGSYS, &action, NULL);
    setrlimit(RLIMIT_CORE, &none);
    selector = pages(1);
}

static void gets_them(void) {
    begin();
    gives(0, prctl, DISPATCH, ON, 0, 0, selector);
    is("the number is the result", called(SYS_getppid, 0), SYS_getppid);
    say("%d %d %x %d", number, code, architecture, told_error);
    is("no such call", called(100000, 0), 100000);
    is("its number", number, 100000);
    is("as ever", abi_call(getppid) == getppid(), 1);
    gives(0, prctl, DISPATCH, OFF, 0, 0, 0);
    number = 0;
    is("no more", called(SYS_getppid, 0) == getppid(), 1);
    is("no signal", number, 0);
}

static void from_elsewhere(void) {
    begin();
    long length = call_here_end - (char *)call_here;
    gives(0, prctl, DISPATCH, ON, call_here, length, selector);
    is("from within", called(SYS_getppid, 0) == getppid(), 1);
    is("no signal", number, 0);
    *selector = SYSCALL_DISPATCH_FILTER_BLOCK;
    is("from elsewhere", syscall(SYS_getppid), SYS_getppid);
    is("signal", number, SYS_getppid);
}

static void child(void) {
    is("it has it not", called(SYS_getppid, 0) == getppid(), 1);
}

static void children(void) {
    begin();
    gives(0, prctl, DISPATCH, ON, 0, 0, selector);
    in_child("child", child);
    char *words[] = {"true", NULL};
    if (!fork())
        ends(execve, "/bin/true", words, NULL);
    int status;
    wait(&status);
    is("another program", status, 0);
}

static void knows_no_byte(void) {
    begin();
    prctl(DISPATCH, ON, 0, 0, selector);
    *selector = 7;
    call_here(SYS_getppid, 0);
}

static void cannot_read_it(void) {
    begin();
    prctl(DISPATCH, ON, 0, 0, selector);
    munmap((void *)selector, 4096);
    call_here(SYS_getppid, 0);
}

int main(void) {
    fails(EINVAL, prctl, DISPATCH, 2, 0, 0, 0);
    fails(EINVAL, prctl, DISPATCH, OFF, 1, 0, 0);
    fails(EINVAL, prctl, DISPATCH, OFF, 0, 1, 0);
    fails(EINVAL, prctl, DISPATCH, OFF, 0, 0, &number);
    fails(EINVAL, prctl, DISPATCH, ON, 1, -1, 0);
    fails(EINVAL, prctl, DISPATCH, ON, 1, 0, 0);
    fails(EFAULT, prctl, DISPATCH, ON, 0, 0, -4096);
    in_child("gets them", gets_them);
    in_child("from elsewhere", from_elsewhere);
    in_child("children", children);
    in_child("knows no byte", knows_no_byte);
    in_child("cannot read it", cannot_read_it);
    return 0;
}
