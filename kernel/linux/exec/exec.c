/*
 * execve(): see image.h for how a program gets into memory.
 *
 * The other threads of the process are ended when all else has succeeded; from there on nothing can
 * fail but by the caller's own end. What the process loses then: handlers, the signal stack, what
 * is to be done at a thread's end; if it has borrowed its parent's memory, that goes on.
 */
#include "exec.h"

#include "vdso.h"

#include "../../arch/x86_64/user.h"
#include "../../fs/random.h"
#include "../../mem/heap/heap.h"
#include "../../mem/pm/pm.h"
#include "../../sched/wait.h"
#include "../../trace/events.h"
#include "../abi.h"
#include "../call.h"
#include "../keys/keys.h"
#include "../process/charge.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../program.h"
#include "../ptrace/tracee.h"
#include "../restartable.h"
#include "../uring/staff.h"
#include "runtime.h"

#include <k42/k42.h>
#include <linux/securebits.h>

#define SCRIPTS_MOST    5
#define MAPPINGS_TOP    0x7fe000000000ul /* the vDSO and stacks lie above */
#define MAPPINGS_SPREAD 0xffffffful      /* pages: 1 TiB */
#define MODE_SETUID     04000u
#define MODE_SETGID     02000u
#define MODE_GROUP_X    00010u

static void ignore(k42_result result) {
    (void)result;
}

uint64_t image_random(struct image *image) {
    if (image->exact)
        return 0;
    if (!image->random_left) {
        random_bytes(image->random, sizeof image->random);
        image->random_left = sizeof image->random / sizeof *image->random;
    }
    uint64_t word = image->random[--image->random_left];
    image->random[image->random_left] = 0;
    return word;
}

/* ---- which file ---- */

/* The interpreter gets: its own name, its argument if there is one, the script's name. */
static k42_result take_script(struct image *image) {
    const struct script *script = &image->script;
    const char *texts[3];
    unsigned count = 0;
    texts[count++] = script->interpreter;
    if (script->argument[0])
        texts[count++] = script->argument;
    texts[count++] = image->path;
    if (image->scripts++ == SCRIPTS_MOST)
        return -ELOOP;
    if (image->scripts > 1) /* what a script is read by may be one itself */
        texts[count - 1] = image->before;
    k42_result result = texts_replace_first(&image->arguments, texts, count);
    k42_copy_text(image->before, sizeof image->before, script->interpreter);
    image_close(&image->program);
    return result < 0 ? result : image_open(&image->program, AT_FDCWD, image->before, PATH_FOLLOW);
}

static k42_result open_program(struct image *image, int directory, unsigned flags) {
    k42_result result = image_open(&image->program, directory, image->path, flags);
    if (!image->path[0]) /* a descriptor alone, by whose name a script is found again */
        k42_format_text(image->path, sizeof image->path, "/dev/fd/%d", directory);
    while (result >= 0 && script_read(&image->script, (const char *)image->program.head,
                                      image->program.head_size) >= 0)
        result = take_script(image);
    return result < 0 ? result : image_read_program(image);
}

/* ---- as whom ---- */

static bool gains(const struct task *task, const struct credentials *now) {
    return now->euid != task->credentials->uid || now->egid != task->credentials->gid;
}

/* As root has them by its id, unless that counts for nothing; and those that were to be kept. */
static void work_out_capabilities(struct credentials *now, bool gains) {
    bool by_id = !(now->secure & SECBIT_NOROOT);
    bool all = by_id && now->euid == 0;
    if (gains)
        now->ambient = 0;
    now->permitted = all || (by_id && now->uid == 0) ? now->inheritable | now->bounding : 0;
    now->permitted |= now->ambient;
    now->effective = all ? now->permitted : now->ambient;
    now->secure &= ~(uint32_t)SECBIT_KEEP_CAPS;
}

