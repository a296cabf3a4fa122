/*
 * Folders of the host as file systems: how one is mounted.
 */
#ifndef KERNEL_9P_MOUNT_H
#define KERNEL_9P_MOUNT_H

#include "../node.h"

#define P9_MAGIC 0x01021997ul /* f_type */

/*
 * Attaches to the server behind a tag (the device's mount_tag), whose root is then a node, held
 * once; releasing it ends the file system once nobody has a file of it any more. Waits; inactive
 * threads only. Errors: -ENODEV (no such tag), -EPROTO (it does not speak 9P2000.L), -ENOMEM, what
 * the server says.
 */
K42_MUST_CHECK
k42_result p9_attach(const char *tag, unsigned flags, node_ref *root);

/* Makes "9p" a file system that mount(2) knows; the tag is its source. */
void p9_register(void);

#endif
