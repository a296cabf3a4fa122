/*
 * Signals: handlers and what they are told, masks, queues, interrupted calls, other stacks.
 */
#include "say.h"

#include <pthread.h>
#include <setjmp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t count, last, code;
static void *volatile address;
static volatile int value;

static void handler(int signal, siginfo_t *info, void *context) {
    (void)context;
    count++;
    last = signal;
    code = info->si_code;
    address = info->si_addr;
    value = info->si_value.sival_int;
}

static void install(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    tell_success("sigaction", sigaction(signal, &action, NULL));
}

static void report(const char *what) {
    say("%s: count %d last %d code %d", what, (int)count, (int)last, (int)code);
    count = last = code = 0;
}

static void plain(void) {
    install(SIGUSR1, 0);
    raise(SIGUSR1);
    report("raise");
    kill(getpid(), SIGUSR1);
    report("kill");
    union sigval data = {.sival_int = 42};
    sigqueue(getpid(), SIGUSR1, data);
    say("value %d", value);
    report("sigqueue");
    tell("SIGKILL", sigaction(SIGKILL, &(struct sigaction){.sa_handler = SIG_IGN}, NULL));
    tell("no signal", kill(getpid(), 65));
    tell("signal 0", kill(getpid(), 0));
}

static void masks(void) {
    sigset_t set, pending, old;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    install(SIGRTMIN, 0);
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 3; i++) {
        kill(getpid(), SIGUSR1);
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
    }
    sigpending(&pending);
    say("pending %d %d %d", sigismember(&pending, SIGUSR1), sigismember(&pending, SIGRTMIN),
        sigismember(&pending, SIGUSR2));
    report("blocked");
    sigprocmask(SIG_SETMASK, &old, NULL);
    say("value %d", value);
    report("unblocked"); /* one of the plain ones, three of the others */
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 7});
    siginfo_t info;
    struct timespec nothing = {0, 0}, little = {0, 1000000};
    say("sigtimedwait: %d value %d", sigtimedwait(&set, &info, &nothing) == SIGRTMIN,
        info.si_value.sival_int);
    tell("sigtimedwait again", sigtimedwait(&set, &info, &little));
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void resets(void) {
    install(SIGUSR2, SA_RESETHAND);
    raise(SIGUSR2);
    report("once");
    struct sigaction now;
    sigaction(SIGUSR2, NULL, &now);
    say("default again: %d", now.sa_handler == SIG_DFL);
}

static volatile sig_atomic_t depth, deepest;
static void nested(int signal) {
    if (++depth > deepest)
        deepest = depth;
    if (++count < 3)
        raise(signal);
    depth--;
}

static void nesting(void) {
    count = 0;
    struct sigaction action = {.sa_handler = nested, .sa_flags = SA_NODEFER};
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    say("deepest %d", (int)deepest);
    deepest = count = 0;
    action.sa_flags = 0;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    say("deepest without SA_NODEFER %d", (int)deepest);
    count = 0;
    signal(SIGUSR2, SIG_DFL);
}

static sigjmp_buf back;
static void jump(int signal, siginfo_t *info, void *context) {
    (void)context;
    last = signal;
    code = info->si_code;
    address = info->si_addr;
    siglongjmp(back, 1);
}

static void fault(const char *what, void (*fn)(void), void *expected) {
    struct sigaction action = {.sa_sigaction = jump, .sa_flags = SA_SIGINFO};
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (unsigned i = 0; i < 5; i++)
        sigaction(signals[i], &action, NULL);
    if (!sigsetjmp(back, 1)) {
        fn();
        say("%s: nothing happened", what);
        return;
    }
    say("%s: signal %d code %d%s", what, (int)last, (int)code,
        expected && address == expected ? " at the address" : "");
    for (unsigned i = 0; i < 5; i++)
        signal(signals[i], SIG_DFL);
}

static char *page;
static void touch_nothing(void) {
    *(volatile char *)24;
}
static void write_page(void) {
    *(volatile char *)page = 1;
}
static void run_page(void) {
    ((void (*)(void))page)();
}
static void noncanonical(void) {
    *(volatile char *)0x8000000000000000ul;
}
static void divide(void) {
    volatile int zero = 0, one = 1;
    one /= zero;
}
static void illegal(void) {
    __asm__ volatile("ud2");
}
static void breakpoint(void) {
    __asm__ volatile("int3");
}
static void privileged(void) {
    __asm__ volatile("hlt");
}

static void faults(void) {
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fault("nothing mapped", touch_nothing, (void *)24);
    fault("read-only", write_page, page);
    fault("not executable", run_page, page);
    fault("no address", noncanonical, NULL);
    fault("division", divide, NULL);
    fault("illegal", illegal, NULL);
    fault("breakpoint", breakpoint, NULL);
    fault("privileged", privileged, NULL);
    munmap(page, 4096);
}

static char stack[65536];
static volatile int on_stack;
static void look_at_stack(int signal) {
    char here;
    stack_t now;
    (void)signal;
    sigaltstack(NULL, &now);
    on_stack =
        &here >= stack && &here < stack + sizeof stack ? 1 + (now.ss_flags == SS_ONSTACK) : 0;
}

