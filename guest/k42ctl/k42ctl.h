/*
 * k42ctl: what its parts share.
 *
 *   main.c      the table of commands, help
 *   device.c    the conversation with the kernel
 *   output.c    JSON and tables
 *   advice.c    what would have worked
 *   subjects.c  which objects the words after a command mean
 *   owners.c    which process or file an object belongs to
 *   objects.c, classes.c, swap.c, hooks.c, component.c, updates.c (updates.h
 *   says with what), policy.c, policy_run.c, policy_tell.c, canary.c
 *   (policy_run.h: a policy that is a program), chaos.c, advisors.c, reboot.c    the commands
 *
 * An ordinary program that runs one command and ends; memory is given back by its end. What it
 * cannot do it says on standard error, naming the object, the reason, and what would have worked.
 */
#ifndef GUEST_K42CTL_H
#define GUEST_K42CTL_H

#include <k42/control.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses; the last: a policy misbehaved, and what was before is back. */
enum { DONE, REFUSED, WRONG_WORDS, ROLLED_BACK };

/* A command is called with the words after its name, which end with NULL. */
struct command {
    const char *name;
    int (*run)(char **words);
    const char *usage; /* what follows the name */
    const char *about; /* one line */
    const char *more;  /* options, one a line; or NULL */
};

/* ---- words (main.c) ---- */

extern bool as_json; /* --json was given */

/* What is printed when a command is called wrongly; returns WRONG_WORDS. */
int wrong_words(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What is printed when something cannot be done; returns REFUSED. */
int refused(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same, and the program ends with it. */
_Noreturn void give_up(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An option that takes a word: whether *words is it; then *value is the word and *words is behind.
 */
bool option_value(char ***words, const char *name, const char **value);
/* An option without. */
bool option(char ***words, const char *name);
/* A whole number in a word; false when it is none or more than `most`. */
bool number_of(const char *word, uint64_t most, uint64_t *number);
/* A time: 20ms, 3us, 1s; a mere number is milliseconds. */
bool time_of(const char *word, uint64_t most_ns, uint64_t *ns);

void *allocate(size_t size);
void *enlarge(void *memory, size_t size);

/* ---- the kernel (device.c) ---- */

struct answer {
    const struct k42_control_head *head;
    const void *records; /* head->count of them */
};

/*
 * Asks, and waits for the answer, which is good until the next question. False: errno says why
 * not. `ids` may be NULL.
 */
bool ask(enum k42_control_kind kind, const void *body, size_t size, const uint32_t *ids,
         uint32_t count, struct answer *answer);
/* The same, without ids, until one of the signals that `heeded` lets through comes, or so much time
 * has passed (0: without end): false. */
bool ask_until_signal(enum k42_control_kind kind, const void *body, size_t size,
                      const sigset_t *heeded, uint64_t ns, struct answer *answer);
/* All records of a kind that comes in pieces, in one block of memory; how many bytes and records.
 * Gives up when the kernel refuses. */
void *ask_all(enum k42_control_kind kind, const struct k42_control_filter *filter, size_t *size,
              size_t *count);

/* ---- output (output.c) ---- */

/* JSON, one value on one line: members and elements in the order in which they are given. A key is
 * NULL in an array and at the top. */
void json_object(const char *key);
void json_array(const char *key);
void json_end(void); /* of the innermost; of the outermost ends the line */
void json_text(const char *key, const char *text);
void json_number(const char *key, uint64_t number);
void json_flag(const char *key, bool flag);

/* A table: cells one after the other; columns are as wide as they must be. A column whose title
 * begins with '>' is of numbers, which end below each other. */
void table_begin(const char *const *titles, unsigned columns);
void table_cell(const char *format, ...) __attribute__((format(printf, 1, 2)));
void table_end(void);

/* Bytes, or nanoseconds, for people; the text is good for some further calls. */
const char *size_text(uint64_t bytes);
const char *time_text(uint64_t ns);

/* ---- advice (advice.c) ---- */

/* The classes there are; loaded once. */
const struct k42_control_class *classes(size_t *count);
const struct k42_control_class *class_find(const char *name);
/* "; nearest is X" and "; of interface I there are X, Y", or nothing. */
const char *advice_name(const char *name);
const char *advice_interface(const char *interface_);
/* They are loaded again when they are asked for next. */
void classes_forget(void);
/* Gives up unless there is a class of that name. */
void class_must_be(const char *name);

/* ---- which objects (subjects.c) ---- */

struct subjects {
    uint32_t *ids;
    size_t count;
    const char *class_; /* --class C: only those that are of it still; or NULL */
};

extern const char subject_usage[], subject_more[];

/*
 * Takes a word or an option that names objects from *words: a number, --file, --pid, --class,
 * --interface, --what. False: it is something else.
 */
bool subject_word(char ***words);
/* All that a file, a process or a container has, or of a class: "file:PATH", "pid:N",
 * "container:N", "class:C". False: it is none of these. May be said again. */
bool subject_scope(const char *scope);
/* After all words: finds them. Gives up when there are none. */
void subjects_find(struct subjects *subjects);
/* Whether any word named objects. */
bool subjects_named(void);

/* ---- whose they are (owners.c) ---- */

/* How somebody refers to an object. */
struct owner {
    const struct k42_control_owned *owned;
    const char *part; /* "open file", "node", "page cache", ... */
};

/* Asks once for all processes, or for one (0: all). */
void owners_load(int pid);
/* The n-th owner of an object, n from 0; false: there are no more. */
bool owner_of(uint32_t id, size_t n, struct owner *owner);
/* All that was told, in order; NULL: no more. */
const struct k42_control_owned *owned_next(const struct k42_control_owned *owned);
/* The object of a part of it, in the order process..., node, page cache, medium; 0: it has none. */
uint32_t owned_part(const struct k42_control_owned *owned, unsigned part, const char **name);
enum { OWNED_PARTS = 4 };
/* The name of a process that was told of. */
const char *process_name(int pid);
/* "/etc/passwd, descriptor 3 of cat (17)" */
const char *owner_text(const struct owner *owner);
/* A file's name as it is shown. */
const char *file_text(const struct k42_control_owned *owned);

/* ---- components (component.c) ---- */

struct k42_modules_answer;
/* Asks with parameters (k42/modules.h), to which where the answer goes is added. `file`: -1, or the
 * component's. False: answer->why says why not. */
bool modules_ask(int file, const char *parameters, struct k42_modules_answer *answer);
/* The word that says of a file's name what fits, for messages. */
void modules_put_file(char *to, size_t size, const char *path);

/* ---- the commands ---- */

int objects_command(char **words);
int show_command(char **words);
int classes_command(char **words);
int stats_command(char **words);
int swap_command(char **words);
int watch_command(char **words);
int interpose_command(char **words);
int advisors_command(char **words);
int chaos_command(char **words);
int policy_command(char **words);
int reboot_command(char **words);
int load_command(char **words);
int unload_command(char **words);
int upgrade_command(char **words);
int updates_command(char **words);

#endif
