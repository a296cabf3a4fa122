/*
 * Job control as terminals need it: who calls, whom to signal. Services of the personality; the
 * calling thread is active. A kernel thread that calls is nobody.
 */
#ifndef KERNEL_JOB_H
#define KERNEL_JOB_H

#include <k42/object.h>
#include <stdbool.h>

struct terminal_facts;

struct job {
    int32_t process, group, session; /* all 0: not a program */
    bool leads;                      /* its session */
    bool orphaned;                   /* its group: stopping it would be for ever */
};

/* The calling process. */
void job_self(struct job *job);
/* Whether the calling thread would notice a signal: neither ignores nor blocks it. */
bool job_minds(int signal);
/* A signal from the kernel to each process of a group; of a session's leader. */
void job_signal(int32_t group, int signal);
void job_signal_leader(int32_t session, int signal);
/* A session's terminal hangs up: it has none any more, its leader hears of it, and the group that
 * was in the foreground will when the leader ends. */
void job_hang_up(int32_t session, int32_t foreground);
bool job_group_exists(int32_t group);
/* Whether a group is there and belongs to the session. */
bool job_in_session(int32_t group, int32_t session);

/* The terminal that controls the calling process's session, or K42_NULL_REF. */
k42_ref job_terminal(void);
/* What there is to say of a session's. False: it has none. */
bool job_terminal_facts(int32_t session, struct terminal_facts *facts);
/* Says which one does, for a session; K42_NULL_REF: none any more. */
void job_set_terminal(int32_t session, k42_ref terminal);
/* This one does not any more, if it did. */
void job_lose_terminal(int32_t session, k42_ref terminal);
/* Whose files the calling thread makes: 0, 0 if it is no program's. */
void job_user(uint32_t *uid, uint32_t *gid);
/* Whether the calling thread may take another session's. */
bool job_may_steal(void);

#endif
