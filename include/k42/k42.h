/* Everything of libk42 in one include. */
#ifndef K42_H
#define K42_H

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

#endif
