/*
 * The first program: a root file system from what was loaded beside the kernel, a console, and
 * /init (or init=PATH) as process 1.
 *
 * Runs in the thread that becomes that program. What is missing is said, and the machine stops:
 * without a first program there is nothing to do.
 */
#include "../fs/file.h"
#include "../fs/path.h"
#include "../mem/heap/heap.h"
#include "../print.h"
#include "../sched/wait.h"
#include "abi.h"
#include "alarms.h"
#include "call.h"
#include "clocks.h"
#include "control/control.h"
#include "exec/exec.h"
#include "exec/vdso.h"
#include "files/descriptors.h"
#include "futexes.h"
#include "ipc/posix_queue.h"
#include "namespaces/name_space.h"
#include "proc/proc.h"
#include "process/ids.h"
#include "process/lives.h"
#include "process/users.h"
#include "seccomp/seccomp.h"
#include "swap.h"
#include "task.h"

#include <k42/k42.h>

#define ALL_CAPABILITIES ((1ul << (CAP_LAST_CAP + 1)) - 1)

static _Noreturn void stop(const char *what, const char *which, k42_result error) {
    panic("linux: %s %s: %s", what, which, k42_error_name(error));
}

static void must(k42_result result, const char *what, const char *which) {
    if (result < 0)
        stop(what, which, result);
}

static struct credentials *all_rights(void) {
    struct credentials *credentials = credentials_make(0);
    if (!credentials)
        stop("no credentials for", "the first program", -ENOMEM);
    credentials->effective = credentials->permitted = credentials->bounding = ALL_CAPABILITIES;
    return credentials;
}

/* Process 1, of a group and session of its own. */
static void be_first(struct task *task) {
    struct process_creation creation = {.pid = 1, .group = 1, .session = 1};
    must(user_add_thread(0, UINT64_MAX), "no account for", "the first program");
    must(ids_take() - 1, "no number for", "the first program");
    task->tid = task->pid = 1;
    must(process_create(&creation, &task->process), "no process for", "the first program");
    must(k42_call(task->process, join, task), "no thread in", "the first process");
    ids_set(1, task->process);
    must(group_join(1, NULL, task->process), "no group for", "the first process");
    __builtin_memcpy(task->name, "init", 5);
}

/* Standard input, output and error. */
static void open_console(struct task *task) {
    struct path path = {.context = task->paths, .who = task->credentials, .flags = PATH_FOLLOW};
    struct k42_pair file = {.result = path_walk(&path, "/dev/console")};
    if (file.result >= 0)
        file = k42_call(path.found.node, open, O_RDWR | O_NOCTTY);
    if (file.result < 0) {
        print("linux: cannot open /dev/console: %s; the first program starts without files",
              k42_error_name(file.result));
        return;
    }
    must(k42_call((file_ref)file.word, set_place, &path.found), "no place for", "/dev/console");
    for (int number = 0; number < 3; number++) {
        if (number)
            must(k42_call((file_ref)file.word, hold), "cannot hold", "/dev/console");
        must(k42_call(task->descriptors, add, 0, (k42_ref)file.word, 0, 1024), "no descriptor of",
             "/dev/console");
    }
}

static void add(struct image *image, struct texts *texts, const char *text) {
    must(texts_add(&image->arguments, texts, text), "no memory for an argument of",
         "the first program");
}

static void run(struct task *task) {
    static const char *const environment[] = {"HOME=/", "TERM=linux",
                                              "PATH=/usr/sbin:/usr/bin:/sbin:/bin"};
    struct trap_frame frame;
    struct image *image = heap_allocate_zeroed(sizeof *image);
    if (!image)
        stop("no memory for", "the first program", -ENOMEM);
    if (!boot_option("init", image->path, sizeof image->path))
        __builtin_memcpy(image->path, "/init", 6);
    image->arguments.limit = ARGUMENT_MAX;
    add(image, &image->arguments.values, image->path);
    for (unsigned i = 0; i < sizeof environment / sizeof *environment; i++)
        add(image, &image->arguments.environment, environment[i]);
    must(exec_image(image, AT_FDCWD, PATH_FOLLOW, &frame),
         "cannot run the first program (the option init=PATH names another)", image->path);
    arguments_free(&image->arguments);
    heap_free(image);
    task->start = frame;
}

static void first(void *argument) {
    struct task *task = argument;
    k42_enter();
    task->credentials = all_rights();
    be_first(task);
    if (!(task->paths = path_context_make()))
        stop("no directory for", "the first program", -ENOMEM);
    must(descriptors_make(&task->descriptors), "no table of files for", "the first program");
    open_console(task);
    run(task);
    k42_exit();
    user_enter(&task->start);
}

void linux_open(void) {
    linux_calls_open();
    personality_open();
    ids_open();
    vdso_open();
    out_of_memory_open();
    linux_swap_open();
    proc_processes_register();
    proc_machine_register();
    proc_terminals_register();
    proc_k42_register();
    futexes_open();
    alarms_open();
    seccomp_register();
    k42_enter();
    name_spaces_proc_register();
    posix_names_open();
    control_register();
    k42_exit();
}

void linux_start(void) {
    struct task *task = task_make();
    if (task)
        task->thread = thread_create("init", first, task);
    if (!task || !task->thread)
        stop("no thread for", "the first program", -ENOMEM);
    thread_set_task(task->thread, task);
    user_context_open(thread_user(task->thread), task->state, NULL, &linux_personality);
    thread_launch(task->thread);
}
