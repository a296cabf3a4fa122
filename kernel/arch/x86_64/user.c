/*
 * What of a program's thread lives in the processor: put there, taken back, exchanged when another
 * thread runs; and the first entry into a program.
 *
 * Owns: of each CPU's block `state_owner` and where its stack for entries is; of a context all but
 * `work`. A context's registers are in the CPU in whose block it is the owner and whose number it
 * has itself, both at once: the block forgets an owner whose memory is used anew, the context a CPU
 * that other registers were loaded into since it moved on. They stay there while kernel threads
 * run, so a thread that waits and comes back loads nothing. They are in memory as well whenever the
 * thread does not run.
 *
 * A new program's registers are all zero, selectors included: while the kernel runs selectors are
 * zero unless the owner's are not, so they are only looked at when a program is left.
 *
 * Locking: none; interrupts are off where a register and what is known of it must agree.
 */
#include "user.h"

#include "cpu.h"
#include "user_pages.h"

/* What a program may have in its flags: the arithmetic ones, TF, DF, RF, AC, ID. */
#define RFLAGS_FREE   0x250dd5ul
#define RFLAGS_STEP   0x100ul
#define RFLAGS_ALWAYS (RFLAGS_INTERRUPT | 2)
/* Cleared on entry by `syscall`: TF, IF, DF, IOPL, NT, RF, AC. */
#define RFLAGS_CLEARED 0x57700ul

_Static_assert(offsetof(struct trap_frame, r11) == TRAP_R11, "layout.h");
_Static_assert(offsetof(struct trap_frame, rax) == TRAP_RAX, "layout.h");
_Static_assert(offsetof(struct trap_frame, vector) == TRAP_VECTOR, "layout.h");
_Static_assert(offsetof(struct trap_frame, rsp) == TRAP_RSP, "layout.h");
_Static_assert(sizeof(struct trap_frame) == TRAP_BYTES, "layout.h");
_Static_assert(offsetof(struct user_context, work) == CONTEXT_WORK, "layout.h");
_Static_assert(offsetof(struct user_context, personality) == CONTEXT_PERSONALITY, "layout.h");
_Static_assert(offsetof(struct personality, system_call) == 0, "traps.S");
_Static_assert(sizeof(struct user_context) == 64, "threads have it at the end of their stacks");

void user_enable(void) {
    uint64_t selectors =
        (uint64_t)(SELECTOR_USER_CODE32 | FOR_PROGRAM) << 48 | (uint64_t)SELECTOR_KERNEL_CODE << 32;
    msr_write(MSR_STAR, selectors);
    msr_write(MSR_LSTAR, (uintptr_t)system_call_entry);
    msr_write(MSR_CSTAR, (uintptr_t)system_call_refused);
    msr_write(MSR_SYSCALL_MASK, RFLAGS_CLEARED);
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE);
}

/* ---- bases and selectors; interrupts are off ---- */

static uint64_t read_fs_base(void) {
    uint64_t base;
    if (!features.fsgsbase)
        return msr_read(MSR_FS_BASE);
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

static void write_fs_base(uint64_t base) {
    if (features.fsgsbase)
        __asm__ volatile("wrfsbase %0" ::"r"(base));
    else
        msr_write(MSR_FS_BASE, base);
}

/* A trap in between that may come with interrupts off looks after itself (traps.S). */
static uint64_t read_gs_base(void) {
    uint64_t base;
    if (!features.fsgsbase)
        return msr_read(MSR_OTHER_GS);
    __asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(base));
    return base;
}

static void write_gs_base(uint64_t base) {
    if (features.fsgsbase)
        __asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(base) : "memory");
    else
        msr_write(MSR_OTHER_GS, base);
}

static uint64_t save_selectors(struct user_context *context) {
    __asm__ volatile("movw %%ds, %0; movw %%es, %1; movw %%fs, %2; movw %%gs, %3"
                     : "=m"(context->ds), "=m"(context->es), "=m"(context->fs), "=m"(context->gs));
    uint64_t all;
    __builtin_memcpy(&all, &context->ds, sizeof all);
    return all;
}

static void load_selectors(uint16_t ds, uint16_t es, uint16_t fs, uint16_t gs) {
    __asm__ volatile("movw %0, %%ds; movw %1, %%es; movw %2, %%fs\n\t"
                     "swapgs; movw %3, %%gs; swapgs" ::"r"(ds),
                     "r"(es), "r"(fs), "r"(gs)
                     : "memory");
}

/* ---- all registers; interrupts are off ---- */

static bool are_loaded(const struct cpu *cpu, const struct user_context *context) {
    return cpu->state_owner == context && context->state_cpu == cpu->number + 1;
}

/* A selector brings its own base; the one that was there is loaded afterwards. */
static void save_odd_selectors(struct user_context *context) {
    load_selectors(0, 0, 0, 0);
    context->state_cpu = 0;
}

