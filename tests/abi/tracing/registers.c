/* A tracee's memory and registers: read, written, stepped, stopped by breakpoints. */
#include "abi.h"

#include <elf.h>
#include <linux/ptrace.h>
#include <stddef.h>
#include <sys/user.h>

static const volatile char constant[] = "never written by the program itself";
static volatile long word = 0x1122334455667788;
static volatile double number = 2.5;

__attribute__((noinline)) static long broken(long of) {
    __asm__ volatile("" : "+r"(of));
    return of * 3;
}

static void runs(void) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    is("word", word, 99);
    is("constant", constant[0], 'N');
    is("broken", broken(7), 21);
    is("changed", broken(7), 30);
    __asm__ volatile("movsd %0, %%xmm7; mov $39, %%eax; syscall; movsd %%xmm7, %0"
                     : "+m"(number)::"rax", "rcx", "r11", "xmm7", "memory");
    is("number", (long)number, 7);
}

static void stops_by(int child, int signal) {
    int status = 0;
    if (waitpid(child, &status, 0) != child)
        give_up("wait");
    is("stop", status, signal << 8 | 0x7f);
}

static void memory(int child) {
    long there = 0;
    gives(0, ptrace, PTRACE_PEEKDATA, child, &word, &there);
    is("read", there, word);
    gives(0, ptrace, PTRACE_POKEDATA, child, &word, 99);
    gives(0, ptrace, PTRACE_PEEKTEXT, child, (long)constant, &there);
    *(char *)&there = 'N';
    gives(0, ptrace, PTRACE_POKETEXT, child, (long)constant, there);
    is("own", constant[0], 'n');
}

static void file(int child) {
    char path[64], text[6] = "";
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    int fd = open(path, O_RDWR);
    is("opened", fd >= 0, 1);
    gives(5, pread64, fd, text, 5, (long)constant);
    say("%s", text);
    gives(5, pwrite64, fd, "Never", 5, (long)constant);
    fails(EIO, pread64, fd, text, 5, 8);
    close(fd);
}

static void breakpoint(int child) {
    struct user_regs_struct registers;
    long before = 0;
    gives(0, ptrace, PTRACE_PEEKTEXT, child, broken, &before);
    gives(0, ptrace, PTRACE_POKETEXT, child, broken, (before & ~0xffl) | 0xcc);
    for (int n = 0; n < 2; n++) {
        gives(0, ptrace, PTRACE_CONT, child, 0, 0);
        stops_by(child, SIGTRAP);
        gives(0, ptrace, PTRACE_GETREGS, child, 0, &registers);
        is("after it", (long)(registers.rip - (uintptr_t)broken), 1);
        is("argument", (long)registers.rdi, 7);
        is("no call", (long)registers.orig_rax, -1);
        registers.rip--;
        registers.rdi += 3 * n;
        gives(0, ptrace, PTRACE_SETREGS, child, 0, &registers);
        gives(0, ptrace, PTRACE_POKETEXT, child, broken, before);
        gives(0, ptrace, PTRACE_SINGLESTEP, child, 0, 0);
        stops_by(child, SIGTRAP);
        siginfo_t info;
        gives(0, ptrace, PTRACE_GETSIGINFO, child, 0, &info);
        is("code", info.si_code, TRAP_TRACE);
        gives(0, ptrace, PTRACE_GETREGS, child, 0, &registers);
        is("a step", registers.rip != (uintptr_t)broken && registers.rip - (uintptr_t)broken < 16,
           1);
        is("no flag of it", (long)registers.eflags & 0x100, 0);
        gives(0, ptrace, PTRACE_POKETEXT, child, broken, (before & ~0xffl) | 0xcc);
    }
    gives(0, ptrace, PTRACE_POKETEXT, child, broken, before);
}

/* Steps through a call of getpid: each instruction once. */
static void steps(int child) {
    struct user_regs_struct registers;
    struct user_fpregs_struct vectors;
    double seven = 7;
    long code = 0, before = 0;
    do {
        before = code;
        gives(0, ptrace, PTRACE_SINGLESTEP, child, 0, 0);
        stops_by(child, SIGTRAP);
        gives(0, ptrace, PTRACE_GETREGS, child, 0, &registers);
        ptrace(PTRACE_PEEKTEXT, child, registers.rip, &code);
        if (abi_call(ptrace, PTRACE_PEEKTEXT, child, registers.rip, &code))
            give_up("peek");
        code &= 0xffff;
    } while (!(code == 0x050f && registers.rax == SYS_getpid));
    (void)before;
    unsigned long at = registers.rip;
    gives(0, ptrace, PTRACE_SINGLESTEP, child, 0, 0);
    stops_by(child, SIGTRAP);
    gives(0, ptrace, PTRACE_GETREGS, child, 0, &registers);
    is("over the call", (long)(registers.rip - at), 2);
    is("its result", (long)registers.rax == child, 1);
    gives(0, ptrace, PTRACE_GETFPREGS, child, 0, &vectors);
    double there;
    memcpy(&there, &vectors.xmm_space[7 * 4], sizeof there);
    is("vector", (long)(there * 10), 25);
    memcpy(&vectors.xmm_space[7 * 4], &seven, sizeof seven);
    gives(0, ptrace, PTRACE_SETFPREGS, child, 0, &vectors);
    gives(0, ptrace, PTRACE_CONT, child, 0, 0);
}

static void sets(int child) {
    struct user_regs_struct registers, other;
    static char state[16384] __attribute__((aligned(64)));
    struct iovec range = {&registers, sizeof registers + 8};
    gives(0, ptrace, PTRACE_GETREGS, child, 0, &other);
    gives(0, ptrace, PTRACE_GETREGSET, child, NT_PRSTATUS, &range);
    is("length", (long)range.iov_len, sizeof registers);
    is("same", memcmp(&registers, &other, sizeof other), 0);
    gives(0, ptrace, PTRACE_SETREGSET, child, NT_PRSTATUS, &range);
    range = (struct iovec){state, sizeof state};
    gives(0, ptrace, PTRACE_GETREGSET, child, NT_PRFPREG, &range);
    is("length", (long)range.iov_len, 512);
    range = (struct iovec){state, sizeof state};
    gives(0, ptrace, PTRACE_GETREGSET, child, NT_X86_XSTATE, &range);
    is("some", range.iov_len >= 576, 1);
    is("known", (state[464] & 3), 3);
    gives(0, ptrace, PTRACE_SETREGSET, child, NT_X86_XSTATE, &range);
    memset(state + 24, 0xff, 4); /* MXCSR */
    fails(EINVAL, ptrace, PTRACE_SETREGSET, child, NT_X86_XSTATE, &range);
    registers.fs_base = ~0ul;
    fails(EIO, ptrace, PTRACE_SETREGS, child, 0, &registers);
}

int main(void) {
    int child = start(runs);
    stops_by(child, SIGSTOP);
    memory(child);
    file(child);
    sets(child);
    breakpoint(child);
    steps(child);
    ended("runs", child);
}
