/*
 * Who a program is and what it may: user and group ids, supplementary groups, capabilities.
 *
 * Credentials do not change: a call makes a copy, changes that, and puts it in their place, so that
 * others who look at them see the one or the other. A C library does this in every thread.
 */
#include "../mem/heap/heap.h"
#include "abi.h"
#include "process/ids.h"
#include "process/lives.h"
#include "program.h"

#include <k42/k42.h>
#include <linux/securebits.h>

#define KEEP        (~0u) /* as an id: leave it as it is */
#define GROUPS_MOST CREDENTIALS_GROUPS_MOST

static bool may_set_uid(void) {
    return task_capable(task_self(), CAP_SETUID);
}

static bool may_set_gid(void) {
    return task_capable(task_self(), CAP_SETGID);
}

static struct credentials *begin(void) {
    return credentials_copy(task_self()->credentials);
}

/* Rights go with the last user id that was root's, effective ones with the effective id. */
static void follow_ids(struct credentials *now) {
    const struct credentials *before = task_self()->credentials;
    bool was_root = !before->uid || !before->euid || !before->suid;
    bool is_root = !now->uid || !now->euid || !now->suid;
    if (before->secure & SECBIT_NO_SETUID_FIXUP)
        return;
    if (was_root && !is_root) {
        now->ambient = 0;
        if (!(before->secure & SECBIT_KEEP_CAPS))
            now->permitted = now->effective = 0;
    }
    if (before->euid == 0 && now->euid != 0)
        now->effective = 0;
    if (before->euid != 0 && now->euid == 0)
        now->effective = now->permitted;
}

static k42_result finish(struct credentials *now) {
    follow_ids(now);
    credentials_set(now);
    return 0;
}

static k42_result refuse(struct credentials *now) {
    heap_free(now);
    return -EPERM;
}

static bool is_one_of(uint32_t id, uint32_t a, uint32_t b, uint32_t c) {
    return id == a || id == b || id == c;
}

/* ---- users ---- */

LINUX_CALL(102, getuid, void) {
    return task_self()->credentials->uid;
}

LINUX_CALL(107, geteuid, void) {
    return task_self()->credentials->euid;
}

LINUX_CALL(105, setuid, uint32_t uid) {
    struct credentials *now = uid == KEEP ? NULL : begin();
    if (!now)
        return uid == KEEP ? -EINVAL : -ENOMEM;
    if (may_set_uid())
        now->uid = now->suid = uid;
    else if (uid != now->uid && uid != now->suid)
        return refuse(now);
    now->euid = now->fsuid = uid;
    return finish(now);
}

LINUX_CALL(113, setreuid, uint32_t uid, uint32_t euid) {
    struct credentials *now = begin();
    if (!now)
        return -ENOMEM;
    uint32_t old_uid = now->uid, old_euid = now->euid;
    bool may = may_set_uid();
    if (uid != KEEP && !may && uid != old_uid && uid != old_euid)
        return refuse(now);
    if (euid != KEEP && !may && !is_one_of(euid, old_uid, old_euid, now->suid))
        return refuse(now);
    now->uid = uid == KEEP ? old_uid : uid;
    now->euid = now->fsuid = euid == KEEP ? old_euid : euid;
    if (uid != KEEP || (euid != KEEP && euid != old_uid))
        now->suid = now->euid;
    return finish(now);
}

LINUX_CALL(117, setresuid, uint32_t uid, uint32_t euid, uint32_t suid) {
    struct credentials *now = begin();
    if (!now)
        return -ENOMEM;
    const uint32_t wanted[] = {uid, euid, suid};
    for (unsigned i = 0; i < 3 && !may_set_uid(); i++)
        if (wanted[i] != KEEP && !is_one_of(wanted[i], now->uid, now->euid, now->suid))
            return refuse(now);
    now->uid = uid == KEEP ? now->uid : uid;
    now->euid = euid == KEEP ? now->euid : euid;
    now->suid = suid == KEEP ? now->suid : suid;
    now->fsuid = now->euid;
    return finish(now);
}

static k42_result put_three(const uintptr_t to[3], uint32_t a, uint32_t b, uint32_t c) {
    const uint32_t ids[] = {a, b, c};
    k42_result result = 0;
    for (unsigned i = 0; i < 3 && result >= 0; i++)
        result = program_write(to[i], &ids[i], sizeof ids[i]);
    return result;
}

LINUX_CALL(118, getresuid, uintptr_t uid, uintptr_t euid, uintptr_t suid) {
    const struct credentials *now = task_self()->credentials;
    return put_three((uintptr_t[]){uid, euid, suid}, now->uid, now->euid, now->suid);
}

