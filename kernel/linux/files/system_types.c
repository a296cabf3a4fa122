/*
 * sysfs(2): the file systems that can be mounted, by number and by name; ustat(2): what is free in
 * one that is mounted, by its device. Nothing but old programs asks for them; /proc/filesystems and
 * statfs() tell the same.
 */
#include "files.h"

#include "../../fs/types.h"

enum { NUMBER_OF_NAME = 1, NAME_OF_NUMBER, HOW_MANY, MOST_NAME = 64 };

static k42_result number_of(uintptr_t name_at) {
    struct files_text name;
    k42_result result = files_text_get(&name, name_at, MOST_NAME), number = 0;
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    const struct file_system_type *wanted = file_system_find(name.at);
    files_text_end(&name);
    for (struct file_system_type *type = file_system_next(NULL); type && type != wanted;
         type = file_system_next(type))
        number++;
    return wanted ? number : -EINVAL;
}

static k42_result name_of(uint64_t number, uintptr_t to) {
    struct file_system_type *type = file_system_next(NULL);
    size_t size = 1;
    for (; type && number; number--)
        type = file_system_next(type);
    if (!type)
        return -EINVAL;
    while (type->name[size - 1])
        size++;
    return files_copy_out(to, type->name, size);
}

static k42_result how_many(void) {
    k42_result count = 0;
    for (struct file_system_type *type = file_system_next(NULL); type;
         type = file_system_next(type))
        count++;
    return count;
}

LINUX_CALL(139, sysfs, int option, uintptr_t first, uintptr_t second) {
    switch (option) {
    case NUMBER_OF_NAME:
        return number_of(first);
    case NAME_OF_NUMBER:
        return name_of((unsigned)first, second);
    case HOW_MANY:
        return how_many();
    default:
        return -EINVAL;
    }
}

/* Looks at all mounts: there are few, and the call is rare. */
static k42_result counts_of(uint32_t device, struct node_file_system *counts) {
    struct node_attributes attributes;
    for (struct mount *mount = mount_next(0); mount; mount = mount_next(mount->id)) {
        k42_result result = k42_call(mount->root, attributes, &attributes);
        if (result == -K42_WAIT)
            return result;
        if (result >= 0 && (uint32_t)attributes.device == device)
            return k42_call(mount->root, file_system, counts);
    }
    return -EINVAL;
}

LINUX_CALL(136, ustat, uint32_t device, uintptr_t to) {
    struct {
        int32_t blocks_free;
        uint64_t nodes_free;
        char name[6], pack[6];
    } told = {0};
    struct node_file_system counts;
    k42_result result;
    FILES_CALL(result, counts_of(device, &counts));
    if (result < 0)
        return result;
    told.blocks_free = (int32_t)counts.blocks_free;
    told.nodes_free = counts.nodes_free;
    return files_copy_out(to, &told, sizeof told);
}
