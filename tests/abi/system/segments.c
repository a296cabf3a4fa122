/* modify_ldt: segments of a program's own, loaded and run in, kept, changed, inherited, gone. */
#include "abi.h"

#include <asm/ldt.h>
#include <pthread.h>
#include <setjmp.h>

#define OWN(entry) ((entry) << 3 | 7)

/* What 32-bit code reaches: its text and data, and a stack. */
static char *low, *stack;

static struct user_desc of(int entry, int contents) {
    return (struct user_desc){.entry_number = entry,
                              .base_addr = (unsigned)(long)low,
                              .limit = 4095,
                              .seg_32bit = 1,
                              .contents = contents};
}

static void has(int entry, int contents) {
    struct user_desc what = of(entry, contents);
    gives(0, modify_ldt, 0x11, &what, sizeof what);
}

static void has_none(int entry) {
    struct user_desc none = {.entry_number = entry, .read_exec_only = 1, .seg_not_present = 1};
    gives(0, modify_ldt, 0x11, &none, sizeof none);
}

static unsigned gs_at(int offset) {
    unsigned word;
    __asm__ volatile("movl %%gs:(%1), %0" : "=r"(word) : "r"((long)offset));
    return word;
}

static unsigned gs_selector(void) {
    unsigned selector;
    __asm__ volatile("movl %%gs, %0" : "=r"(selector));
    return selector;
}

static void set_gs(unsigned selector) {
    __asm__ volatile("movl %0, %%gs" ::"r"(selector));
}

static void reads_by_gs(void *unused) {
    (void)unused;
    set_gs(OWN(3));
    is("read", gs_at(0x800), 0x1234);
    doze(1);
    is("kept while it slept", gs_at(0x800), 0x1234);
    is("the selector", gs_selector(), OWN(3));
}

/* ---- 32-bit code ---- */

/* At `low`: eax becomes a word, which it adds 1 to. It spins while the word behind it is 0, and
 * jumps back. */
static unsigned char text[] = {
    0xa1, 0x00, 0x08, 0x00, 0x00,             /* mov 0x800, %eax */
    0xff, 0x05, 0x00, 0x08, 0x00, 0x00,       /* incl 0x800 */
    0x83, 0x3d, 0x04, 0x08, 0x00, 0x00, 0x00, /* 1: cmpl $0, 0x804 */
    0x74, 0xf7,                               /* je 1b */
    0xea, 0,    0,    0,    0,    0x33, 0,    /* ljmp $0x33, ... */
};
enum { BACK_AT = 21 };

/* Registers come back with nothing certain in their upper halves. No far call, whose use of the
 * stack QEMU 7.2 takes for the kernel's, which SMAP forbids. */
static long run_short(unsigned code, unsigned data) {
    static struct {
        unsigned at;
        unsigned short selector;
    } __attribute__((packed)) to;
    static void *stands;
    long result;
    to.selector = (unsigned short)code;
    __asm__ volatile("leaq -128(%%rsp), %%rsp\n\t"
                     "pushq %%rbp\n\t"
                     "movl %%ds, %%eax\n\t"
                     "pushq %%rax\n\t"
                     "movq %%rsp, %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "movl %%eax, (%5)\n\t"
                     "movl %3, %%ds\n\t"
                     "movq %4, %%rsp\n\t"
                     "ljmp *%2\n"
                     "1:\n\t"
                     "movq %1, %%rsp\n\t"
                     "popq %%rcx\n\t"
                     "movl %%ecx, %%ds\n\t"
                     "popq %%rbp\n\t"
                     "leaq 128(%%rsp), %%rsp"
                     : "=&a"(result), "+m"(stands)
                     : "m"(to), "b"(data), "d"(stack + 4096 * 4 - 64), "S"(low + BACK_AT)
                     : "rcx", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
                       "memory");
    return result;
}

static volatile int *word(int offset) {
    return (volatile int *)(low + offset);
}

static unsigned interrupted_in;

static void goes_on(int signal, siginfo_t *info, void *context) {
    ucontext_t *at = context;
    (void)signal, (void)info;
    interrupted_in = at->uc_mcontext.gregs[REG_CSGSFS] & 0xffff;
    *word(0x804) = 1;
}

static void on_signal(int number, void (*fn)(int, siginfo_t *, void *)) {
    static char room[65536];
    stack_t other = {.ss_sp = room, .ss_size = sizeof room};
    struct sigaction action = {.sa_sigaction = fn, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&other, NULL);
    sigaction(number, &action, NULL);
}

static void runs_short(void) {
    has(0, MODIFY_LDT_CONTENTS_CODE);
    has(1, MODIFY_LDT_CONTENTS_DATA);
    memcpy(low, text, sizeof text);
    *word(0x800) = 41;
    *word(0x804) = 1;
    is("what it gives", run_short(OWN(0), OWN(1)) & 0xffffffff, 41);
    is("what it did", *word(0x800), 42);
    on_signal(SIGALRM, goes_on);
    *word(0x804) = 0;
    alarm_in(20);
    is("interrupted", run_short(OWN(0), OWN(1)) & 0xffffffff, 42);
    is("in its segment", interrupted_in, OWN(0));
}

static void lands(int signal) {
    say("signal %d", signal);
    _exit(0);
}

/* Its segment goes while it runs. */
static void *taker(void *unused) {
    struct user_desc none = {.read_exec_only = 1, .seg_not_present = 1};
    (void)unused;
    doze(50);
    return (void *)abi_call(modify_ldt, 0x11, &none, sizeof none);
}

