/*
 * Objects that stand for a device: how the device passes from one to the next. Owns nothing.
 */
#include "device_object.h"

#include "runtime.h"

k42_result device_init(struct k42_root *root, const void *args) {
    DEVICE_OF_ROOT(root) = (void *)(uintptr_t)args;
    return 0;
}

k42_result device_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[DEVICE_KIND] = (uintptr_t)k42_root_class(from)->traits;
    state->word[DEVICE_POINTER] = (uintptr_t)DEVICE_OF_ROOT(from);
    return 0;
}

k42_result device_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    const char *kind = (const char *)state->word[DEVICE_KIND];
    if (!k42_text_equal(kind, k42_root_class(to)->traits))
        return -ENODEV;
    DEVICE_OF_ROOT(to) = (void *)state->word[DEVICE_POINTER];
    return 0;
}

void device_handed_over(struct k42_root *from, struct k42_state *state) {
    (void)state;
    DEVICE_OF_ROOT(from) = NULL;
}
