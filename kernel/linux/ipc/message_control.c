/*
 * msgctl: what is told of queues of messages, and what may be set of them.
 */
#include "../abi.h"
#include "../program.h"
#include "../task.h"
#include "message_calls.h"
#include "message_queue.h"

#include <linux/msg.h>

static k42_result look(const struct ipc_entry *entry, struct message_queue_state *state) {
    k42_result result = k42_call((message_queue_ref)entry->object, look, state);
    return result == -K42_STALE ? -EIDRM : result;
}

static k42_result tell(int id, int command, uintptr_t to) {
    struct message_queue_state state;
    struct ipc_entry *entry =
        command == IPC_STAT ? ipc_find(&ipc_queues, id) : ipc_at(&ipc_queues, (uint32_t)id);
    k42_result result = entry ? 0 : -EINVAL;
    if (entry && command != MSG_STAT_ANY)
        result = ipc_allows(entry, 0444);
    if (result >= 0)
        result = look(entry, &state);
    if (result < 0)
        return result;
    struct msqid64_ds text = {.msg_stime = state.sent,
                              .msg_rtime = state.received,
                              .msg_ctime = __atomic_load_n(&entry->changed, __ATOMIC_RELAXED),
                              .msg_cbytes = state.bytes,
                              .msg_qnum = state.count,
                              .msg_qbytes = state.most,
                              .msg_lspid = state.sender,
                              .msg_lrpid = state.receiver};
    ipc_tell(entry, &text.msg_perm);
    int number = command == IPC_STAT ? 0 : entry->id;
    result = program_write(to, &text, sizeof text);
    return result < 0 ? result : number;
}

/* What is in all of them. */
static void add_up(struct msginfo *info) {
    struct message_queue_state state;
    struct ipc_entry *entry;
    uint64_t count = 0, bytes = 0;
    for (uint32_t place = 0; (entry = ipc_next(&ipc_queues, &place)); place++) {
        if (look(entry, &state) < 0)
            continue;
        count += state.count;
        bytes += state.bytes;
    }
    info->msgpool = (int)__atomic_load_n(&ipc_queues.count, __ATOMIC_RELAXED);
    info->msgmap = count < INT32_MAX ? (int)count : INT32_MAX;
    info->msgtql = bytes < INT32_MAX ? (int)bytes : INT32_MAX;
}

static k42_result tell_limits(int command, uintptr_t to) {
    struct msginfo info = {.msgpool = MSGPOOL,
                           .msgmap = MSGMAP,
                           .msgmax =
                               (int)__atomic_load_n(&message_limits.message, __ATOMIC_RELAXED),
                           .msgmnb = (int)__atomic_load_n(&message_limits.queue, __ATOMIC_RELAXED),
                           .msgmni = (int)__atomic_load_n(&ipc_queues.most, __ATOMIC_RELAXED),
                           .msgssz = MSGSSZ,
                           .msgtql = MSGTQL,
                           .msgseg = MSGSEG};
    if (command == MSG_INFO)
        add_up(&info);
    k42_result result = program_write(to, &info, sizeof info);
    return result < 0 ? result : ipc_highest(&ipc_queues);
}

static k42_result set(int id, uintptr_t from) {
    struct msqid64_ds wanted;
    k42_result result = program_read(&wanted, from, sizeof wanted);
    if (result < 0)
        return result;
    struct ipc_entry *entry = ipc_find(&ipc_queues, id);
    result = entry ? ipc_is_own(entry) : -EINVAL;
    if (result < 0)
        return result;
    if (wanted.msg_qbytes > __atomic_load_n(&message_limits.queue, __ATOMIC_RELAXED) &&
        !task_capable(task_self(), CAP_SYS_RESOURCE))
        return -EPERM;
    result = ipc_set(entry, &wanted.msg_perm);
    if (result >= 0)
        result = k42_call((message_queue_ref)entry->object, limit, wanted.msg_qbytes);
    return result == -K42_STALE ? -EIDRM : result;
}

static k42_result remove(int id) {
    struct ipc_entry *entry = ipc_find(&ipc_queues, id);
    k42_result result = entry ? ipc_is_own(entry) : -EINVAL;
    if (result < 0)
        return result;
    return queue_remove(entry) ? 0 : -EIDRM;
}

LINUX_CALL(71, msgctl, int id, int command, uintptr_t buffer) {
    if (id < 0 || command < 0)
        return -EINVAL;
    switch (command) {
    case IPC_INFO:
    case MSG_INFO:
        return tell_limits(command, buffer);
    case IPC_STAT:
    case MSG_STAT:
    case MSG_STAT_ANY:
        return tell(id, command, buffer);
    case IPC_SET:
        return set(id, buffer);
    case IPC_RMID:
        return remove(id);
    default:
        return -EINVAL;
    }
}
