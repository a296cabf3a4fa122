/*
 * Where memory is to come from, and to go to: get_mempolicy, set_mempolicy, mbind, migrate_pages,
 * move_pages. There is one node, so every policy that names it is kept to, all pages are where they
 * are wanted, and what is asked for is checked as Linux does and kept to be told again.
 *
 * A policy is the calling task's own, with which its children and threads begin, or that of a
 * mapping, in whose flags it stands (SPACE_POLICY); a child's copy has it, too.
 */
#include "../arch/x86_64/user.h"
#include "../mem/space/space.h"
#include "../sched/wait.h"
#include "abi.h"
#include "call.h"
#include "program.h"
#include "task.h"
#include "whom.h"

#include <k42/k42.h>
#include <linux/mempolicy.h>

#define NODES_MOST 1024u /* that a mask may have */
#define WORD_BITS  64u
#define MASK_MOST  4096u /* bytes of a mask that is asked for */

/* The first word of a program's mask, in which the only node is. -EFAULT, -EINVAL. */
static k42_result mask_read(uint64_t *nodes, uintptr_t from, uint64_t most) {
    enum { MOST_BITS = 4096 * 8 };
    *nodes = 0;
    if (!from || most == 1)
        return 0;
    if (--most > MOST_BITS) /* of 0, too, as on Linux */
        return -EINVAL;
    for (uint64_t at = 0; at < most; at += WORD_BITS) {
        uint64_t word, bits = most - at < WORD_BITS ? most - at : WORD_BITS;
        k42_result result = program_read(&word, from + at / 8, sizeof word);
        if (result < 0)
            return result;
        word &= ~0ul >> (WORD_BITS - bits);
        if (word && at >= NODES_MOST)
            return -EINVAL;
        *nodes |= at ? 0 : word;
    }
    return 0;
}

/* The policy as it is kept, which for what stands for another is that one. -EINVAL. */
static k42_result policy_check(unsigned mode, uint64_t nodes) {
    unsigned flags = mode & MPOL_MODE_FLAGS, kind = mode & ~(unsigned)MPOL_MODE_FLAGS;
    bool relative = flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES);
    if (kind >= MPOL_MAX ||
        (flags & (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES)) ==
            (MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES) ||
        ((flags & MPOL_F_NUMA_BALANCING) && kind != MPOL_BIND))
        return -EINVAL;
    if (kind == MPOL_DEFAULT)
        return nodes || flags ? -EINVAL : MPOL_DEFAULT;
    if (kind == MPOL_LOCAL || (kind == MPOL_PREFERRED && !nodes))
        return nodes || relative ? -EINVAL : MPOL_LOCAL;
    return nodes & 1 ? (k42_result)mode : -EINVAL;
}

LINUX_CALL(238, set_mempolicy, int mode, uintptr_t mask, uint64_t most) {
    uint64_t nodes;
    k42_result result = mask_read(&nodes, mask, most);
    if (result >= 0)
        result = policy_check((unsigned)mode, nodes);
    if (result < 0)
        return result;
    task_self()->memory_policy = (uint16_t)result;
    return 0;
}

static bool has_nodes(unsigned policy) {
    unsigned kind = policy & ~(unsigned)MPOL_MODE_FLAGS;
    return kind != MPOL_DEFAULT && kind != MPOL_LOCAL;
}

/* In a mapping's flags: its kind, and above that its flags. */
enum { POLICY_SHIFT = 16, KIND_BITS = 3, MODE_FLAGS_SHIFT = 13 };
_Static_assert(MPOL_MAX <= 1 << KIND_BITS && MPOL_MODE_FLAGS == 7 << MODE_FLAGS_SHIFT,
               "a policy fits into SPACE_POLICY");

static unsigned mapping_flags(unsigned policy) {
    unsigned kind = policy & ~(unsigned)MPOL_MODE_FLAGS, flags = policy & MPOL_MODE_FLAGS;
    return (kind | flags >> MODE_FLAGS_SHIFT << KIND_BITS) << POLICY_SHIFT;
}

