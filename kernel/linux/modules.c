/*
 * Components by Linux's calls for modules (k42/modules.h), so that insmod and rmmod work, too.
 *
 * Loading, unloading and upgrading wait for grace periods, so they are calls of programs and no
 * methods: the thread leaves the generation meanwhile. Owns: nothing.
 */
#include "../arch/x86_64/arch.h"
#include "../component/component.h"
#include "../component/words.h"
#include "linux.h"
#include "program.h"
#include "runtime.h"
#include "task.h"
#include "whole_file.h"

#include <k42/modules.h>
#include <linux/capability.h>

enum { PARAMETERS_MOST = 512, NAME_MOST = 64 };
_Static_assert(sizeof((struct k42_modules_answer *)0)->why == COMPONENT_WHY, "a sentence fits");

static k42_result upgrade(const struct component_words *words, const char *component,
                          struct k42_modules_answer *answer) {
    struct component_upgrade done = {0};
    enum k42_upgrade_mode mode = (enum k42_upgrade_mode)words->mode;
    k42_result result =
        words->class_[0]
            ? component_turn_class(words->class_, words->version, mode, &done, answer->why,
                                   sizeof answer->why)
            : component_upgrade(component, mode, &done, answer->why, sizeof answer->why);
    answer->total = done.total;
    answer->converted = done.converted;
    answer->failed = done.failed;
    answer->vanished = done.vanished;
    return result;
}

/* What is no program at all is Linux's ENOEXEC, whether signed or not. */
static k42_result why_refused(k42_result result, const struct whole_file *file) {
    static const char magic[] = {0x7f, 'E', 'L', 'F'};
    bool is_elf = file->size >= sizeof magic &&
                  !__builtin_memcmp(whole_file_bytes(file), magic, sizeof magic);
    return result == -ENOKEY && !is_elf ? -ENOEXEC : result;
}

/* Inactive. `file`: NULL when there is none. */
static k42_result carry_out(const struct component_words *words, const struct whole_file *file,
                            struct k42_modules_answer *answer) {
    k42_result result = 0;
    if (words->unload[0])
        return component_unload(words->unload, words->to, answer->why, sizeof answer->why);
    k42_copy_text(answer->component, sizeof answer->component, words->component);
    if (file) {
        uint64_t began = time_ns();
        result = component_load(words->file[0] ? words->file : "the file", whole_file_bytes(file),
                                file->size, answer->component, answer->why, sizeof answer->why);
        answer->load_ns = time_ns() - began;
        result = why_refused(result, file);
    }
    return result || words->mode < 0 ? result : upgrade(words, answer->component, answer);
}

/* Where a component comes from. */
struct source {
    int descriptor;  /* negative: */
    uintptr_t image; /* of the caller's memory; 0: from nowhere, it is loaded already */
    size_t size;
};

static k42_result read_and_carry_out(const struct component_words *words,
                                     const struct source *source,
                                     struct k42_modules_answer *answer) {
    struct whole_file file = {0};
    k42_result result = 0;
    if (source->descriptor >= 0)
        result = whole_file_read(source->descriptor, &file);
    else if (source->image)
        result = whole_file_copy(source->image, source->size, &file);
    if (!result) {
        k42_exit();
        result = carry_out(words, file.frame ? &file : NULL, answer);
        k42_enter();
    }
    whole_file_discard(&file);
    return result;
}

static k42_result call(uintptr_t parameters, const struct source *source) {
    char text[PARAMETERS_MOST];
    struct component_words words;
    struct k42_modules_answer answer = {0};
    k42_result result = program_read_text(text, parameters, sizeof text);
    if (result >= 0)
        result = component_words_read(&words, text, source->descriptor >= 0 || source->image);
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    result = read_and_carry_out(&words, source, &answer);
    if (words.answer && program_write(words.answer, &answer, sizeof answer) < 0)
        return result ? result : -EFAULT;
    return result;
}

LINUX_CALL(175, init_module, uintptr_t image, size_t size, uintptr_t parameters) {
    struct source source = {-1, image, size};
    if (!task_capable(task_self(), CAP_SYS_MODULE))
        return -EPERM;
    return image ? call(parameters, &source) : size ? -EFAULT : -ENOEXEC;
}

LINUX_CALL(313, finit_module, int descriptor, uintptr_t parameters, unsigned flags) {
    struct source source = {descriptor, 0, 0};
    if (!task_capable(task_self(), CAP_SYS_MODULE))
        return -EPERM;
    return flags ? -EINVAL : call(parameters, &source);
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
    result = component_unload(text, "", why, sizeof why);
    k42_enter();
    return result;
}
