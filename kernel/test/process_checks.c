/*
 * Checks of processes as objects: test=process. Without programs: tasks here are records without a
 * thread, as far as their process looks at them.
 */
#include "../kernel.h"
#include "../linux/abi.h"
#include "../linux/process/ids.h"
#include "../mem/heap/heap.h"
#include "../print.h"

#include <k42/k42.h>

extern struct k42_class process_linux;

/* The numbers are not taken: nobody finds these processes. */
static process_ref make(process_ref parent, int pid) {
    struct process_creation creation = {
        .heir_of = parent, .parent = parent, .pid = pid, .parent_pid = 1, .exit_signal = SIGCHLD};
    process_ref process;
    return process_create(&creation, &process) < 0 ? (process_ref)K42_NULL_REF : process;
}

static struct child child_of(process_ref process, int pid) {
    return (struct child){
        .pid = pid, .process = k42_id_of(process), .exit_signal = SIGCHLD, .state = CHILD_RUNS};
}

static bool is_gone(process_ref process) {
    return k42_destroy((k42_ref)process) >= 0;
}

KERNEL_CHECK(process, a_childs_end_is_told_once_and_collected_once) {
    k42_enter();
    process_ref parent = make((process_ref)K42_NULL_REF, 1001), son = make(parent, 1002);
    struct child record = child_of(son, 1002), found;
    struct child_choice any = {.states = 1u << CHILD_ENDED, .kinds = __WALL};
    bool holds = k42_call(parent, wait, &any, &found) == -ECHILD &&
                 k42_call(parent, adopt, &record) == 0 &&
                 k42_call(parent, wait, &any, &found) == -K42_WAIT;
    record.state = CHILD_ENDED;
    record.status = 7 << 8;
    record.turn = 1;
    holds = holds && k42_call(parent, changed, &record) == 0 &&
            k42_call(parent, wait, &any, &found) == 1002 && found.status == 7 << 8 &&
            k42_call(parent, wait, &any, &found) == -ECHILD &&
            k42_call(parent, changed, &record) == -ESRCH;
    holds = is_gone(son) && is_gone(parent) && holds;
    k42_exit();
    return holds;
}

KERNEL_CHECK(process, a_child_that_ends_while_it_changes_parents_is_not_lost) {
    k42_enter();
    process_ref first = make((process_ref)K42_NULL_REF, 1003), son = make(first, 1004);
    process_ref second = make((process_ref)K42_NULL_REF, 1005);
    struct child record = child_of(son, 1004), found, now;
    struct child_choice any = {.states = 1u << CHILD_ENDED, .kinds = __WALL};
    /* The old parent has let go, the new one has it, and only then does the child end. */
    bool holds = k42_call(first, adopt, &record) == 0 && k42_call(first, disown, &found) == 1004 &&
                 k42_call(first, adopt, &record) == -ESRCH && k42_call(second, adopt, &record) == 0;
    holds = holds && k42_call(son, ended, &now) == k42_id_of(first) &&
            k42_call(first, changed, &now) == -ESRCH;
    /* Whoever moves it finds it ended, and tells the new parent. */
    holds = holds && k42_call(son, reparent, (k42_ref)second, 1005, &now) == 1 &&
            k42_call(second, changed, &now) == 0 && k42_call(second, wait, &any, &found) == 1004;
    holds = is_gone(son) && is_gone(first) && is_gone(second) && holds;
    k42_exit();
    return holds;
}

KERNEL_CHECK(process, a_child_has_its_parents_limits_and_actions) {
    k42_enter();
    process_ref parent = make((process_ref)K42_NULL_REF, 1006);
    struct process_limit limit = {77, 88}, found;
    struct signal_action action = {.handler = 1}, inherited;
    bool holds = k42_call(parent, limit, RLIMIT_NOFILE, &limit, NULL, 1) == 0 &&
                 k42_call(parent, act, SIGUSR1, &action, NULL) == 0;
    process_ref son = make(parent, 1007);
    holds = holds && k42_call(son, limit, RLIMIT_NOFILE, NULL, &found, 0) == 0 && found.now == 77 &&
            found.most == 88 && k42_call(son, act, SIGUSR1, NULL, &inherited) == 0 &&
            inherited.handler == 1;
    limit.most = 89;
    holds = holds && k42_call(son, limit, RLIMIT_NOFILE, &limit, NULL, 0) == -EPERM &&
            k42_call(son, act, SIGKILL, &action, NULL) == -EINVAL;
    holds = is_gone(son) && is_gone(parent) && holds;
    k42_exit();
    return holds;
}