/* Rights come from the file's owner, unless it or the caller says no. */
static k42_result work_out_rights(struct image *image) {
    struct task *task = task_self();
    const struct node_attributes *file = &image->program.attributes;
    struct credentials *now = credentials_copy(task->credentials);
    if (!now)
        return -ENOMEM;
    bool may = !(file->mount_flags & NODE_NO_SETUID) && !task->no_new_privileges;
    if (may && (file->mode & MODE_SETUID))
        now->euid = file->uid;
    if (may && (file->mode & (MODE_SETGID | MODE_GROUP_X)) == (MODE_SETGID | MODE_GROUP_X))
        now->egid = file->gid;
    now->suid = now->fsuid = now->euid;
    now->sgid = now->fsgid = now->egid;
    image->credentials = now;
    image->secure = gains(task, now);
    work_out_capabilities(now, image->secure);
    return 0;
}

/* ---- the new memory ---- */

static k42_result build(struct image *image) {
    k42_result result;
    struct task_memory *before = task_self()->memory;
    image->charge = before ? charge_hold(&before->next_charge) : NULL;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
              space_create((k42_ref)charge_pm(image->charge), &image->space));
    if (result < 0) {
        image->space = (space_ref)K42_NULL_REF;
        return result;
    }
    image->top = MAPPINGS_TOP - (image_random(image) & MAPPINGS_SPREAD) * FRAME_SIZE;
    memory_limit(image->space, image->top, task_self()->process);
    image_place_stack(image);
    result = image_map(image);
    if (result >= 0)
        result = image_map_vdso(image);
    if (result >= 0)
        result = image_make_stack(image, task_limit(task_self(), RLIMIT_STACK));
    if (result >= 0)
        result = k42_call(image->space, mark, &image->marks);
    return result;
}

/* ---- the change ---- */

/* The thread that stays has the process's number, whichever it had. */
static k42_result become_alone(struct task *task) {
    int32_t tid = task->tid;
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(task->process, alone, task));
    if (result >= 0 && tid != task->pid)
        ids_give(tid);
    return result;
}

static void leave_old_memory(struct task *task) {
    if (task_futexes_end && task->memory)
        task_futexes_end(task);
    if (process_alarms_end)
        process_alarms_end(task->pid, true);
    task->clear_tid = task->robust_list = 0;
    task->dispatch = (struct call_dispatch){0};
    keys_leave_program(task);
    restartable_end(task);
    task->signal_stack = (struct signal_stack){0};
    task->restart = NULL;
}

static void enter_new_memory(struct task *task, struct task_memory *memory) {
    struct task_memory *before = task->memory;
    user_context_reset(memory->table);
    task->memory = memory;
    __atomic_store_n(&task->space, memory->space, __ATOMIC_RELEASE);
    space_set_current(memory->space);
    memory_release(before);
}

static void set_executable(struct task *task, struct file_held *held) {
    struct file_held *before = task->executable;
    __atomic_store_n(&task->executable, held, __ATOMIC_RELEASE);
    file_held_release(before);
}

static void set_name(struct task *task, const char *path) {
    const char *name = path;
    for (const char *at = path; *at; at++)
        if (*at == '/')
            name = at + 1;
    k42_copy_text(task->name, sizeof task->name, name);
    thread_set_name(task->thread, task->name);
    K42_TRACE(event_exec, (uint32_t)task->tid, task->name);
}

/* A table of files that others use, too, stays theirs; its copy is made while that may fail. What
 * threads that are about to end do to theirs after that is lost, as on Linux. */
static k42_result copy_descriptors(const struct task *task, descriptors_ref *own) {
    *own = (descriptors_ref)K42_NULL_REF;
    if (k42_call(task->descriptors, holders) == 1)
        return 0;
    struct k42_pair copy = k42_call(task->descriptors, copy);
    if (copy.result >= 0)
        *own = (descriptors_ref)copy.word;
    return copy.result;
}

static void set_descriptors(struct task *task, descriptors_ref own) {
    descriptors_ref before = task->descriptors;
    if (!k42_id_of(own))
        return;
    task->descriptors = own;
    ignore(k42_call(before, release));
}

static void change(struct image *image, struct task_memory *memory, struct file_held *held,
                   struct trap_frame *frame) {
    struct task *task = task_self();
    staff_end(task);
    leave_old_memory(task);
    enter_new_memory(task, memory);
    set_executable(task, held);
    credentials_set(image->credentials);
    /* Who finds the new name finds what else is new, as on Linux. */
    ignore(k42_call(task->process, executed));
    set_name(task, image->path);
    set_descriptors(task, image->descriptors);
    ignore(k42_call(task->descriptors, executed));
    *frame = (struct trap_frame){
        .rip = image->entry, .rsp = image->stack, .rflags = 0x202, .error = ~0ul};
    user_frame_harmless(frame);
}

