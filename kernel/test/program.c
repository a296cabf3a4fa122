/*
 * Programs for checks: made, run by a thread, ended. See program.h.
 *
 * Owns: the pool of frames, with a spin lock of its own. A program's record is at the end of the
 * frame in which its thread's vector registers are kept.
 */
#include "program.h"

#include "print.h"
#include "runtime.h"

#include <errno.h>

#define POOL_FRAMES_LEAST 256u
#define POOL_FRAMES_A_CPU 32u

static struct {
    struct spin_lock lock;
    char *memory;
    uint64_t spare; /* linked by their first words */
    unsigned size, made, out;
} pool;

static void pool_fill(void) {
    pool.size = POOL_FRAMES_LEAST + POOL_FRAMES_A_CPU * cpu_count();
    pool.memory = k42_platform_alloc((pool.size + 1) * FRAME_SIZE);
}

uint64_t program_frame(void) {
    uintptr_t saved = interrupts_save();
    spin_take(&pool.lock);
    if (!pool.memory)
        pool_fill();
    uint64_t frame = pool.spare;
    if (frame)
        pool.spare = *(uint64_t *)phys_to_virt(frame);
    else if (pool.memory && pool.made < pool.size)
        frame = (virt_to_phys(pool.memory) | (FRAME_SIZE - 1)) + 1 + pool.made++ * FRAME_SIZE;
    pool.out += frame != 0;
    spin_release(&pool.lock);
    interrupts_restore(saved);
    return frame;
}

void program_frame_give(uint64_t frame) {
    uintptr_t saved = interrupts_save();
    spin_take(&pool.lock);
    /* Whoever still uses it finds nothing good. */
    __builtin_memset(phys_to_virt(frame), 0xee, FRAME_SIZE);
    *(uint64_t *)phys_to_virt(frame) = pool.spare;
    pool.spare = frame;
    pool.out--;
    spin_release(&pool.lock);
    interrupts_restore(saved);
}

unsigned program_frames(void) {
    return pool.out;
}

static uint64_t take_frame(void *context) {
    uint64_t frame = program_frame();
    (void)context;
    if (frame)
        __builtin_memset(phys_to_virt(frame), 0, FRAME_SIZE);
    return frame;
}

static void give_frame(void *context, uint64_t frame) {
    (void)context;
    program_frame_give(frame);
}

/* ---- the system that they are written for ---- */

static struct program **record_at(void *state) {
    return (struct program **)((char *)state + FRAME_SIZE) - 1;
}

/* The program that the calling thread runs. */
static struct program *program_self(void) {
    return *record_at(user_current()->state);
}

static _Noreturn void end(struct program *program, long status) {
    program->status = status;
    user_context_close();
    /* The record may be gone from the store on; waking uses its address only as a name. */
    uint32_t *ended = &program->ended;
    __atomic_store_n(ended, 1, __ATOMIC_RELEASE);
    thread_wake_parked(ended, 1);
    thread_exit();
}

static void sleep_once(struct program *program) {
    __atomic_fetch_add(&program->asleep, 1, __ATOMIC_RELEASE);
    while (!__atomic_load_n(program->word, __ATOMIC_ACQUIRE))
        thread_park(program->word, 0, 0);
    __atomic_store_n(program->word, 0, __ATOMIC_RELEASE);
}