static unsigned policy_of(const struct space_mapping *mapping) {
    unsigned packed = (mapping->flags & SPACE_POLICY) >> POLICY_SHIFT;
    return (packed & ((1u << KIND_BITS) - 1)) | packed >> KIND_BITS << MODE_FLAGS_SHIFT;
}

/* As many bytes as the program has room for. */
static k42_result mask_write(uintptr_t to, uint64_t most, uint64_t nodes) {
    uint64_t bytes = (most - 1 + WORD_BITS - 1) / WORD_BITS * 8;
    k42_result result = 0;
    if (bytes > MASK_MOST)
        return -EINVAL;
    for (uint64_t at = 0; at < bytes && result >= 0; at += 8) {
        uint64_t word = at ? 0 : nodes;
        result = program_write(to + at, &word, sizeof word);
    }
    return result;
}

LINUX_CALL(239, get_mempolicy, uintptr_t policy_to, uintptr_t mask_to, uint64_t most,
           uintptr_t address, uint64_t flags) {
    unsigned kept = task_self()->memory_policy;
    int32_t told = (int32_t)kept;
    uint64_t nodes = has_nodes(kept);
    struct space_mapping mapping;
    if (mask_to && !most)
        return -EINVAL;
    if (flags & ~(uint64_t)(MPOL_F_NODE | MPOL_F_ADDR | MPOL_F_MEMS_ALLOWED))
        return -EINVAL;
    if (flags & MPOL_F_MEMS_ALLOWED) {
        if (flags & (MPOL_F_NODE | MPOL_F_ADDR))
            return -EINVAL;
        told = 0;
        nodes = 1;
    } else if (flags & MPOL_F_ADDR) {
        if (k42_call(task_self()->space, find, address, 0, &mapping) < 0 || mapping.start > address)
            return -EFAULT;
        kept = policy_of(&mapping);
        nodes = has_nodes(kept);
        told = flags & MPOL_F_NODE ? 0 : (int32_t)kept;
    } else if (address || (flags & MPOL_F_NODE)) {
        return -EINVAL;
    }
    k42_result result = policy_to ? program_write(policy_to, &told, sizeof told) : 0;
    return result < 0 || !mask_to ? result : mask_write(mask_to, most, nodes);
}

/* -EFAULT: not all of a range is mapped. */
static k42_result check_mapped(uintptr_t address, uintptr_t end) {
    while (address < end) {
        struct space_mapping mapping;
        k42_result result = k42_call(task_self()->space, find, address, 0, &mapping);
        if (result < 0 || mapping.start > address)
            return -EFAULT;
        address = mapping.end;
    }
    return 0;
}

static k42_result bind(uintptr_t address, uint64_t length, unsigned policy) {
    k42_result result = check_mapped(address, address + length);
    if (result < 0)
        return result;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                                  k42_call(task_self()->space, set_flags, address, length,
                                           mapping_flags(policy), SPACE_POLICY)));
    return result;
}

