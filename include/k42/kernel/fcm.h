/*
 * What implementing a page cache takes: the body that all classes with pages have in common.
 */
#ifndef K42_KERNEL_FCM_PARTS_H
#define K42_KERNEL_FCM_PARTS_H

#include <k42/kernel.h>

#include "../../../kernel/mem/fcm/body.h"
#include "../../../kernel/mem/fcm/file_pages.h"
#include "../../../kernel/mem/fcm/page_tree.h"
#include "../../../kernel/mem/fcm/state.h"

#endif