/* All that C may change, so that nobody finds his own there by luck. */
static void scribble(void) {
    __asm__ volatile("movq $-1, %%rcx; movq %%rcx, %%rdx; movq %%rcx, %%rsi; movq %%rcx, %%rdi\n\t"
                     "movq %%rcx, %%r8; movq %%rcx, %%r9; movq %%rcx, %%r10; movq %%rcx, %%r11" ::
                         : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
}

static void system_call(struct trap_frame *frame) {
    struct program *program = program_self();
    scribble();
    switch (frame->error) {
    case 0:
        frame->rax = frame->rdi + 1;
        break;
    case 1:
        end(program, (long)frame->rdi);
    case 2:
        frame->rax = (uint64_t)program->check(program, frame);
        break;
    case 3:
        sleep_once(program);
        frame->rax = 0;
        break;
    case 4:
        frame->rax = !user_set_fs_base(frame->rdi) || !user_set_gs_base(frame->rsi);
        break;
    }
}

static int fault(struct trap_frame *frame, uintptr_t address) {
    struct program *program = program_self();
    (void)frame;
    program->faults++;
    return program->fault ? program->fault(program, address) : -EFAULT;
}

static void trap_came(struct trap_frame *frame, uintptr_t address, int reason) {
    struct program *program = program_self();
    if (program->trap_count == PROGRAM_TRAPS || !interrupts_on())
        end(program, -1);
    unsigned i = program->trap_count++;
    program->traps[i].vector = frame->vector;
    program->traps[i].error = frame->error;
    program->traps[i].rip = frame->rip;
    program->traps[i].address = reason ? address : 0;
    if (frame->vector == VECTOR_DEBUG)
        return;
    frame->rip = frame->r15;
    user_frame_harmless(frame);
}

static void work(struct trap_frame *frame) {
    thread_take_interrupts(THREAD_INTERRUPTED);
    end(program_self(), (long)frame->rbx);
}

static const struct personality personality = {
    .system_call = system_call, .fault = fault, .trap = trap_came, .work = work};

/* ---- a program's life ---- */

bool program_map(struct program *program, uintptr_t address, uint64_t frame, unsigned flags) {
    uint64_t *entry = user_entry_make(program->table, address, 1);
    if (!entry)
        return false;
    user_entry_write(entry, user_entry_page(frame, 1, flags));
    return true;
}

static struct user_table *make_table(void) {
    struct user_frames frames = {take_frame, give_frame, NULL};
    struct user_table *table = k42_platform_alloc(user_table_size());
    uint64_t root = table ? take_frame(NULL) : 0;
    if (!root) {
        k42_platform_free(table);
        return NULL;
    }
    user_table_open(table, &frames, root);
    return table;
}

static bool map_all(struct program *program, const char *text, const char *text_end) {
    for (unsigned i = 0; i < 3; i++) {
        program->frames[i] = program_frame();
        if (!program->frames[i])
            return false;
        __builtin_memset(phys_to_virt(program->frames[i]), 0, FRAME_SIZE);
    }
    __builtin_memcpy(phys_to_virt(program->frames[0]), text, (size_t)(text_end - text));
    return program_map(program, PROGRAM_TEXT, program->frames[0], USER_PAGE_EXECUTE) &&
           program_map(program, PROGRAM_DATA, program->frames[1], USER_PAGE_WRITE) &&
           program_map(program, PROGRAM_DATA + FRAME_SIZE, program->frames[2], USER_PAGE_WRITE);
}

static bool make_state(struct program *program) {
    uint64_t frame = program_frame();
    if (!frame)
        return false;
    program->state = phys_to_virt(frame);
    *record_at(program->state) = program;
    return true;
}

bool program_make(struct program *program, const char *text, const char *text_end,
                  struct program *like) {
    *program = (struct program){.borrowed = like != NULL};
    program->table = like ? like->table : make_table();
    return program->table && make_state(program) && (like || map_all(program, text, text_end));
}

static void run(void *argument) {
    struct program *program = argument;
    struct trap_frame frame = {.rip = PROGRAM_TEXT, .rsp = PROGRAM_STACK, .rdi = program->argument};
    user_context_open(user_current(), program->state, program->table, &personality);
    user_enter(&frame);
}

bool program_start(struct program *program, uint32_t cpu, uint64_t argument) {
    program->argument = argument;
    program->thread = cpu == ~0u ? thread_start("program", run, program)
                                 : thread_start_on(cpu, "program", run, program);
    return program->thread != NULL;
}

void program_stop(struct program *program) {
    thread_interrupt(program->thread, THREAD_INTERRUPTED);
}

/* What is below a table. */
static void give_below(uint64_t table, unsigned level) {
    uint64_t *entries = phys_to_virt(table);
    for (unsigned i = 0; level > 1 && i < (level == USER_LEVELS ? 256 : 512); i++) {
        if (!user_entry_present(entries[i]))
            continue;
        give_below(user_entry_frame(entries[i]), level - 1);
        program_frame_give(user_entry_frame(entries[i]));
    }
}

long program_end(struct program *program) {
    while (!__atomic_load_n(&program->ended, __ATOMIC_ACQUIRE))
        thread_park(&program->ended, 0, 0);
    if (program->thread)
        thread_join(program->thread);
    program_frame_give(virt_to_phys(program->state));
    if (!program->borrowed) {
        give_below(program->table->root, USER_LEVELS);
        user_table_close(program->table);
        k42_platform_free(program->table);
        for (unsigned i = 0; i < 3; i++)
            program_frame_give(program->frames[i]);
    }
    return program->status;
}

long program_run(const char *text, const char *text_end, uint32_t cpu, uint64_t argument) {
    struct program program;
    if (!program_make(&program, text, text_end, NULL) || !program_start(&program, cpu, argument))
        return -1;
    return program_end(&program);
}

/* ---- forking ---- */

static void run_child(void *argument) {
    const struct program *child = argument;
    user_enter(&child->forked_frame);
}

bool program_fork(struct program *child, struct program *parent, const struct trap_frame *frame) {
    *child = (struct program){.borrowed = true, .table = parent->table, .forked_frame = *frame};
    if (!make_state(child))
        return false;
    struct thread *thread = thread_create("forked", run_child, child);
    if (!thread)
        return false;
    user_context_copy(thread_user(thread), child->state, child->table);
    thread_launch(thread);
    return true;
}