/* Partly: what memory is shared has no policy of its own, but each mapping of it. */
LINUX_CALL(237, mbind, uintptr_t address, uint64_t length, uint64_t mode, uintptr_t mask,
           uint64_t most, unsigned flags) {
    uint64_t nodes = 0, end = 0;
    if (flags & ~(unsigned)(MPOL_MF_STRICT | MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
        return -EINVAL;
    k42_result result = mask_read(&nodes, mask, most);
    if (result >= 0 && (flags & MPOL_MF_MOVE_ALL) && !task_capable(task_self(), CAP_SYS_NICE))
        result = -EPERM;
    length = (length + 4095) & ~4095ul;
    if (result >= 0 && ((address & 4095) || __builtin_add_overflow(address, length, &end)))
        result = -EINVAL;
    if (result < 0 || !length)
        return result;
    result = mode > 0xffff ? -EINVAL : policy_check((unsigned)mode, nodes);
    return result < 0 ? result : bind(address, length, (unsigned)result);
}

/* ---- moving what there is ---- */

/* The program of a thread's number, 0: the caller's. -ESRCH, -EPERM. */
static k42_result find_program(int tid, space_ref *space) {
    const struct task *task = !tid ? task_self() : tid > 0 ? whom_thread(tid) : NULL;
    const struct task_memory *memory =
        task ? __atomic_load_n(&task->memory, __ATOMIC_ACQUIRE) : NULL;
    if (!memory)
        return -ESRCH;
    if (!whom_may_trace(task))
        return -EPERM;
    *space = memory->space;
    return 0;
}

/* Nothing is anywhere else. */
LINUX_CALL(256, migrate_pages, int pid, uint64_t most, uintptr_t old_mask, uintptr_t new_mask) {
    uint64_t old, new;
    space_ref space;
    k42_result result = mask_read(&old, old_mask, most);
    if (result >= 0)
        result = mask_read(&new, new_mask, most);
    if (result >= 0)
        result = find_program(pid, &space);
    if (result >= 0 && (new & ~1ul) && !task_capable(task_self(), CAP_SYS_NICE))
        result = -EPERM;
    return result < 0 ? result : new & 1 ? 0 : -EINVAL;
}

/* What is said of a page: its node, or -EFAULT, -ENOENT. */
static k42_result node_of(int pid, uintptr_t address) {
    struct space_mapping mapping;
    uint8_t is_there = 0;
    space_ref space;
    k42_result result = find_program(pid, &space);
    if (result < 0)
        return result;
    if (address >= USER_END || k42_call(space, find, address, 0, &mapping) < 0 ||
        mapping.start > address)
        return -EFAULT;
    result = k42_call(space, resident, address & ~4095ul, 4096, &is_there, 1);
    return result >= 0 && (is_there & 1) ? 0 : -ENOENT;
}

struct page_move {
    int pid;
    uintptr_t pages, nodes, told;
};

static k42_result move_page(const struct page_move *move, uint64_t n) {
    int32_t told, node = 0;
    uintptr_t address;
    k42_result result = program_read(&address, move->pages + n * sizeof address, sizeof address);
    if (result >= 0 && move->nodes)
        result = program_read(&node, move->nodes + n * sizeof node, sizeof node);
    if (result < 0)
        return result;
    if (node)
        return -ENODEV;
    told = (int32_t)node_of(move->pid, address);
    return program_write(move->told + n * sizeof told, &told, sizeof told);
}

LINUX_CALL(279, move_pages, int pid, uint64_t count, uintptr_t pages, uintptr_t nodes,
           uintptr_t told, int flags) {
    struct page_move move = {pid, pages, nodes, told};
    space_ref space;
    if (flags & ~(MPOL_MF_MOVE | MPOL_MF_MOVE_ALL))
        return -EINVAL;
    if ((flags & MPOL_MF_MOVE_ALL) && !task_capable(task_self(), CAP_SYS_NICE))
        return -EPERM;
    k42_result result = find_program(pid, &space);
    for (uint64_t n = 0; n < count && result >= 0; n++) {
        result = move_page(&move, n);
        if (result >= 0 && n % 256 == 255 && (thread_interrupts() & THREAD_KILLED))
            result = -EINTR;
        k42_safe_point();
    }
    return result < 0 ? result : 0;
}

/* There is one node, which is home already; what has no policy is passed over. */
LINUX_CALL(450, set_mempolicy_home_node, uintptr_t address, uint64_t length, uint64_t node,
           uint64_t flags) {
    k42_result result = -ENOENT;
    uint64_t end;
    length = (length + 4095) & ~4095ul;
    if ((address & 4095) || flags || node || __builtin_add_overflow(address, length, &end))
        return -EINVAL;
    if (!length)
        return 0;
    while (address < end) {
        struct space_mapping mapping;
        if (k42_call(task_self()->space, find, address, 0, &mapping) < 0 || mapping.start >= end)
            break;
        unsigned policy = policy_of(&mapping), kind = policy & ~(unsigned)MPOL_MODE_FLAGS;
        if (policy && kind != MPOL_BIND && kind != MPOL_PREFERRED_MANY)
            return -EOPNOTSUPP;
        result = policy ? 0 : result;
        address = mapping.end;
    }
    return result;
}