static void runs_no_more(void) {
    pthread_t one;
    has(0, MODIFY_LDT_CONTENTS_CODE);
    has(1, MODIFY_LDT_CONTENTS_DATA);
    memcpy(low, text, sizeof text);
    *word(0x804) = 0;
    on_signal(SIGSEGV, (void (*)(int, siginfo_t *, void *))lands);
    pthread_create(&one, NULL, taker, NULL);
    run_short(OWN(0), OWN(1));
}

/* A handler has the program return to what cannot be returned to. */
static unsigned long bad_code, bad_stack, bad_rip;

static void goes_wrong(int signal, siginfo_t *info, void *context) {
    ucontext_t *at = context;
    unsigned long selectors = at->uc_mcontext.gregs[REG_CSGSFS] & 0x0000ffffffff0000;
    (void)signal, (void)info;
    at->uc_mcontext.gregs[REG_CSGSFS] = selectors | bad_stack << 48 | bad_code;
    at->uc_mcontext.gregs[REG_RIP] = bad_rip;
}

static void returns_badly(void) {
    has(0, MODIFY_LDT_CONTENTS_CODE);
    has(1, MODIFY_LDT_CONTENTS_DATA);
    on_signal(SIGSEGV, (void (*)(int, siginfo_t *, void *))lands);
    on_signal(SIGUSR1, goes_wrong);
    raise(SIGUSR1);
}

static void bad_returns(void) {
    static const unsigned short tries[][2] = {
        {OWN(7), 0x2b},   {OWN(1), 0x2b},   {OWN(0), OWN(7)},   {0x33, OWN(0)},
        {OWN(900), 0x2b}, {0x33, OWN(900)}, {OWN(0), OWN(900)},
    };
    for (size_t n = 0; n < sizeof tries / sizeof *tries; n++) {
        bad_code = tries[n][0], bad_stack = tries[n][1];
        in_child("a bad selector", returns_badly);
    }
    bad_code = OWN(0), bad_stack = 0x2b, bad_rip = 5000;
    in_child("behind its end", returns_badly);
    bad_rip = 0x700000000000;
    in_child("far behind it", returns_badly);
    bad_code = 0x23;
    in_child("too far for 32 bits", returns_badly);
}

static void by_an_absent_one(void) {
    on_signal(SIGSEGV, (void (*)(int, siginfo_t *, void *))lands);
    on_signal(SIGBUS, (void (*)(int, siginfo_t *, void *))lands);
    struct user_desc absent = of(4, MODIFY_LDT_CONTENTS_DATA);
    absent.seg_not_present = 1;
    gives(0, modify_ldt, 0x11, &absent, sizeof absent);
    set_gs(OWN(4));
}

/* ---- what is in the table ---- */

static void reads(void) {
    unsigned long table[16] = {1, 2, 3, 4, 5};
    gives(40, modify_ldt, 0, table, 40);
    is("not there", table[0] | table[1] | table[2] | table[4], 0);
    is("the low half", (unsigned)table[3] == ((unsigned)(long)low << 16 | 0xfff), 1);
    is("the high half", table[3] >> 32 & 0xffff00, 0x40f300);
    gives((unsigned)-EFAULT, modify_ldt, 0, BAD, 40);
    is("no further", table[5], 0);
}

static void refused(void) {
    struct user_desc what = of(0, MODIFY_LDT_CONTENTS_DATA);
    gives((unsigned)-EINVAL, modify_ldt, 1, &what, sizeof what - 1);
    gives((unsigned)-EINVAL, modify_ldt, 0x11, &what, sizeof what + 1);
    gives((unsigned)-EFAULT, modify_ldt, 0x11, BAD, sizeof what);
    what.entry_number = 8192;
    gives((unsigned)-EINVAL, modify_ldt, 0x11, &what, sizeof what);
    what = of(0, 3);
    gives((unsigned)-EINVAL, modify_ldt, 0x11, &what, sizeof what);
    what.seg_not_present = 1;
    gives((unsigned)-EINVAL, modify_ldt, 1, &what, sizeof what);
    gives(0, modify_ldt, 0x11, &what, sizeof what);
    has_none(0);
    gives((unsigned)-ENOSYS, modify_ldt, 99, &what, sizeof what);
}

static void begins(void) {
    char room[200];
    memset(room, 1, sizeof room);
    gives(0, modify_ldt, 0, room, sizeof room);
    gives(128, modify_ldt, 2, room, sizeof room);
    is("zeros", room[0] | room[127], 0);
    is("no further", room[128], 1);
    gives(16, modify_ldt, 2, room, 16);
    /* Its result is an int. */
    gives((unsigned)-EFAULT, modify_ldt, 2, BAD, 16);
}

static void child(void) {
    is("the child's", gs_at(0x800), 0x1234);
    has_none(3);
    set_gs(0);
}

int main(void) {
    pthread_t one;
    int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, rights = PROT_READ | PROT_WRITE | PROT_EXEC;
    low = mmap(NULL, 4096, rights, how, -1, 0);
    stack = mmap(NULL, 4 * 4096, rights, how, -1, 0);
    begins();
    has(3, MODIFY_LDT_CONTENTS_DATA);
    reads();
    refused();
    *word(0x800) = 0x1234;
    reads_by_gs(NULL);
    in_child("a child", child);
    is("the parent's", gs_at(0x800), 0x1234);
    pthread_create(&one, NULL, (void *(*)(void *))reads_by_gs, NULL);
    pthread_join(one, NULL);
    set_gs(0);
    in_child("32 bits", runs_short);
    in_child("no more", runs_no_more);
    in_child("an absent one", by_an_absent_one);
    bad_returns();
}
