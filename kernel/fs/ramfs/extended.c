/*
 * Extended attributes of a node: a list, since there are few. Guarded by the inode's lock.
 *
 * Names of the classes user, trusted and security are kept; nothing in the kernel asks for them.
 */
#include "ramfs.h"

#include "platform.h"

#include <errno.h>
#include <string.h>

struct extended {
    struct extended *next;
    uint32_t name_length;
    size_t size;
    char bytes[]; /* the name, its end, the value */
};

enum { MOST_VALUE = 65536, SET_NEW = 1, SET_OLD = 2 };

static char *value_of(struct extended *extended) {
    return extended->bytes + extended->name_length + 1;
}

static struct extended **find(struct inode *inode, const struct node_name *name) {
    struct extended **at = &inode->extended;
    while (*at &&
           ((*at)->name_length != name->length || memcmp((*at)->bytes, name->text, name->length)))
        at = &(*at)->next;
    return at;
}

static k42_result list(struct inode *inode, char *text, size_t size) {
    size_t length = 0;
    for (struct extended *at = inode->extended; at; at = at->next)
        length += at->name_length + 1;
    if (!size)
        return (k42_result)length;
    if (length > size)
        return -ERANGE;
    for (struct extended *at = inode->extended; at; at = at->next) {
        memcpy(text, at->bytes, at->name_length + 1);
        text += at->name_length + 1;
    }
    return (k42_result)length;
}

static k42_result get(struct inode *inode, const struct node_name *name, char *value, size_t size) {
    struct extended *found = *find(inode, name);
    if (!found)
        return -ENODATA;
    if (!size)
        return (k42_result)found->size;
    if (found->size > size)
        return -ERANGE;
    memcpy(value, value_of(found), found->size);
    return (k42_result)found->size;
}

k42_result ramfs_get_extended(struct node *self, const struct node_name *name, char *value,
                              size_t size) {
    struct inode *inode = INODE(self);
    k42_lock(&inode->lock);
    k42_result result = name ? get(inode, name, value, size) : list(inode, value, size);
    k42_unlock(&inode->lock);
    return result;
}

k42_result ramfs_set_extended(struct node *self, const struct node_name *name, const char *value,
                              size_t size, unsigned flags) {
    struct inode *inode = INODE(self);
    struct extended *made = NULL;
    if (size > MOST_VALUE)
        return -E2BIG;
    if (value) {
        made = k42_platform_alloc(sizeof(*made) + name->length + 1 + size);
        if (!made)
            return -ENOMEM;
        made->name_length = name->length;
        made->size = size;
        memcpy(made->bytes, name->text, name->length);
        memcpy(value_of(made), value, size);
    }
    k42_lock(&inode->lock);
    struct extended **at = find(inode, name), *old = *at;
    k42_result result = 0;
    if (old && (flags & SET_NEW))
        result = -EEXIST;
    else if (!old && (!value || (flags & SET_OLD)))
        result = -ENODATA;
    if (result == 0 && old)
        *at = old->next;
    if (result == 0 && made) {
        made->next = inode->extended;
        inode->extended = made;
    }
    k42_unlock(&inode->lock);
    k42_platform_free(result == 0 ? old : made);
    return result;
}

void extended_end(struct extended *extended) {
    while (extended) {
        struct extended *next = extended->next;
        k42_platform_free(extended);
        extended = next;
    }
}
