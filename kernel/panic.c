/*
 * The kernel's last words: the message, the registers when a trap led here, and what every CPU was
 * doing. Then the machine ends with a status that says it failed.
 *
 * The first CPU to panic speaks; others that panic meanwhile wait to be stopped. A panic inside the
 * panic ends the machine at once.
 */
#include "arch/x86_64/arch.h"
#include "arch/x86_64/backtrace.h"
#include "arch/x86_64/stopped.h"
#include "print.h"
#include "runtime.h"
#include "trace/flight.h"

#include <stdarg.h>

#define PANIC_STATUS 101
#define NOBODY       (~0u)

static unsigned speaker = NOBODY;

static void print_registers(const struct trap_frame *f) {
    print("  rip %lx  rsp %lx  rflags %lx  cs %lx", f->rip, f->rsp, f->rflags, f->cs);
    print("  rax %lx  rbx %lx  rcx %lx  rdx %lx", f->rax, f->rbx, f->rcx, f->rdx);
    print("  rsi %lx  rdi %lx  rbp %lx  r8 %lx", f->rsi, f->rdi, f->rbp, f->r8);
    print("  r9 %lx  r10 %lx  r11 %lx  r12 %lx", f->r9, f->r10, f->r11, f->r12);
    print("  r13 %lx  r14 %lx  r15 %lx", f->r13, f->r14, f->r15);
}

static void print_others(void) {
    for (unsigned i = 0; i < cpu_count(); i++) {
        if (i == cpu_number())
            continue;
        const struct trap_frame *frame = cpu_stopped_at(i);
        print("CPU %u:%s", i, frame ? "" : " does not answer");
        if (frame)
            backtrace_trap(frame);
    }
}

static void become_speaker(const char *line) {
    unsigned expected = NOBODY, self = cpu_number();
    if (__atomic_compare_exchange_n(&speaker, &expected, self, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return;
    if (expected == self) {
        print("panic inside the panic: %s", line);
        machine_exit(PANIC_STATUS);
    }
    for (;;)
        cpu_relax();
}

static _Noreturn void speak(const struct trap_frame *frame, const char *line) {
    interrupts_save();
    become_speaker(line);
    cpu_stop_others();
    print("panic: %s", line);
    if (frame)
        print_registers(frame);
    print("CPU %u:", cpu_number());
    if (frame)
        backtrace_trap(frame);
    else
        backtrace_here();
    print_others();
    flight_print();
    machine_exit(PANIC_STATUS);
}

void panic(const char *format, ...) {
    char line[512];
    va_list list;
    va_start(list, format);
    k42_format_list(line, sizeof line, format, list);
    va_end(list);
    speak(NULL, line);
}

void panic_trap(const struct trap_frame *frame, const char *format, ...) {
    char line[512];
    va_list list;
    va_start(list, format);
    k42_format_list(line, sizeof line, format, list);
    va_end(list);
    speak(frame, line);
}

void k42_platform_panic(const char *line) {
    speak(NULL, line);
}
