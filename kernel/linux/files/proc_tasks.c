/*
 * Processes by number, for /proc.
 */
#include "proc.h"

#include "../process/ids.h"
#include "../task.h"

#include <errno.h>

struct task *proc_task(uint64_t number) {
    if (!number || number >= IDS_MOST)
        return NULL;
    process_ref process = ids_process((int)number);
    if (!process)
        return NULL;
    struct k42_pair task = k42_call(process, thread, 0, 1);
    return task.result < 0 ? NULL : (struct task *)task.word;
}

k42_result proc_owner_left(uint64_t number, uint32_t *uid, uint32_t *gid) {
    struct process_info info;
    process_ref process = number < IDS_MOST ? ids_process((int)number) : (process_ref)K42_NULL_REF;
    if (!process || k42_call(process, info, &info) < 0 || info.pid != (int)number)
        return -ENOENT;
    *uid = info.uid;
    *gid = info.gid;
    return 0;
}

k42_result proc_next_task(uint64_t from) {
    if (from >= IDS_MOST)
        return -ESRCH;
    for (int number = ids_next((int)from); number > 0; number = ids_next(number + 1)) {
        struct process_info info;
        process_ref process = ids_process(number);
        if (process && k42_call(process, info, &info) >= 0 && info.pid == number)
            return number;
    }
    return -ESRCH;
}
