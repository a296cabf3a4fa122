/*
 * Programs, as the processor knows them: how the kernel is entered from one and returns to it, and
 * what of its thread lives in the processor.
 *
 * Every kernel thread has a struct user_context at the very end of its stack. Whenever a program
 * enters the kernel, by a system call, an exception or an interrupt, a struct trap_frame ends just
 * there. So whatever way the kernel was entered, signals, fork and debuggers find the same layout
 * in the same place.
 */
#ifndef KERNEL_USER_H
#define KERNEL_USER_H

#include "arch.h"
#include "user_copy.h"

struct user_table;

/* `vector` of a frame that a system call made: `error` is the number of the call, `rax` -ENOSYS
 * until the result is put there. */
#define VECTOR_SYSTEM_CALL 256
/* `vector` of a frame that was changed (user_frame_harmless); of one that still is a call's. */
#define VECTOR_CHANGED      257
#define VECTOR_CHANGED_CALL 258

/*
 * The system that a program was written for. All run in the program's thread, on its kernel stack,
 * with interrupts on, and may wait, be preempted and go on on another CPU.
 */
struct personality {
    void (*system_call)(struct trap_frame *frame);
    /*
     * A page below USER_END is needed: by the program (trap_from_user(frame)) or by one of the
     * copies of user_copy.h, which asks only while preemption is on. frame->error has FAULT_* bits.
     * 0: try the access again. A negative error: a copy ends short; a program gets `trap`.
     */
    int (*fault)(struct trap_frame *frame, uintptr_t address);
    /*
     * An exception of the program that nothing in the processor's part resolves: frame->vector as
     * the processor numbers them. Of a page fault `address` is what was accessed and `reason` what
     * `fault` said, or -EFAULT; otherwise both are 0. Of a debug trap frame->error is what the
     * debug status register said.
     */
    void (*trap)(struct trap_frame *frame, uintptr_t address, int reason);
    /* Before the program goes on, because user_context.work is not 0; called until it is. Whoever
     * is here clears the bits he deals with. */
    void (*work)(struct trap_frame *frame);
    /* A thread that gets a CPU, and lost its own while its program ran or had another one before,
     * is marked with USER_SWITCHED in `work`. */
    bool minds_switches;
};

/* The bit of `work` that is the scheduler's: another thread is to have its turn. */
#define USER_TURN 0x80000000u
/* That of personalities that mind switches. */
#define USER_SWITCHED 0x40000000

/*
 * What of a thread lives in the processor while it runs, beyond registers on its stack. Aligned to
 * 64 bytes; all zero for a thread that runs no program.
 *
 * `work` is changed by atomic operations by anybody, who then pokes the CPU the thread runs on
 * (cpu_poke): a thread on its way out has either seen it or takes the poke. The rest is the
 * thread's own, or of whoever has it stopped.
 */
struct user_context {
    uint32_t work;                         /* not 0: see personality.work; the bits are its */
    uint32_t state_cpu;                    /* 1 + the CPU whose registers have all of this, or 0 */
    const struct personality *personality; /* NULL: runs no program */
    struct user_table *table;              /* its address space */
    void *state;                           /* FPU and vector registers while it does not run */
    uint64_t fs_base, gs_base;             /* likewise */
    uint16_t ds, es, fs, gs;               /* likewise; 0 for all but odd programs */
    uintptr_t space;                       /* mem/space/'s */
} __attribute__((aligned(64)));

static inline struct trap_frame *user_frame_of(struct user_context *context) {
    return (struct trap_frame *)context - 1;
}

/* How large the memory behind `state` must be, aligned to 64. The same for all threads. */
size_t user_state_size(void);

/* Where the processor stops a program for its debugger: the registers 0 to 3 and 7. */
struct user_debug {
    uint64_t address[4];
    uint64_t control;
};
/* Whether a program may have them. */
bool user_debug_accept(const struct user_debug *debug);
/* The calling thread's, from its next instruction in the program on. */
void user_debug_set(const struct user_debug *debug);

/* Whether the calling thread's program traps when it reads the time stamp counter; so do those that
 * it starts. */
void user_forbid_clock(bool forbid);
bool user_clock_is_forbidden(void);

