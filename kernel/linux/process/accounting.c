/*
 * acct(): a record for each process that ends, at the end of a file (of BSD, in Linux's version 3).
 *
 * The file is known by its id, which is exchanged: who takes it out of use lets go of its hold, and
 * whoever ends meanwhile takes a hold of his own or finds that it is going, and writes nothing.
 * Records are appended whole, by the threads that end, before their parents are told. A file that
 * cannot be written to loses records, as on Linux.
 *
 * Owns: a hold of the file.
 */
#include "accounting.h"

#include "../../vdso/wall_clock.h"
#include "../abi.h"
#include "../files/files.h"

#include <k42/k42.h>
#include <linux/acct.h>
#include <string.h>

static k42_id records; /* a file's, held; atomic; 0: none are kept */

/* ---- numbers as the record has them ---- */

/* 13 bits, and three of an exponent of 8, rounded; more is the most there is. */
static comp_t small_float(uint64_t value) {
    enum { BITS = 13, EXPONENT_BITS = 3, EXPONENTS = 8 };
    uint64_t most = (1ul << BITS) - 1;
    unsigned exponent = 0, rounds = 0;
    while (value > most) {
        rounds = value & (1u << (EXPONENT_BITS - 1));
        value >>= EXPONENT_BITS;
        exponent++;
    }
    if (rounds && ++value > most) {
        value >>= EXPONENT_BITS;
        exponent++;
    }
    return exponent >= EXPONENTS ? 0xffff : (comp_t)(exponent << BITS | value);
}

/* The bits of a float. */
static uint32_t float_of(uint64_t value) {
    enum { BIAS = 127, FRACTION = 23 };
    if (!value)
        return 0;
    unsigned top = 63 - (unsigned)__builtin_clzl(value);
    uint64_t fraction = top > FRACTION ? value >> (top - FRACTION) : value << (FRACTION - top);
    return (BIAS + top) << FRACTION | ((uint32_t)fraction & ((1u << FRACTION) - 1));
}

static uint64_t ticks(uint64_t ns) {
    return ns / (1000000000 / AHZ);
}

/* ---- a record ---- */

static struct acct_v3 record_of(const struct task *task, const struct process_info *info) {
    enum { SIGNAL_BITS = 0x7f, CORE = 0x80 };
    struct acct_v3 record = {
        .ac_version = 3,
        .ac_exitcode = (uint32_t)info->status,
        .ac_uid = task->credentials->uid,
        .ac_gid = task->credentials->gid,
        .ac_pid = (uint32_t)info->pid,
        .ac_ppid = (uint32_t)info->parent,
        .ac_btime = (uint32_t)(wall_clock_at(info->started_ns) / 1000000000),
        .ac_utime = small_float(ticks(info->times.user_ns)),
        .ac_stime = small_float(ticks(info->times.system_ns)),
        .ac_minflt = small_float(info->times.minor_faults),
    };
    uint32_t lasted = float_of(ticks(time_ns() - info->started_ns));
    memcpy(&record.ac_etime, &lasted, sizeof lasted);
    memcpy(record.ac_comm, info->name, sizeof record.ac_comm);
    record.ac_flag = (char)((info->executed ? 0 : AFORK) | (info->status & CORE ? ACORE : 0) |
                            (info->status & SIGNAL_BITS ? AXSIG : 0));
    return record;
}

void accounting_write(const struct task *task, const struct process_info *info) {
    k42_id id = __atomic_load_n(&records, __ATOMIC_ACQUIRE);
    file_ref file = (file_ref)k42_id_ref(id);
    if (!id || k42_call(file, hold) < 0)
        return;
    struct acct_v3 record = record_of(task, info);
    struct copy copy = copy_of_kernel(&record, sizeof record);
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(file, write, FILE_AT_END, &copy));
    (void)result;
    (void)!k42_call(file, release);
}

/* ---- the call ---- */

static k42_result open_now(const char *text, file_ref *file) {
    struct node_attributes attributes;
    struct path path;
    k42_result result = files_walk(&path, AT_WORKING, text, PATH_FOLLOW);
    if (result >= 0)
        result = k42_call(path.found.node, attributes, &attributes);
    if (result < 0)
        return result;
    if (MODE_ENTRY_TYPE(attributes.mode) == MODE_ENTRY_TYPE(MODE_DIRECTORY))
        return -EISDIR;
    if (MODE_ENTRY_TYPE(attributes.mode) != ENTRY_REGULAR)
        return -EACCES;
    result = node_allows(&attributes, task_self()->credentials, NODE_WRITE);
    if (result >= 0)
        result = files_writable(path.found.mount);
    if (result < 0)
        return result;
    struct k42_pair opened = k42_call(path.found.node, open, OPEN_WRITE_ONLY);
    *file = (file_ref)opened.word;
    return opened.result;
}

static k42_result open_path(uintptr_t from, file_ref *file) {
    struct files_text text;
    k42_result result = files_text_get(&text, from, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, open_now(text.at, file));
    files_text_end(&text);
    return result;
}

LINUX_CALL(163, acct, uintptr_t path) {
    file_ref file = (file_ref)K42_NULL_REF;
    if (!task_capable(task_self(), CAP_SYS_PACCT))
        return -EPERM;
    k42_result result = path ? open_path(path, &file) : 0;
    if (result < 0)
        return result;
    k42_id before = __atomic_exchange_n(&records, path ? k42_id_of(file) : 0, __ATOMIC_ACQ_REL);
    if (before)
        (void)!k42_call((file_ref)k42_id_ref(before), release);
    return 0;
}