/* Everything that may fail, then the point of no return. */
static k42_result prepare(struct image *image, struct trap_frame *frame) {
    struct task *task = task_self();
    k42_result result = build(image);
    if (result < 0)
        return result;
    struct task_memory *memory = memory_make(image->space, image->top, image->charge);
    if (memory && task->memory)
        memory_inherit(memory, task->memory);
    struct file_held *held = memory ? file_held_make((k42_ref)image->program.file) : NULL;
    if (!held) {
        memory_unmake(memory);
        return -ENOMEM;
    }
    result = copy_descriptors(task, &image->descriptors);
    if (result >= 0)
        result = become_alone(task);
    if (result < 0) {
        if (k42_id_of(image->descriptors))
            ignore(k42_call(image->descriptors, release));
        heap_free(held);
        memory_unmake(memory);
        return result;
    }
    image->space = (space_ref)K42_NULL_REF; /* the memory's */
    image->charge = NULL;
    image->program.file = (file_ref)K42_NULL_REF;
    change(image, memory, held, frame);
    image->credentials = NULL;
    return 0;
}

k42_result exec_image(struct image *image, int directory, unsigned flags,
                      struct trap_frame *frame) {
    image->exact = task_self()->persona & 0x0040000; /* ADDR_NO_RANDOMIZE */
    k42_result result = open_program(image, directory, flags);
    if (result >= 0)
        result = work_out_rights(image);
    if (result >= 0)
        result = prepare(image, frame);
    if (k42_id_of(image->space))
        ignore(k42_destroy((k42_ref)image->space));
    charge_release(image->charge);
    credentials_release(image->credentials);
    image_close(&image->program);
    image_close(&image->interpreter);
    return result;
}

/* ---- calls ---- */

#define ARGUMENTS_MOST (6ul << 20)

static uint64_t argument_limit(void) {
    uint64_t limit = task_limit(task_self(), RLIMIT_STACK) / 4;
    if (limit > ARGUMENTS_MOST)
        limit = ARGUMENTS_MOST;
    return limit < ARGUMENT_MAX ? ARGUMENT_MAX : limit;
}

/* Until the other threads have been ended nothing has changed, and then there is memory. */
static k42_result exec_once(int directory, uintptr_t path, uintptr_t values, uintptr_t environment,
                            unsigned flags) {
    struct image *image = heap_allocate_zeroed(sizeof *image);
    if (!image)
        return -ENOMEM;
    image->arguments.limit = argument_limit();
    k42_result result = program_read_text(image->path, path, sizeof image->path);
    if (result == 0 && !(flags & PATH_EMPTY))
        result = -ENOENT;
    if (result >= 0)
        result = arguments_read(&image->arguments, values, environment);
    if (result >= 0)
        result = exec_image(image, directory, flags, task_self()->frame);
    arguments_free(&image->arguments);
    heap_free(image);
    return result;
}

static k42_result exec_call(int directory, uintptr_t path, uintptr_t values, uintptr_t environment,
                            unsigned flags) {
    struct task *task = task_self();
    int before = task->tid;
    k42_result result;
    MEMORY_CALL(result, result = exec_once(directory, path, values, environment, flags));
    if (result >= 0)
        tracing_executed(task, before);
    return result == -EINTR ? -LINUX_RESTART_ALWAYS : result;
}

LINUX_CALL(59, execve, uintptr_t path, uintptr_t values, uintptr_t environment) {
    return exec_call(AT_FDCWD, path, values, environment, PATH_FOLLOW);
}

LINUX_CALL(322, execveat, int directory, uintptr_t path, uintptr_t values, uintptr_t environment,
           int flags) {
    if (flags & ~(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
        return -EINVAL;
    unsigned how = flags & AT_SYMLINK_NOFOLLOW ? 0 : PATH_FOLLOW;
    return exec_call(directory, path, values, environment,
                     how | (flags & AT_EMPTY_PATH ? PATH_EMPTY : 0));
}
