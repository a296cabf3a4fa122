/*
 * The notes of a core: threads and their registers, the process, its signal, its vector, its files.
 * See core.h.
 *
 * Without memory the rest is left out, and says so by its end: a debugger takes what is there.
 */
#include "../../copy.h"
#include "../../fs/file.h"
#include "../../fs/path.h"
#include "../../fs/procfs/procfs.h"
#include "../abi.h"
#include "../files/files.h"
#include "../proc/subject.h"
#include "core.h"
#include "runtime.h"

#include <linux/elf.h>

/* struct elf_prstatus and elf_prpsinfo of Linux. */
struct thread_note {
    int32_t signal, code, error;
    int16_t current_signal;
    uint64_t pending, blocked;
    int32_t tid, parent, group, session;
    struct {
        uint64_t seconds, microseconds;
    } times[4];
    struct tracee_registers registers;
    int32_t has_vectors;
};
_Static_assert(sizeof(struct thread_note) == 336, "Linux's layout");

struct process_note {
    char state, letter, zombie, nice;
    uint64_t flags;
    uint32_t uid, gid;
    int32_t pid, parent, group, session;
    char name[16], arguments[80];
};
_Static_assert(sizeof(struct process_note) == 136, "Linux's layout");

static void put_note(struct proc_text *text, const char *owner, uint32_t type, const void *bytes,
                     size_t size) {
    const char zeros[4] = {0};
    uint32_t head[3] = {(uint32_t)k42_text_length(owner) + 1, (uint32_t)size, type};
    proc_put(text, (const char *)head, sizeof head);
    proc_put(text, owner, head[0]);
    proc_put(text, zeros, -head[0] & 3u);
    proc_put(text, bytes, size);
    proc_put(text, zeros, -size & 3u);
}

static void put_status(struct proc_text *text, const struct core *core,
                       const struct core_thread *thread, const struct process_info *info) {
    struct thread_note note = {
        .signal = core->info.signal,
        .code = core->info.code,
        .error = core->info.error,
        .current_signal = (int16_t)core->info.signal,
        .pending = thread->pending,
        .blocked = thread->blocked,
        .tid = thread->tid,
        .parent = info->parent,
        .group = info->group,
        .session = info->session,
        .registers = thread->registers,
        .has_vectors = 1,
    };
    put_note(text, "CORE", NT_PRSTATUS, &note, sizeof note);
}

enum { FXSAVE_BYTES = 512, NOTE_AT = 464 };

static void put_vectors(struct proc_text *text, const struct core_thread *thread) {
    put_note(text, "CORE", NT_PRFPREG, thread->vectors, FXSAVE_BYTES);
    uint64_t note[6];
    user_state_note(note);
    __builtin_memcpy((char *)thread->vectors + NOTE_AT, note, sizeof note);
    put_note(text, "LINUX", NT_X86_XSTATE, thread->vectors, user_vectors_size());
}

static void put_process(struct proc_text *text, const struct task *task,
                        const struct process_info *info) {
    struct process_note note = {.letter = 'R',
                                .uid = task->credentials->uid,
                                .gid = task->credentials->gid,
                                .pid = task->pid,
                                .parent = info->parent,
                                .group = info->group,
                                .session = info->session};
    __builtin_memcpy(note.name, task->name, sizeof note.name);
    k42_format_text(note.arguments, sizeof note.arguments, "%s", task->name);
    put_note(text, "CORE", NT_PRPSINFO, &note, sizeof note);
}

static void put_signal(struct proc_text *text, const struct core *core) {
    uint8_t whole[128] = {0};
    __builtin_memcpy(whole, &core->info, sizeof core->info);
    put_note(text, "CORE", NT_SIGINFO, whole, sizeof whole);
}

static void put_vector(struct proc_text *text, const struct task *task) {
    const struct proc_key key = {{(uint64_t)task->pid}};
    struct proc_text vector = {0};
    if (subject_print_auxv(&key, &vector) >= 0 && !vector.failed)
        put_note(text, "CORE", NT_AUXV, vector.bytes, vector.used);
    k42_platform_free(vector.bytes);
}

/* Counts, then where each file is mapped, then all names. */
static void put_files(struct proc_text *text, const struct task *task) {
    struct proc_text ranges = {0}, names = {0};
    struct place root = path_root(task->paths);
    struct space_mapping mapping;
    uint64_t head[2] = {0, FRAME_SIZE};
    char name[256];
    for (uintptr_t at = 0; k42_call(task->space, find, at, 0, &mapping) >= 0; at = mapping.end) {
        k42_result length = k42_id_of(mapping.file)
                                ? files_name((file_ref)mapping.file, &root, name, sizeof name - 1)
                                : 0;
        if (length <= 0)
            continue;
        uint64_t range[3] = {mapping.start, mapping.end, mapping.first};
        name[length] = 0;
        proc_put(&ranges, (const char *)range, sizeof range);
        proc_put(&names, name, (size_t)length + 1);
        head[0]++;
    }
    struct proc_text whole = {0};
    proc_put(&whole, (const char *)head, sizeof head);
    if (head[0]) {
        proc_put(&whole, ranges.bytes, ranges.used);
        proc_put(&whole, names.bytes, names.used);
    }
    if (!whole.failed && !ranges.failed && !names.failed)
        put_note(text, "CORE", NT_FILE, whole.bytes, whole.used);
    k42_platform_free(whole.bytes);
    k42_platform_free(ranges.bytes);
    k42_platform_free(names.bytes);
}

void core_notes(const struct core *core, const struct task *task, struct proc_text *text) {
    struct process_info info = {0};
    k42_result result = k42_call(task->process, info, &info);
    (void)result;
    for (const struct core_thread *thread = core->threads; thread; thread = thread->next) {
        put_status(text, core, thread, &info);
        if (thread == core->threads) {
            put_process(text, task, &info);
            put_signal(text, core);
            put_vector(text, task);
            put_files(text, task);
        }
        put_vectors(text, thread);
    }
}
