/*
 * What the calls on mount contexts share: see mount_contexts.c.
 */
#ifndef K42_LINUX_FILES_MOUNT_CONTEXTS_H
#define K42_LINUX_FILES_MOUNT_CONTEXTS_H

#include "../events/unnamed.h"
#include "mount_trees.h"

#include "../../fs/types.h"

enum { OPTIONS_MOST = 1024, TEXT_MOST = 256 };

/* What may be done with a context. */
enum phase { PHASE_OPTIONS, PHASE_MAKING, PHASE_MADE, PHASE_MOUNTED, PHASE_CHANGES, PHASE_FAILED };

struct mount_context {
    struct opened opened;
    struct file_system_type *type; /* constant; NULL: a mount was picked */
    struct k42_lock lock;          /* of what follows */
    enum phase phase;
    node_ref root;       /* held, when it was made */
    struct mount *mount; /* held, when it was picked */
    bool read_only;
    size_t length;
    char options[OPTIONS_MOST], source[TEXT_MOST];
};

/* The context behind a descriptor, and the file, whose the context is: the caller's as long as
 * unnamed_get() says. -EBADF, -EINVAL: it is another kind of file. */
k42_result mount_context_find(int fd, file_ref *file, struct mount_context **context);

#endif