static bool has_come(process_ref process, int signal, int code) {
    struct signal_info sent = {.signal = signal, .code = code};
    struct process_info info;
    return k42_call(process, send, 0, &sent) == 0 && k42_call(process, info, &info) == 0 &&
           (info.pending & signal_bit(signal));
}

KERNEL_CHECK(process, the_first_process_gets_what_it_handles_and_the_kernels_own_end) {
    k42_enter();
    process_ref first = make((process_ref)K42_NULL_REF, 1), other = make(first, 1010);
    struct signal_action action = {.handler = 0x1000};
    bool holds = !has_come(first, SIGINT, SI_KERNEL) && !has_come(first, SIGTSTP, SI_KERNEL) &&
                 !has_come(first, SIGXCPU, SI_KERNEL) && !has_come(first, SIGKILL, SI_USER) &&
                 has_come(other, SIGINT, SI_KERNEL) && has_come(other, SIGKILL, SI_USER);
    holds = holds && k42_call(first, act, SIGINT, &action, NULL) == 0 &&
            has_come(first, SIGINT, SI_KERNEL) && has_come(first, SIGKILL, SI_KERNEL);
    holds = is_gone(other) && is_gone(first) && holds;
    k42_exit();
    return holds;
}

KERNEL_CHECK(process, time_that_is_up_says_so_once_a_second_and_at_last_ends) {
    k42_enter();
    process_ref process = make((process_ref)K42_NULL_REF, 1011);
    struct process_limit limit = {0, 5}, now;
    struct k42_pair none = k42_call(process, time_limit);
    bool holds = none.result == 0 && none.word == ~0ul &&
                 k42_call(process, limit, RLIMIT_CPU, &limit, NULL, 1) == 0;
    struct k42_pair soft = k42_call(process, time_limit), next = k42_call(process, time_limit);
    holds = holds && soft.result == SIGXCPU && soft.word == 1000000000 && next.result == 0 &&
            next.word == 1000000000 && k42_call(process, limit, RLIMIT_CPU, NULL, &now, 0) == 0 &&
            now.now == 1 && now.most == 5;
    limit = (struct process_limit){0, 0};
    holds = holds && k42_call(process, limit, RLIMIT_CPU, &limit, NULL, 1) == 0;
    struct k42_pair hard = k42_call(process, time_limit);
    holds = holds && hard.result == SIGKILL && hard.word == ~0ul;
    holds = is_gone(process) && holds;
    k42_exit();
    return holds;
}

KERNEL_CHECK(process, a_process_keeps_everything_when_its_class_is_swapped) {
    k42_enter();
    process_ref process = make((process_ref)K42_NULL_REF, 1008);
    struct child record = child_of((process_ref)K42_NULL_REF, 1009), found;
    struct process_limit limit = {5, 6};
    bool holds = k42_call(process, adopt, &record) == 0 &&
                 k42_call(process, limit, RLIMIT_CORE, &limit, NULL, 1) == 0;
    k42_exit();
    for (unsigned i = 0; i < 3 && holds; i++) {
        struct k42_swap_report report;
        holds = k42_swap((k42_ref)process, &process_linux, &report) >= 0;
        if (!holds)
            print("%s", report.text);
    }
    k42_enter();
    holds = holds && k42_call(process, limit, RLIMIT_CORE, NULL, &limit, 0) == 0 &&
            limit.now == 5 && k42_call(process, disown, &found) == 1009;
    holds = is_gone(process) && holds;
    k42_exit();
    return holds;
}

KERNEL_CHECK(process, numbers_of_groups_and_sessions_come_back) {
    k42_enter();
    k42_result number = ids_take();
    process_ref process = make((process_ref)K42_NULL_REF, (int)number);
    ids_set((int)number, process);
    bool holds = number > 0 && k42_id_of(ids_process((int)number)) == k42_id_of(process) &&
                 !ids_group((int)number) && group_join((int)number, NULL, process) == 0;
    struct group *group = ids_group((int)number);
    holds = holds && group && group->session == ids_session((int)number) &&
            group_join((int)number, NULL, process) == -EPERM &&
            group_join((int)number + 1, group->session, process) == -EPERM;
    group_leave((int)number, process);
    holds = holds && !ids_group((int)number) && !ids_session((int)number);
    ids_give((int)number);
    holds = is_gone(process) && !k42_id_of(ids_process((int)number)) && holds;
    k42_exit();
    return holds;
}
