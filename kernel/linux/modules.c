/*
 * Components by Linux's calls for modules: insmod and rmmod work.
 *
 * What a call cannot say beyond its error stands on the kernel's log. Parameters: components have
 * none.
 */
#include "../component/component.h"
#include "linux.h"
#include "program.h"
#include "runtime.h"
#include "task.h"
#include "whole_file.h"

#include <linux/capability.h>

enum { PARAMETERS_MOST = 256, NAME_MOST = 64 };

LINUX_CALL(313, finit_module, int descriptor, uintptr_t parameters, unsigned flags) {
    char text[PARAMETERS_MOST], why[COMPONENT_WHY];
    struct whole_file file;
    if (!task_capable(task_self(), CAP_SYS_MODULE))
        return -EPERM;
    if (flags)
        return -EINVAL;
    k42_result result = program_read_text(text, parameters, sizeof text);
    if (result > 0)
        result = -EINVAL;
    if (result < 0)
        return result;
    result = whole_file_read(descriptor, &file);
    if (!result) {
        k42_exit();
        result =
            component_load("module", whole_file_bytes(&file), file.size, NULL, why, sizeof why);
        k42_enter();
    }
    whole_file_discard(&file);
    return result;
}

LINUX_CALL(176, delete_module, uintptr_t name, unsigned flags) {
    char text[NAME_MOST], why[COMPONENT_WHY];
    (void)flags; /* whether to wait is not asked: a grace period is not long */
    if (!task_capable(task_self(), CAP_SYS_MODULE))
        return -EPERM;
    k42_result result = program_read_text(text, name, sizeof text);
    if (result < 0)
        return result;
    k42_exit();
    result = component_unload(text, why, sizeof why);
    k42_enter();
    return result;
}
