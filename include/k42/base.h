/*
 * Results, errors, annotations and the words every other header uses.
 *
 * Nothing here has state. Safe in C17 and C++17, with gcc and clang.
 */
#ifndef K42_BASE_H
#define K42_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define K42_C17(...)
#else
#define K42_C17(...) __VA_ARGS__
#endif

#define K42_VERSION_MAJOR 0
#define K42_VERSION_MINOR 1

/*
 * How a thread finds its translation table.
 *
 * Normally through %gs; a program compiled with -DK42_TLS=1 (pkg-config k42-tls) finds it through a
 * thread-local variable instead, with the same source. The two must not be mixed in one process: a
 * library or component of the other flavour is refused by name.
 */
#if defined(K42_TLS) && K42_TLS
#undef K42_TLS
#define K42_TLS     1
#define K42_FLAVOUR "tls"
#else
#undef K42_TLS
#define K42_TLS     0
#define K42_FLAVOUR "gs"
#endif

#if K42_TLS || defined(__cplusplus)
#define K42_SEG
#else
#define K42_SEG __seg_gs
#endif

#define K42_MUST_CHECK __attribute__((warn_unused_result))
#define K42_EXPORT     __attribute__((visibility("default")))

/* What every method returns: zero or a count, or a negative error. */
typedef long k42_result;

/* A result and one word more, in two registers. The word means nothing when the result is an error.
 */
struct k42_pair {
    k42_result result;
    uintptr_t word;
};

/*
 * Errors are negative errno values. These four lie outside Linux's range, and never reach a program
 * that runs on the kernel:
 */
enum {
    K42_WAIT = 4096,  /* not ready; nothing was done */
    K42_FAULT = 4097, /* a user page must be waited for */
    K42_STALE = 4098, /* the ref is dead: its object was destroyed */
    K42_RETRY = 4099, /* resolve again */
};

/* Positive results of k42_swap and its like that are not errors. */
enum {
    K42_QUEUED = 1, /* the caller is active, so the runtime's worker carries it out */
};

/* The name of an error, "-K42_STALE" or "-ENOMEM"; never NULL. Any context. */
K42_EXPORT const char *k42_error_name(k42_result error);

/*
 * Annotations of parameters, for the interface compiler (host/stubgen). Empty to gcc.
 *
 *   K42_IN, K42_OUT, K42_INOUT   direction of a pointer to one object
 *   K42_BUF(len, max)            a buffer of `len` bytes, a parameter's name, at most `max`
 *   K42_STRING(max)              a NUL-terminated string of at most `max` bytes
 *   K42_LOCAL                    cannot cross an address space: this method has no proxy
 */
#ifdef K42_STUBGEN
#define K42_NOTE(text) __attribute__((annotate("k42:" text)))
#else
#define K42_NOTE(text)
#endif
#define K42_IN            K42_NOTE("in")
#define K42_OUT           K42_NOTE("out")
#define K42_INOUT         K42_NOTE("inout")
#define K42_BUF(len, max) K42_NOTE("buf(" #len "," #max ")")
#define K42_STRING(max)   K42_NOTE("string(" #max ")")
#define K42_LOCAL         K42_NOTE("local")

#ifdef __cplusplus
}
#endif
#endif
