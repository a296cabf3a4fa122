/*
 * Objects that stand for a device: a root, a representative, and a pointer to what the driver
 * knows the device by, which passes on when the object is swapped.
 *
 * The device goes on working meanwhile: what is under way with it belongs to what the pointer leads
 * to. Whoever has the pointer when its root ends, ends the device.
 *
 * The canonical formats of block and stream are this, by pointer:
 *   word[DEVICE_KIND]     the address of the traits of the exporter's class ("device=virtio"); a
 *                         class takes over devices of its own kind, and answers -ENODEV to others
 *   word[DEVICE_POINTER]  the pointer
 */
#ifndef KERNEL_DEVICE_OBJECT_H
#define KERNEL_DEVICE_OBJECT_H

#include <k42/class.h>

enum { DEVICE_KIND, DEVICE_POINTER };

struct device_object {
    struct k42_root root;
    struct k42_object rep;
    void *device; /* NULL: handed over */
};

/* In a method; and in fini, NULL when another object has it. */
#define DEVICE_OF(self)       (k42_container(self, struct device_object, rep)->device)
#define DEVICE_OF_ROOT(root_) (k42_container(root_, struct device_object, root)->device)

/* For `init`: `args` is the device. */
k42_result device_init(struct k42_root *root, const void *args);

k42_result device_export(struct k42_root *from, struct k42_state *state, unsigned part);
k42_result device_import(struct k42_root *to, struct k42_state *state, unsigned part);
void device_handed_over(struct k42_root *from, struct k42_state *state);

/* The members that are the same in all such classes, and their transfers in one format. */
#define DEVICE_LAYOUT                                                                              \
    .kind = &k42_single, .root_size = sizeof(struct device_object),                                \
    .rep_offset = offsetof(struct device_object, rep), .init = device_init

#define DEVICE_TRANSFERS(format_)                                                                  \
    {                                                                                              \
        {.format = &(format_),                                                                     \
         .export_state = device_export,                                                            \
         .import_state = device_import,                                                            \
         .handed_over = device_handed_over},                                                       \
        {                                                                                          \
            .format = NULL                                                                         \
        }                                                                                          \
    }

#endif