static void registers_save(struct cpu *cpu, struct user_context *context) {
    if (!are_loaded(cpu, context))
        return;
    context->fs_base = read_fs_base();
    context->gs_base = read_gs_base();
    user_state_save(context->state);
    if (save_selectors(context))
        save_odd_selectors(context);
}

#define CR4_TSD (1ul << 2) /* programs may not read the time stamp counter */

static void seldom_load(struct cpu *cpu, const struct user_seldom *seldom) {
    uint64_t either = seldom->uses | cpu->seldom;
    if (either & SELDOM_DEBUG)
        write_debug_registers(seldom->debug.address, seldom->debug.control);
    if (either & SELDOM_PORTS)
        user_ports_load(cpu, seldom->ports);
    if ((seldom->uses ^ cpu->seldom) & SELDOM_NO_CLOCK)
        write_cr4(read_cr4() ^ CR4_TSD);
    cpu->seldom = seldom->uses;
}

static void registers_load(struct cpu *cpu, struct user_context *context) {
    if (are_loaded(cpu, context))
        return;
    const struct user_seldom *seldom = user_state_seldom(context->state);
    if (__builtin_expect(seldom->uses | cpu->seldom, 0))
        seldom_load(cpu, seldom);
    if (context->ds | context->es | context->fs | context->gs)
        load_selectors(user_segments_usable(context->ds), user_segments_usable(context->es),
                       user_segments_usable(context->fs), user_segments_usable(context->gs));
    write_fs_base(context->fs_base);
    write_gs_base(context->gs_base);
    user_state_load(context->state);
    context->state_cpu = cpu->number + 1;
    cpu->state_owner = context;
}

/* What waits in a call was not in the middle of anything; but its CPU may be another one now. */
static bool minds_switch(const struct cpu *cpu, struct user_context *to) {
    return to->personality->minds_switches &&
           (to->state_cpu != cpu->number + 1 || user_frame_of(to)->vector != VECTOR_SYSTEM_CALL);
}

void user_switch(struct user_context *from, struct user_context *to) {
    struct cpu *cpu = cpu_self();
    cpu->task.privileged_stack[0] = (uintptr_t)to;
    if (from->personality)
        registers_save(cpu, from);
    if (to->personality) {
        if (minds_switch(cpu, to))
            __atomic_fetch_or(&to->work, USER_SWITCHED, __ATOMIC_RELAXED);
        user_table_use(cpu, to->table); /* first: selectors may be of its segments */
        registers_load(cpu, to);
    } else {
        /* Its own fence is not needed: who flushes too much does no harm. */
        __atomic_store_n(&cpu->lazy, 1, __ATOMIC_RELEASE);
    }
}

/* ---- debug registers ---- */

#define DEBUG_SLOTS    4
#define DEBUG_ENABLED  0xfful
#define DEBUG_USED     0xffff03fful /* and nothing that is the processor's or a monitor's */
#define DEBUG_EXECUTES 0u
#define DEBUG_PORTS    2u

/* What it watches is a program's, of 1, 2, 4 or 8 bytes, and lies where such a size does. */
static bool is_acceptable(uint64_t address, unsigned kind) {
    static const uint8_t sizes[4] = {1, 2, 8, 4};
    unsigned size = sizes[kind >> 2], type = kind & 3;
    return type != DEBUG_PORTS && (type != DEBUG_EXECUTES || size == 1) && address < USER_END &&
           !(address & (size - 1));
}

bool user_debug_accept(const struct user_debug *debug) {
    bool all = !(debug->control & ~DEBUG_USED);
    for (unsigned i = 0; i < DEBUG_SLOTS; i++)
        if (debug->control >> (2 * i) & 3)
            all &= is_acceptable(debug->address[i], debug->control >> (16 + 4 * i) & 15);
    return all;
}

void user_debug_set(const struct user_debug *debug) {
    uintptr_t saved = interrupts_save();
    struct cpu *cpu = cpu_self();
    struct user_seldom *own = user_state_seldom(user_current()->state);
    own->debug = *debug;
    own->debug.control = debug->control & DEBUG_ENABLED ? debug->control : 0;
    own->uses = (own->uses & ~(uint64_t)SELDOM_DEBUG) | (own->debug.control ? SELDOM_DEBUG : 0);
    write_debug_registers(own->debug.address, own->debug.control);
    cpu->seldom = own->uses;
    interrupts_restore(saved);
}

/* ---- the time stamp counter ---- */

void user_forbid_clock(bool forbid) {
    uintptr_t saved = interrupts_save();
    struct user_seldom *own = user_state_seldom(user_current()->state);
    own->uses = (own->uses & ~(uint64_t)SELDOM_NO_CLOCK) | (forbid ? SELDOM_NO_CLOCK : 0);
    seldom_load(cpu_self(), own);
    interrupts_restore(saved);
}

bool user_clock_is_forbidden(void) {
    return user_state_seldom(user_current()->state)->uses & SELDOM_NO_CLOCK;
}

/* ---- contexts ---- */

static void load_now(struct user_context *context) {
    if (context != user_current())
        return;
    uintptr_t saved = interrupts_save();
    struct cpu *cpu = cpu_self();
    user_table_use(cpu, context->table);
    registers_load(cpu, context);
    interrupts_restore(saved);
}

