/*
 * Dumping: when it is done, who is part of it, and writing the file. See core.h.
 *
 * What was mapped is read from the program's own space, a page at a time. Files that it cannot have
 * changed are left out but for the first, which tells which file it was; so are pages of
 * zeros, as holes. A file that would get longer than RLIMIT_CORE ends there.
 */
#include "core.h"

#include "../../copy.h"
#include "../../fs/procfs/procfs.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../files/files.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../task.h"
#include "runtime.h"

#include <linux/elf.h>

/* ---- threads ---- */

static struct core_thread *thread_now(struct task *task) {
    struct core_thread *thread = heap_allocate_zeroed(sizeof *thread);
    void *vectors = heap_allocate_zeroed((user_vectors_size() + 63) & ~63ul);
    if (!thread || !vectors) {
        heap_free(thread);
        heap_free(vectors);
        return NULL;
    }
    *thread = (struct core_thread){.tid = task->tid,
                                   .pending = task->pending.set,
                                   .blocked = task->blocked,
                                   .vectors = vectors};
    registers_read(&thread->registers, task);
    user_state_read(vectors);
    return thread;
}

void core_note(struct task *task) {
    struct core *core = __atomic_load_n(&task->memory->core, __ATOMIC_ACQUIRE);
    struct core_thread *thread = core && core->pid == task->pid ? thread_now(task) : NULL;
    if (!thread)
        return;
    thread->next = __atomic_load_n(&core->threads, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&core->threads, &thread->next, thread, true,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
}

static void free_core(struct k42_defer *defer) {
    struct core *core = k42_container(defer, struct core, defer);
    for (struct core_thread *thread = core->threads, *next; thread; thread = next) {
        next = thread->next;
        heap_free(thread->vectors);
        heap_free(thread);
    }
    heap_free(core);
}

/* The others have left when it succeeds; then it has the process's number, as after execve(). */
static k42_result end_others(struct task *task) {
    int32_t tid = task->tid;
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(task->process, alone, task));
    if (result >= 0 && tid != task->pid) {
        tracing_renamed(task);
        ids_give(tid);
    }
    return result;
}

static struct core *gather(struct task *task, const struct signal_info *info) {
    struct core *core = heap_allocate_zeroed(sizeof *core), *none = NULL;
    struct core_thread *own = core ? thread_now(task) : NULL;
    if (!own) {
        heap_free(core);
        return NULL;
    }
    core->pid = task->pid;
    core->info = *info;
    bool first = __atomic_compare_exchange_n(&task->memory->core, &none, core, false,
                                             __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    bool alone = first && end_others(task) >= 0;
    if (first)
        __atomic_store_n(&task->memory->core, NULL, __ATOMIC_RELEASE);
    own->next = core->threads;
    core->threads = own;
    if (alone)
        return core;
    k42_defer(&core->defer, free_core);
    return NULL;
}

/* ---- the file ---- */

struct writing {
    file_ref file;
    uint64_t limit;
    k42_result result;
};

static void write_at(struct writing *writing, uint64_t at, const void *bytes, size_t size) {
    struct copy copy = copy_of_kernel((void *)(uintptr_t)bytes, size);
    if (at + size > writing->limit)
        writing->result = -EFBIG;
    while (copy.left && writing->result >= 0) {
        int64_t offset = (int64_t)(at + size - copy.left);
        WAIT_CALL(writing->result, WAIT_FOREVER, WAIT_KILLABLE,
                  k42_call(writing->file, write, offset, &copy));
        if (!writing->result)
            writing->result = -EIO;
    }
}

/*
 * A private mapping of a file may have been written to before it became read-only: what a linker
 * relocates and then protects. Nothing tells it from one that was always so, and a debugger finds
 * the libraries by it; so those that are no larger than such parts are, and no text, are kept.
 */
#define RELOCATED_MOST (1ul << 20)

static bool may_have_changed(const struct space_mapping *mapping) {
    return !(mapping->flags & SPACE_SHARED) &&
           (mapping->protection & SPACE_WRITE || (!(mapping->protection & SPACE_EXECUTE) &&
                                                  mapping->end - mapping->start <= RELOCATED_MOST));
}

/* What was written of a private mapping is no file's any more. */
static unsigned kind_of(const struct space_mapping *mapping) {
    bool file = k42_id_of(mapping->file);
    if (mapping->flags & SPACE_SHARED)
        return file ? CORE_FILE_SHARED : CORE_SHARED;
    unsigned kind = !file || may_have_changed(mapping) ? CORE_PRIVATE : 0;
    return kind | (file ? CORE_FILE_PRIVATE : 0);
}

/* How much of a mapping the file has. */
static uint64_t kept_of(const struct space_mapping *mapping, unsigned kinds) {
    uint64_t whole = mapping->end - mapping->start;
    unsigned kind = kind_of(mapping);
    if (!(mapping->protection & SPACE_READ))
        return 0;
    if (mapping->flags & SPACE_KEEP)
        return mapping->protection & SPACE_EXECUTE ? whole : 0;
    if (kinds & kind)
        return mapping->present ? whole : 0;
    bool begins = (kind & CORE_FILE_PRIVATE) && !mapping->first;
    return begins && (kinds & CORE_FILE_BEGIN) ? FRAME_SIZE : 0;
}

static bool is_zero(const uint64_t *page) {
    for (unsigned i = 0; i < FRAME_SIZE / sizeof *page; i++)
        if (page[i])
            return false;
    return true;
}

/* The last page is written in any case, so that the file is as long as it says. */
static void write_mapping(struct writing *writing, space_ref space, uint64_t at, uintptr_t start,
                          uint64_t kept, uint64_t *page) {
    for (uint64_t done = 0; done < kept && writing->result >= 0; done += FRAME_SIZE) {
        struct copy copy = copy_of_kernel(page, FRAME_SIZE);
        k42_result result;
        __builtin_memset(page, 0, FRAME_SIZE);
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                  k42_call(space, peek, start + done + FRAME_SIZE - copy.left, &copy));
        if ((result > 0 && !is_zero(page)) || done + FRAME_SIZE >= kept)
            write_at(writing, at + done, page, FRAME_SIZE);
        k42_safe_point();
    }
}