/* What root may do with files goes and comes with the id that is asked for them. */
#define FOR_FILES                                                                                  \
    (1ul << CAP_CHOWN | 1ul << CAP_DAC_OVERRIDE | 1ul << CAP_DAC_READ_SEARCH | 1ul << CAP_FOWNER | \
     1ul << CAP_FSETID | 1ul << CAP_LINUX_IMMUTABLE | 1ul << CAP_MKNOD | 1ul << CAP_MAC_OVERRIDE)

static void follow_file_id(struct credentials *now, uint32_t before) {
    if (now->secure & SECBIT_NO_SETUID_FIXUP)
        return;
    if (before == 0 && now->fsuid != 0)
        now->effective &= ~FOR_FILES;
    if (before != 0 && now->fsuid == 0)
        now->effective |= now->permitted & FOR_FILES;
}

/* It answers what was, whether it changed or not. */
LINUX_CALL(122, setfsuid, uint32_t uid) {
    uint32_t before = task_self()->credentials->fsuid;
    struct credentials *now = begin();
    if (now && uid != KEEP &&
        (may_set_uid() || uid == before || is_one_of(uid, now->uid, now->euid, now->suid))) {
        now->fsuid = uid;
        follow_file_id(now, before);
        credentials_set(now);
    } else {
        heap_free(now);
    }
    return before;
}

/* ---- groups ---- */

LINUX_CALL(104, getgid, void) {
    return task_self()->credentials->gid;
}

LINUX_CALL(108, getegid, void) {
    return task_self()->credentials->egid;
}

LINUX_CALL(106, setgid, uint32_t gid) {
    struct credentials *now = gid == KEEP ? NULL : begin();
    if (!now)
        return gid == KEEP ? -EINVAL : -ENOMEM;
    if (may_set_gid())
        now->gid = now->sgid = gid;
    else if (gid != now->gid && gid != now->sgid)
        return refuse(now);
    now->egid = now->fsgid = gid;
    return finish(now);
}

LINUX_CALL(114, setregid, uint32_t gid, uint32_t egid) {
    struct credentials *now = begin();
    if (!now)
        return -ENOMEM;
    uint32_t old_gid = now->gid, old_egid = now->egid;
    bool may = may_set_gid();
    if (gid != KEEP && !may && gid != old_gid && gid != old_egid)
        return refuse(now);
    if (egid != KEEP && !may && !is_one_of(egid, old_gid, old_egid, now->sgid))
        return refuse(now);
    now->gid = gid == KEEP ? old_gid : gid;
    now->egid = now->fsgid = egid == KEEP ? old_egid : egid;
    if (gid != KEEP || (egid != KEEP && egid != old_gid))
        now->sgid = now->egid;
    return finish(now);
}

LINUX_CALL(119, setresgid, uint32_t gid, uint32_t egid, uint32_t sgid) {
    struct credentials *now = begin();
    if (!now)
        return -ENOMEM;
    const uint32_t wanted[] = {gid, egid, sgid};
    for (unsigned i = 0; i < 3 && !may_set_gid(); i++)
        if (wanted[i] != KEEP && !is_one_of(wanted[i], now->gid, now->egid, now->sgid))
            return refuse(now);
    now->gid = gid == KEEP ? now->gid : gid;
    now->egid = egid == KEEP ? now->egid : egid;
    now->sgid = sgid == KEEP ? now->sgid : sgid;
    now->fsgid = now->egid;
    return finish(now);
}

LINUX_CALL(120, getresgid, uintptr_t gid, uintptr_t egid, uintptr_t sgid) {
    const struct credentials *now = task_self()->credentials;
    return put_three((uintptr_t[]){gid, egid, sgid}, now->gid, now->egid, now->sgid);
}

LINUX_CALL(123, setfsgid, uint32_t gid) {
    uint32_t before = task_self()->credentials->fsgid;
    struct credentials *now = begin();
    if (now && gid != KEEP &&
        (may_set_gid() || gid == before || is_one_of(gid, now->gid, now->egid, now->sgid))) {
        now->fsgid = gid;
        credentials_set(now);
    } else {
        heap_free(now);
    }
    return before;
}

LINUX_CALL(115, getgroups, int size, uintptr_t to) {
    const struct credentials *now = task_self()->credentials;
    if (size < 0 || (size && (uint32_t)size < now->group_count))
        return -EINVAL;
    k42_result result =
        size ? program_write(to, now->groups, now->group_count * sizeof now->groups[0]) : 0;
    return result < 0 ? result : now->group_count;
}