void user_context_open(struct user_context *context, void *state, struct user_table *table,
                       const struct personality *personality) {
    user_state_init(state);
    context->state_cpu = 0;
    context->table = table;
    context->state = state;
    context->fs_base = context->gs_base = 0;
    context->ds = context->es = context->fs = context->gs = 0;
    context->personality = personality;
    load_now(context);
}

void user_context_copy(struct user_context *context, void *state, struct user_table *table) {
    struct user_context *self = user_current();
    user_state_init(state);
    /* A child is forbidden what its parent is; ports it is given by who knows whose memory they
     * are. */
    user_state_seldom(state)->uses = user_state_seldom(self->state)->uses & SELDOM_NO_CLOCK;
    *context =
        (struct user_context){.table = table, .state = state, .personality = self->personality};
    uintptr_t saved = interrupts_save();
    context->fs_base = read_fs_base();
    context->gs_base = read_gs_base();
    save_selectors(context);
    user_state_save(state);
    interrupts_restore(saved);
}

void user_context_reset(struct user_table *table) {
    struct user_context *self = user_current();
    uintptr_t saved = interrupts_save();
    struct user_seldom *seldom = user_state_seldom(self->state);
    const struct user_ports *ports = seldom->ports;
    uint64_t clock = seldom->uses & SELDOM_NO_CLOCK;
    user_state_init(self->state);
    seldom->ports = ports;
    seldom->uses = (ports ? SELDOM_PORTS : 0) | clock;
    load_selectors(0, 0, 0, 0);
    self->ds = self->es = self->fs = self->gs = 0;
    self->fs_base = self->gs_base = 0;
    self->state_cpu = 0;
    self->table = table;
    registers_load(cpu_self(), self);
    user_table_load(table);
    interrupts_restore(saved);
}

void user_context_close(void) {
    struct user_context *self = user_current();
    uintptr_t saved = interrupts_save();
    load_selectors(0, 0, 0, 0);
    self->personality = NULL;
    self->state = NULL;
    self->table = NULL;
    self->state_cpu = 0;
    /* The table stays loaded, as with a kernel thread's turn: others of the process may be next,
     * and loading it again costs more than leaving it when it is closed. */
    __atomic_store_n(&cpu_self()->lazy, 1, __ATOMIC_RELEASE);
    interrupts_restore(saved);
}

/* ---- entering ---- */

/* Whether those of its own are good is looked at when they are returned to (user_frame_check). */
static uint64_t harmless_code(uint64_t selector) {
    if (selector & SELECTOR_IS_OWN)
        return (uint16_t)selector | FOR_PROGRAM;
    bool is_short = selector == (SELECTOR_USER_CODE32 | FOR_PROGRAM);
    return (is_short ? SELECTOR_USER_CODE32 : SELECTOR_USER_CODE) | FOR_PROGRAM;
}

void user_frame_harmless(struct trap_frame *frame) {
    frame->cs = harmless_code(frame->cs);
    frame->ss = frame->ss & SELECTOR_IS_OWN ? (uint16_t)frame->ss | FOR_PROGRAM
                                            : SELECTOR_USER_DATA | FOR_PROGRAM;
    frame->rflags = (frame->rflags & RFLAGS_FREE) | RFLAGS_ALWAYS;
    if (frame->rip >= USER_END)
        frame->rip = USER_END;
    frame->vector = VECTOR_CHANGED;
}

/* A frame of a call is to be loaded in full then, or the trap would come one instruction early. */
void user_frame_step(struct trap_frame *frame, bool stops) {
    frame->rflags = stops ? frame->rflags | RFLAGS_STEP : frame->rflags & ~RFLAGS_STEP;
    if (stops && frame->vector == VECTOR_SYSTEM_CALL) {
        user_frame_harmless(frame);
        frame->vector = VECTOR_CHANGED_CALL;
    }
}

void user_enter(const struct trap_frame *frame) {
    struct trap_frame harmless = *frame;
    user_frame_harmless(&harmless);
    load_now(user_current());
    user_enter_frame(&harmless, user_current());
    __builtin_unreachable();
}

/* ---- what a program may set ---- */

uint64_t user_fs_base(void) {
    uintptr_t saved = interrupts_save();
    uint64_t base = read_fs_base();
    interrupts_restore(saved);
    return base;
}

uint64_t user_gs_base(void) {
    uintptr_t saved = interrupts_save();
    uint64_t base = read_gs_base();
    interrupts_restore(saved);
    return base;
}

bool user_set_fs_base(uint64_t base) {
    if (base >= USER_END)
        return false;
    uintptr_t saved = interrupts_save();
    write_fs_base(base);
    interrupts_restore(saved);
    return true;
}

bool user_set_gs_base(uint64_t base) {
    if (base >= USER_END)
        return false;
    uintptr_t saved = interrupts_save();
    write_gs_base(base);
    interrupts_restore(saved);
    return true;
}