/* Which of the processor's ports a program's thread may not use: a bit for each. */
#define USER_PORTS 65536u
struct user_ports {
    uint8_t forbidden[USER_PORTS / 8];
};
extern const struct user_ports user_ports_all; /* none is forbidden */
/* Those of the calling thread, or of one that has yet to start, from now on and through exec; NULL:
 * it may use none. Whose memory it is keeps it until others are set, and sets them anew when it has
 * changed something there. */
void user_ports_set(struct user_context *context, const struct user_ports *ports);

/*
 * The registers of a new program, for a thread that has yet to start, or for the calling one, which
 * has the table loaded from here on. `state`'s memory is the caller's to give and to take back.
 */
void user_context_open(struct user_context *context, void *state, struct user_table *table,
                       const struct personality *personality);
/*
 * For fork: the same with the registers of the calling thread, which runs a program.
 */
void user_context_copy(struct user_context *context, void *state, struct user_table *table);
/*
 * For exec: the calling thread goes over to another address space (or NULL: none) and the registers
 * of a new program. The old table is no longer loaded on its account.
 */
void user_context_reset(struct user_table *table);

/*
 * For exit: the calling thread runs no program any more, uses no table (one may stay loaded until
 * it is closed), and what its context pointed to is the caller's.
 */
void user_context_close(void);

/* The calling thread's; the interrupted one's in interrupts. */
static inline struct user_context *user_current(void) {
    struct user_context *context; /* where the CPU finds its stack for entries from programs */
    __asm__ volatile("movq %%gs:-124, %0" : "=r"(context));
    return context;
}

/*
 * The scheduler's, with interrupts off, just before it switches stacks between threads with these
 * contexts: registers, address space, stack for entries. About 10 instructions when neither runs a
 * program; returning to the program that ran last here loads nothing.
 */
void user_switch(struct user_context *from, struct user_context *to);

/*
 * Goes to the program with these registers, which are copied and made harmless
 * (user_frame_harmless). Called by a thread whose context is open, with interrupts on; nothing on
 * its stack is used again.
 */
_Noreturn void user_enter(const struct trap_frame *frame);

/*
 * Whoever changes more of a frame than rax says so: makes selectors, flags and rip something the
 * processor returns to. A rip outside of programs becomes one that faults at once.
 */
void user_frame_harmless(struct trap_frame *frame);

/* Whether the program made a call, the number of which is `error`. */
static inline bool user_frame_is_call(const struct trap_frame *frame) {
    return frame->vector == VECTOR_SYSTEM_CALL || frame->vector == VECTOR_CHANGED_CALL;
}

/* Whether the program is stopped by a debug trap after its next instruction. */
void user_frame_step(struct trap_frame *frame, bool stops);

/* What this processor enforces. */
enum user_protection {
    USER_HAS_NX,   /* what is not executable */
    USER_HAS_SMEP, /* that the kernel does not run programs' memory */
    USER_HAS_SMAP, /* that it does not touch it but by user_copy.h */
    USER_HAS_UMIP, /* that programs do not see where the kernel has its tables */
};
bool user_has(enum user_protection protection);

/* ---- what the program may set; all for the calling thread ---- */

uint64_t user_fs_base(void);
uint64_t user_gs_base(void);
/* False: not an address of programs. */
bool user_set_fs_base(uint64_t base);
bool user_set_gs_base(uint64_t base);

/*
 * FPU and vector registers in signal frames, in Linux's layout: the 512 bytes of FXSAVE, whose
 * last 48 say what follows, the rest of XSAVE's area, a closing mark. `at` is aligned to 64.
 * 0 or -EFAULT; of user_state_take also when the program's bytes make no state, and then the
 * registers are those of a new program. at == 0 takes those.
 */
/*
 * For debuggers: the calling thread's FPU and vector registers, in user_vectors_size() bytes
 * aligned to 64, as the processor saves them; what was changed there is loaded if it is accepted:
 * made such as the processor takes. `legacy`: of the first 512 bytes alone, which are in use then.
 * The note is what Linux has in the last 48 of these.
 */
size_t user_vectors_size(void);
void user_state_read(void *to);
void user_state_write(const void *from);
bool user_state_accept(void *state, bool legacy);
void user_state_note(uint64_t note[6]);

size_t user_state_frame_size(void);
int user_state_put(uintptr_t at);
int user_state_take(uintptr_t at);

#endif