/* By size, so that one can be searched for; a heap sort, since there may be many. */
static void sift(uint32_t *ids, uint32_t at, uint32_t count) {
    for (uint32_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && ids[child + 1] > ids[child])
            child++;
        if (ids[at] >= ids[child])
            return;
        uint32_t id = ids[at];
        ids[at] = ids[child];
        ids[child] = id;
    }
}

static void sort(uint32_t *ids, uint32_t count) {
    for (uint32_t at = count / 2; at--;)
        sift(ids, at, count);
    for (uint32_t end = count; end > 1; end--) {
        uint32_t largest = ids[0];
        ids[0] = ids[end - 1];
        ids[end - 1] = largest;
        sift(ids, 0, end - 1);
    }
}

LINUX_CALL(116, setgroups, uint32_t count, uintptr_t from) {
    const struct credentials *before = task_self()->credentials;
    if (!may_set_gid())
        return -EPERM;
    if (count > GROUPS_MOST)
        return -EINVAL;
    struct credentials *now = credentials_make(count);
    if (!now)
        return -ENOMEM;
    __builtin_memcpy(now, before, offsetof(struct credentials, group_count));
    k42_result result = program_read(now->groups, from, count * sizeof now->groups[0]);
    if (result < 0) {
        heap_free(now);
        return result;
    }
    sort(now->groups, count);
    credentials_set(now);
    return 0;
}

/* ---- capabilities ---- */

/* How many words of each set a version of the interface has; 0: there is no such version. */
static unsigned words_of(uint32_t version) {
    if (version == _LINUX_CAPABILITY_VERSION_1)
        return 1;
    return version == _LINUX_CAPABILITY_VERSION_2 || version == _LINUX_CAPABILITY_VERSION_3 ? 2 : 0;
}

/* A version we do not know is told which one we do. */
static k42_result read_header(struct __user_cap_header_struct *header, uintptr_t from,
                              unsigned *words, bool asked) {
    k42_result result = program_read(header, from, sizeof *header);
    if (result < 0)
        return result;
    *words = words_of(header->version);
    if (*words)
        return 0;
    header->version = _LINUX_CAPABILITY_VERSION_3;
    result = program_write(from, header, sizeof *header);
    return result < 0 ? result : asked ? 1 : -EINVAL;
}

static const struct credentials *credentials_of(int pid) {
    if (!pid || pid == task_self()->tid)
        return task_self()->credentials;
    struct k42_pair found = k42_call(ids_process(pid), thread, pid, 0);
    if (found.result < 0)
        return NULL;
    return __atomic_load_n(&((struct task *)found.word)->credentials, __ATOMIC_ACQUIRE);
}

LINUX_CALL(125, capget, uintptr_t header_at, uintptr_t to) {
    struct __user_cap_header_struct header;
    unsigned words;
    k42_result result = read_header(&header, header_at, &words, !to);
    if (result)
        return result < 0 ? result : 0;
    const struct credentials *who = header.pid < 0 ? NULL : credentials_of(header.pid);
    if (!who)
        return header.pid < 0 ? -EINVAL : -ESRCH;
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)who->effective, (uint32_t)who->permitted, (uint32_t)who->inheritable},
        {(uint32_t)(who->effective >> 32), (uint32_t)(who->permitted >> 32),
         (uint32_t)(who->inheritable >> 32)},
    };
    return to ? program_write(to, data, words * sizeof data[0]) : 0;
}

LINUX_CALL(126, capset, uintptr_t header_at, uintptr_t from) {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2] = {{0}};
    unsigned words;
    k42_result result = read_header(&header, header_at, &words, false);
    if (result >= 0)
        result = program_read(data, from, words * sizeof data[0]);
    if (result < 0)
        return result;
    if (header.pid && header.pid != task_self()->tid)
        return -EPERM;
    struct credentials *now = begin();
    if (!now)
        return -ENOMEM;
    uint64_t effective = data[0].effective | (uint64_t)data[1].effective << 32;
    uint64_t permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    uint64_t inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
    if ((permitted & ~now->permitted) || (effective & ~permitted) ||
        ((inheritable & ~(now->inheritable | now->permitted)) &&
         !task_capable(task_self(), CAP_SETPCAP)))
        return refuse(now);
    now->effective = effective;
    now->permitted = permitted;
    now->inheritable = inheritable;
    now->ambient &= permitted & inheritable;
    credentials_set(now);
    return 0;
}