static void other_stack(void) {
    stack_t wanted = {.ss_sp = stack, .ss_size = sizeof stack}, now;
    struct sigaction action = {.sa_handler = look_at_stack, .sa_flags = SA_ONSTACK};
    tell("sigaltstack", sigaltstack(&wanted, NULL));
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    say("on it: %d", on_stack);
    action.sa_flags = 0;
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
    say("on it: %d", on_stack);
    sigaltstack(NULL, &now);
    say("stack: %d %zu flags %d", now.ss_sp == stack, now.ss_size, now.ss_flags);
    wanted.ss_size = 100;
    tell("too small", sigaltstack(&wanted, NULL));
    wanted.ss_flags = SS_DISABLE;
    tell("none", sigaltstack(&wanted, NULL));
    signal(SIGUSR2, SIG_DFL);
}

static void changed(int signal, siginfo_t *info, void *context) {
    ucontext_t *registers = context;
    (void)signal, (void)info;
    registers->uc_mcontext.gregs[REG_RBX] = 0x1234;
    registers->uc_mcontext.gregs[REG_RIP] += 2; /* behind ud2 */
}

static void registers(void) {
    struct sigaction action = {.sa_sigaction = changed, .sa_flags = SA_SIGINFO};
    unsigned long rbx;
    double sum = 1.5;
    sigaction(SIGILL, &action, NULL);
    __asm__ volatile("movsd %1, %%xmm7; xor %%ebx, %%ebx; ud2; movsd %%xmm7, %1; mov %%rbx, %0"
                     : "=r"(rbx), "+m"(sum)
                     :
                     : "rbx", "xmm7");
    say("registers from the handler: %lx, kept %.1f", rbx, sum);
    signal(SIGILL, SIG_DFL);
}

/* Somebody who sends again and again, since there is no telling when we are asleep: until he is
 * killed, or, if he has a file to write to, for some times before he does that. */
static pid_t send_on(int signal, int file) {
    pid_t parent = getpid(), child = fork();
    if (child)
        return child;
    for (int n = 0; file < 0 || n < 5; n++) {
        usleep(30000);
        if (getppid() != parent || kill(parent, signal) < 0)
            _exit(1);
    }
    _exit(write(file, "x", 1) != 1);
}

/* How often he sent is not told. */
static void end_sending(pid_t child) {
    kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    count = count > 0;
}

static void interrupted(void) {
    int ends[2];
    char byte;
    if (pipe(ends))
        return;
    count = 0;
    install(SIGUSR1, 0);
    pid_t child = send_on(SIGUSR1, -1);
    tell("read without SA_RESTART", read(ends[0], &byte, 1));
    end_sending(child);
    report("after it");
    install(SIGUSR1, SA_RESTART);
    child = send_on(SIGUSR1, ends[1]);
    tell("read with SA_RESTART", read(ends[0], &byte, 1));
    end_sending(child);
    report("after it");
    child = send_on(SIGUSR1, -1);
    tell("pause", pause());
    end_sending(child);
    count = 0;
    sigset_t none, some;
    sigemptyset(&none);
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigprocmask(SIG_BLOCK, &some, NULL);
    kill(getpid(), SIGUSR1);
    tell("sigsuspend", sigsuspend(&none));
    report("after it");
    sigprocmask(SIG_BLOCK, NULL, &none);
    say("blocked again: %d", sigismember(&none, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &some, NULL);
    close(ends[0]);
    signal(SIGPIPE, SIG_IGN);
    tell("write to nobody", write(ends[1], "x", 1));
    signal(SIGPIPE, SIG_DFL);
}

static void die_by_pipe(void) {
    int ends[2];
    if (pipe(ends))
        return;
    close(ends[0]);
    if (write(ends[1], "x", 1) < 0)
        _exit(1);
}

static void bad_frame(void) {
    __asm__ volatile("mov $15, %%eax; xor %%esp, %%esp; syscall" ::: "memory");
}

static void wild_frame(void) {
    static unsigned char junk[8192];
    memset(junk, 0xff, sizeof junk);
    __asm__ volatile("mov $15, %%eax; mov %0, %%rsp; syscall" ::"r"(junk + 4096) : "memory");
}

static void no_stack_for_it(void) {
    signal(SIGUSR1, look_at_stack);
    __asm__ volatile("mov $8, %%rsp; mov %0, %%edi; mov %1, %%esi; mov $62, %%eax; syscall"
                     :
                     : "r"(getpid()), "i"(SIGUSR1)
                     : "memory", "edi", "eax");
}

static void blocked_fault(void) {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    signal(SIGSEGV, look_at_stack);
    touch_nothing();
}

static void ends_by_signals(void) {
    in_child("SIGPIPE", die_by_pipe);
    in_child("a frame at 0", bad_frame);
    in_child("a frame of junk", wild_frame);
    in_child("a handler without stack", no_stack_for_it);
    in_child("a blocked fault", blocked_fault);
}

static void ignored_default(void) {
    raise(SIGCHLD);
    raise(SIGWINCH);
    raise(SIGURG);
    raise(SIGCONT);
}

int main(void) {
    plain();
    masks();
    resets();
    nesting();
    faults();
    other_stack();
    registers();
    interrupted();
    ends_by_signals();
    in_child("ignored ones", ignored_default);
    return 0;
}
