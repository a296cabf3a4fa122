/*
 * What implementing a page manager takes: the account and the order of pages that all classes have
 * in common. A policy is five functions of struct order_policy, and PM_ORDER_METHODS
 * makes the methods of them (kernel/mem/pm/pm_clock.c is the shortest).
 */
#ifndef K42_KERNEL_PM_PARTS_H
#define K42_KERNEL_PM_PARTS_H

#include <k42/kernel.h>

#include "../../../kernel/mem/pm/account.h"
#include "../../../kernel/mem/pm/body.h"
#include "../../../kernel/mem/pm/order.h"

#endif