static void put_head(struct proc_text *text, unsigned count) {
    struct elf64_hdr head = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                             .e_type = ET_CORE,
                             .e_machine = EM_X86_64,
                             .e_version = EV_CURRENT,
                             .e_phoff = sizeof head,
                             .e_ehsize = sizeof head,
                             .e_phentsize = sizeof(struct elf64_phdr),
                             .e_phnum = (uint16_t)count};
    proc_put(text, (const char *)&head, sizeof head);
}

static unsigned flags_of(unsigned protection) {
    return (protection & SPACE_READ ? PF_R : 0u) | (protection & SPACE_WRITE ? PF_W : 0u) |
           (protection & SPACE_EXECUTE ? PF_X : 0u);
}

/* Headers, notes, then the mappings from a page's beginning on. */
static void write_all(struct writing *writing, const struct core *core, const struct task *task,
                      uint64_t *page) {
    struct proc_text text = {0}, notes = {0};
    struct space_mapping mapping;
    unsigned count = 1, kinds = __atomic_load_n(&task->memory->core_kinds, __ATOMIC_RELAXED);
    for (uintptr_t at = 0; k42_call(task->space, find, at, 0, &mapping) >= 0; at = mapping.end)
        count++;
    core_notes(core, task, &notes);
    put_head(&text, count);
    uint64_t start = sizeof(struct elf64_hdr) + count * sizeof(struct elf64_phdr);
    struct elf64_phdr part = {.p_type = PT_NOTE, .p_offset = start, .p_filesz = notes.used};
    proc_put(&text, (const char *)&part, sizeof part);
    uint64_t data = (start + notes.used + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1), next = data;
    for (uintptr_t at = 0; k42_call(task->space, find, at, 1, &mapping) >= 0; at = mapping.end) {
        part = (struct elf64_phdr){.p_type = PT_LOAD,
                                   .p_flags = flags_of(mapping.protection),
                                   .p_offset = next,
                                   .p_vaddr = mapping.start,
                                   .p_filesz = kept_of(&mapping, kinds),
                                   .p_memsz = mapping.end - mapping.start,
                                   .p_align = FRAME_SIZE};
        proc_put(&text, (const char *)&part, sizeof part);
        next += part.p_filesz;
    }
    if (text.failed || notes.failed)
        writing->result = -ENOMEM;
    if (writing->result >= 0)
        write_at(writing, 0, text.bytes, text.used);
    if (writing->result >= 0)
        write_at(writing, start, notes.bytes, notes.used);
    const struct elf64_phdr *parts =
        text.failed
            ? NULL
            : (const struct elf64_phdr *)(const void *)(text.bytes + sizeof(struct elf64_hdr));
    for (unsigned i = 1; i < count && writing->result >= 0; i++)
        write_mapping(writing, task->space, parts[i].p_offset, parts[i].p_vaddr, parts[i].p_filesz,
                      page);
    k42_platform_free(text.bytes);
    k42_platform_free(notes.bytes);
}

/* What somebody else has put there, or calls by another name, too, is not written to. */
static k42_result check_file(file_ref file, const struct task *task) {
    struct node_attributes attributes;
    struct k42_pair node = k42_call(file, node);
    k42_result result = node.result;
    if (result >= 0)
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                  k42_call((node_ref)node.word, attributes, &attributes));
    if (result < 0)
        return result;
    bool own = (attributes.mode & MODE_TYPE) == MODE_REGULAR && attributes.links == 1 &&
               attributes.uid == task->credentials->fsuid;
    return own ? 0 : -EPERM;
}

static bool write_core(const struct core *core, const struct task *task, uint64_t limit) {
    char path[CORE_PATH];
    struct writing writing = {.limit = limit};
    uint64_t *page = heap_allocate(FRAME_SIZE);
    if (!page)
        return false;
    core_path(task, core->info.signal, path);
    k42_result result = files_open_for_kernel(path, 0600, &writing.file);
    if (result >= 0) {
        writing.result = check_file(writing.file, task);
        if (writing.result >= 0)
            writing.result = files_truncate_for_kernel(writing.file);
        if (writing.result >= 0)
            write_all(&writing, core, task, page);
        result = writing.result;
        k42_result released = k42_call(writing.file, release);
        (void)released;
    }
    heap_free(page);
    return result >= 0;
}

/* ---- all of it ---- */

static bool dump(struct task *task, const struct signal_info *info) {
    uint64_t limit = task_limit(task, RLIMIT_CORE);
    if (limit < FRAME_SIZE || k42_call(task->process, number, PROCESS_DUMPABLE) != 1)
        return false;
    struct core *core = gather(task, info);
    if (!core)
        return false;
    bool written = write_core(core, task, limit);
    k42_defer(&core->defer, free_core);
    return written;
}

void core_exit(const struct signal_info *info) {
    bool leaves = SIGNALS_CORE & signal_bit(info->signal);
    bool dumped = leaves && dump(task_self(), info);
    process_exit(info->signal | (dumped ? 0x80 : 0));
}
