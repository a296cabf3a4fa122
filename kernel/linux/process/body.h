/*
 * The state of a process, as its class keeps it: one block behind the root. Only files that
 * implement the interface include this, those of components with later versions of the class too.
 *
 *   process.c   the class: threads, limits, numbers       family.c    children and parent
 *   signals.c   queues, actions, stopping                 time.c      time it uses
 *   tracees.c   whom it traces                            state.c     handing it over
 *
 * A class with more state has it behind this block, and behind each record of a child. Nothing
 * points into either but they themselves, so both may be made anew when the class is swapped.
 *
 * Locking: everything but constants is guarded by `lock`, which is leaf: of services only the heap,
 * wake-ups and thread_interrupt() are used under it. What must be told another process is copied
 * out and told afterwards.
 */
#ifndef KERNEL_PROCESS_BODY_H
#define KERNEL_PROCESS_BODY_H

#include "../../body.h"
#include "../../sched/thread.h"
#include "../../sched/wait.h"
#include "../task.h"
#include "process.h"

#include <k42/k42.h>

struct child_record {
    struct child child;
    struct child_record *next, *before;
};

struct process_body {
    struct k42_lock lock;
    int32_t pid, group, session; /* pid: constant */
    k42_id parent;
    int32_t parent_pid;
    int32_t exit_signal;
    uint64_t started_ns;

    struct task *first, *last; /* threads; the first began it, or took its place */
    uint32_t threads;
    struct task *alone; /* the thread that is ending the others, to be alone */
    bool ending;        /* all threads are to end */
    bool ended;         /* and have */
    bool known;         /* whoever waits for it has been told that */
    bool executed;
    bool borrows;         /* its parent's memory */
    char name[TASK_NAME]; /* of the last thread that left */
    uint32_t uid, gid;    /* effective, of that one */
    int32_t status;       /* as wait() gives it; meaningful when ending */

    struct signal_queue pending; /* for whichever thread */
    uint32_t queued;             /* entries in all queues */
    int32_t stop_signal;         /* stopped by it, or 0 */
    uint32_t stopped;            /* threads that have stopped */
    bool stop_reported;          /* to the parent */
    uint32_t turns;              /* how often the parent was to be told of something */

    struct child_record *children, *last_child;
    uint32_t news;  /* children that are not just running */
    bool childless; /* it is ending, no more come */

    struct tracee *tracees; /* whom its threads trace */
    struct tracee
        *first_tracee;     /* by which its first thread was, when that has left before others */
    int32_t parent_thread; /* which of its parent's made it, or 0 */

    struct process_times times;       /* of threads that have ended */
    struct process_times child_times; /* of children that were waited for */
    struct process_heritage own;      /* limits, actions, numbers */
};

static inline struct process_body *process_body_of(struct process *self) {
    return BODY(self);
}

static inline k42_id process_id_of(struct process *self) {
    return k42_root_id(BODY_ROOT(self));
}

static inline bool process_is_first(const struct process_body *body) {
    return body->pid == 1;
}

/* ---- between the files; with the lock held where they take a body ---- */

/* Ends all threads with a status, unless that is so already. */
void process_end_locked(struct process_body *body, int status);
/* A thread of it, or NULL. */
struct task *process_thread_locked(struct process_body *body, int tid);

/* Queues a signal and sees to it that somebody deals with it. 0 or -EAGAIN. */
k42_result process_send_locked(struct process_body *body, struct task *task,
                               const struct signal_info *info);
/* Throws away what is queued. */
void signal_queue_empty(struct process_body *body, struct signal_queue *queue, uint64_t set);
/* Whether nobody will wait for a child that ends. */
bool process_disregards_children(const struct process_body *body);
/* A thread is leaving: the others may all have stopped now. True: the parent is to be told. */
bool process_stop_is_complete(struct process_body *body);

/* What the parent is to know, and who that is: noted with the lock, told without. */
struct process_change {
    struct child child;
    k42_id parent;
};
struct process_change process_change_locked(struct process *self, enum child_state state,
                                            int status);
void process_tell_parent(const struct process_change *change);

/* time.c */
k42_result process_times(struct process *self, struct process_times *times);
struct k42_pair process_time_limit(struct process *self);

/* signals.c */
k42_result process_send(struct process *self, int tid, const struct signal_info *info);
k42_result process_take(struct process *self, struct task *task, uint64_t set, unsigned deliver,
                        struct signal_taken *taken);
k42_result process_block(struct process *self, struct task *task, uint64_t blocked);
struct k42_pair process_pending(struct process *self, struct task *task);
k42_result process_queued(struct process *self, struct task *task, uint64_t position,
                          struct signal_info *info);
k42_result process_act(struct process *self, int signal, const struct signal_action *wanted,
                       struct signal_action *present);
k42_result process_stop(struct process *self, struct task *task, int signal);
/* The signals that the program ignores by its own choice. */
uint64_t process_disregarded(struct process_body *body);
/* Handlers go; what is ignored stays. */
void process_actions_reset(struct process_body *body);

/* ---- how a class keeps the records of children (family.c) ---- */

/* All are in the list in the order of coming; what a class has besides, it notes when one came or
 * is about to go. With the lock held; NULL: nothing. */
struct family {
    size_t record_size; /* of a record and what is behind it, which is zero at first */
    struct child_record *(*find)(struct process_body *body, int pid); /* or NULL */
    void (*added)(struct process_body *body, struct child_record *record);
    void (*removed)(struct process_body *body, struct child_record *record);
};
extern const struct family process_family;

