/*
 * What the kernel offers to components: this list is the contract.
 *
 * A component includes this header, or one of those in kernel/ that bring what implementing a
 * certain interface takes, and nothing else. It may use every function and variable that the
 * headers named there declare, by name and version: the version is a checksum of all types
 * concerned, so a component meets a kernel that has changed where it matters as an error when it is
 * loaded, never as a surprise when it runs.
 *
 * Interfaces of what can be replaced, and what implementing one takes. Locks, waiting and user
 * memory follow the rules of docs/components.md.
 */
#ifndef K42_KERNEL_H
#define K42_KERNEL_H

#include <errno.h>

/* The object runtime. */
#include <k42/base.h>
#include <k42/class.h>
#include <k42/component.h>
#include <k42/interpose.h>
#include <k42/lock.h>
#include <k42/object.h>
#include <k42/ref.h>
#include <k42/swap.h>
#include <k42/thread.h>
#include <k42/trace.h>

/* Text, lines on the console. */
#include "../../core/text.h"
#include "../../kernel/print.h"

/* Memory of the kernel and of programs. */
#include "../../kernel/copy.h"
#include "../../kernel/mem/frame/frame.h"
#include "../../kernel/mem/heap/heap.h"

/* Waiting, time, CPUs. */
#include "../../kernel/arch/x86_64/arch.h"
#include "../../kernel/sched/wait.h"

/* Interfaces: page caches, where pages come from, who has how many. */
#include "../../kernel/mem/fcm/fcm.h"
#include "../../kernel/mem/fr/fr.h"
#include "../../kernel/mem/pm/pm.h"

/* Interfaces: whose turn it is; files and pipes. */
#include "../../kernel/fs/file.h"
#include "../../kernel/fs/node.h"
#include "../../kernel/fs/pipe/pipe.h"
#include "../../kernel/sched/run_queue/run_queue.h"

/* What compilers call. */
void *memcpy(void *to, const void *from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *left, const void *right, size_t size);

#endif
