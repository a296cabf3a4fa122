/*
 * FCM: methods of classes whose pages no PM chooses from, since none of them leaves.
 */
#ifndef KERNEL_FCM_UNMANAGED_H
#define KERNEL_FCM_UNMANAGED_H

#include "fcm.h"

#include <errno.h>

static inline k42_result fcm_unmanaged_leave(struct fcm *self, uint64_t index, unsigned flags) {
    (void)self, (void)index, (void)flags;
    return -EBUSY;
}

static inline k42_result fcm_unmanaged_manage(struct fcm *self, k42_ref pm) {
    (void)self, (void)pm;
    return -ENOTSUP;
}

static inline k42_result fcm_unmanaged_expect(struct fcm *self, uint64_t index) {
    (void)self, (void)index;
    return -ENOTSUP;
}

static inline k42_result fcm_unmanaged_adopt(struct fcm *self, uint64_t index, uint64_t physical) {
    (void)self, (void)index, (void)physical;
    return -ENOTSUP;
}

#define FCM_UNMANAGED_METHODS                                                                      \
    .leave = fcm_unmanaged_leave, .manage = fcm_unmanaged_manage, .expect = fcm_unmanaged_expect,  \
    .adopt = fcm_unmanaged_adopt

#endif