void process_add_record(struct process_body *body, struct child_record *record,
                        const struct family *family);

/* The methods that find, add or take away records. */
k42_result family_adopt(struct process *self, const struct child *child,
                        const struct family *family);
k42_result family_changed(struct process *self, const struct child *child,
                          const struct family *family);
k42_result family_wait(struct process *self, const struct child_choice *choice, struct child *child,
                       const struct family *family);
k42_result family_disown(struct process *self, struct child *child, const struct family *family);

/* family.c */
k42_result process_adopt(struct process *self, const struct child *child);
k42_result process_changed(struct process *self, const struct child *child);
k42_result process_wait(struct process *self, const struct child_choice *choice,
                        struct child *child);
k42_result process_disown(struct process *self, struct child *child);
k42_result process_children(struct process *self, int thread, int after, int32_t *pids,
                            size_t size);
k42_result process_reparent(struct process *self, k42_ref parent, int parent_pid,
                            struct child *child);
k42_result process_ended(struct process *self, struct child *child);
k42_result process_known(struct process *self);
k42_result process_regroup(struct process *self, int group, int session);
k42_result process_borrow(struct process *self, unsigned back);

/* tracees.c */
k42_result process_trace(struct process *self, struct tracee *tracee);
k42_result process_untrace(struct process *self, struct tracee *tracee);
struct k42_pair process_traced(struct process *self, int tid);
/* What wait() has of them: as process.wait, but -K42_WAIT is yet to be said where. Who is reaped so
 * is in *gone, with a hold that is the caller's. */
k42_result process_wait_tracee(struct process_body *body, const struct child_choice *choice,
                               struct child *child, struct tracee **gone);

/* process.c */
k42_result process_init(struct k42_root *root, const void *args);
/* With a block of so many bytes, what is behind a struct process_body zero. */
k42_result process_init_sized(struct k42_root *root, const void *args, size_t size);
void process_fini(struct k42_root *root);
/* A block and its records; a list of records. */
void process_free(struct process_body *body);
void process_free_records(struct child_record *record);
k42_result process_describe(struct k42_object *self, char *text, size_t size);
k42_result process_info(struct process *self, struct process_info *info);
k42_result process_join(struct process *self, struct task *task);
struct k42_pair process_leave(struct process *self, struct task *task);
struct k42_pair process_thread(struct process *self, int tid, unsigned next);
k42_result process_keep(struct process *self, struct task *task,
                        k42_result (*fn)(struct thread *thread, void *argument), void *argument);
k42_result process_end(struct process *self, int status);
k42_result process_alone(struct process *self, struct task *task);
k42_result process_executed(struct process *self);
k42_result process_limit(struct process *self, unsigned resource,
                         const struct process_limit *wanted, struct process_limit *present,
                         unsigned may_raise);
k42_result process_number(struct process *self, unsigned which);
k42_result process_set_number(struct process *self, unsigned which, int value);
k42_result process_bequeath(struct process *self, struct process_heritage *heritage);

/* ---- for every version of the class ---- */

extern const struct k42_format process_format; /* word 0 is the body */

/*
 * The canonical format, process.state: word 0 is the exporter's struct process_body, whose records
 * are read as struct child_record; measured is about how many there are. The importer makes a block
 * and records of its own. Threads, what is queued and what the process inherited are as they were.
 */
extern const struct k42_format process_state_format;
size_t process_measure(struct k42_root *from);
k42_result process_prepare_sized(struct k42_root *to, struct k42_state *state, size_t size,
                                 const struct family *family);
k42_result process_import_family(struct k42_root *to, struct k42_state *state,
                                 const struct family *family);
void process_given(struct k42_root *from, struct k42_state *state);
k42_result process_prepare(struct k42_root *to, struct k42_state *state);
k42_result process_import(struct k42_root *to, struct k42_state *state, unsigned part);

#define PROCESS_STATE_TRANSFER(prepare_, import_)                                                  \
    {                                                                                              \
        .format = &process_state_format, .measure = process_measure, .prepare = (prepare_),        \
        .export_state = body_export, .import_state = (import_), .handed_over = process_given       \
    }

/* The transfers of a class without state of its own. */
#define PROCESS_TRANSFERS                                                                          \
    {                                                                                              \
        {.format = &process_format,                                                                \
         .export_state = body_export,                                                              \
         .import_state = body_import,                                                              \
         .handed_over = body_handed_over},                                                         \
            PROCESS_STATE_TRANSFER(process_prepare, process_import), {0},                          \
    }

#define PROCESS_METHODS                                                                            \
    .object.describe = process_describe, .info = process_info, .join = process_join,               \
    .leave = process_leave, .thread = process_thread, .end = process_end, .alone = process_alone,  \
    .send = process_send, .take = process_take, .block = process_block,                            \
    .pending = process_pending, .act = process_act, .stop = process_stop,                          \
    .executed = process_executed, .adopt = process_adopt, .changed = process_changed,              \
    .wait = process_wait, .disown = process_disown, .children = process_children,                  \
    .reparent = process_reparent, .ended = process_ended, .times = process_times,                  \
    .regroup = process_regroup, .borrow = process_borrow, .limit = process_limit,                  \
    .bequeath = process_bequeath, .number = process_number, .set_number = process_set_number,      \
    .time_limit = process_time_limit, .keep = process_keep, .trace = process_trace,                \
    .untrace = process_untrace, .traced = process_traced, .queued = process_queued,                \
    .known = process_known

#endif
