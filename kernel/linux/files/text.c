/*
 * Texts, structures and paths of programs.
 */
#include "files.h"

#include "../../mem/heap/heap.h"
#include "../program.h"

k42_result files_copy_in(void *to, uintptr_t from, size_t size) {
    struct copy copy = copy_of_user(from, size);
    k42_result result;
    char *at = to;
    do {
        WAIT_CALL(result, WAIT_FOREVER, 0, copy_in(&copy, at, copy.left));
        if (result < 0)
            return -EFAULT;
        at += result;
    } while (copy.left && result);
    return copy.left ? -EFAULT : 0;
}

k42_result files_copy_out(uintptr_t to, const void *from, size_t size) {
    struct copy copy = copy_of_user(to, size);
    k42_result result;
    const char *at = from;
    do {
        WAIT_CALL(result, WAIT_FOREVER, 0, copy_out(&copy, at, copy.left));
        if (result < 0)
            return -EFAULT;
        at += result;
    } while (copy.left && result);
    return copy.left ? -EFAULT : 0;
}

/* One that does not fit into the few bytes is read once more, as a whole. */
k42_result files_text_get(struct files_text *text, uintptr_t from, size_t most) {
    size_t room = most < sizeof text->here ? most : sizeof text->here;
    text->at = text->here;
    k42_result length = program_read_text(text->at, from, room);
    if (length == -ENAMETOOLONG && room < most) {
        text->at = heap_allocate(most);
        if (!text->at)
            return -ENOMEM;
        length = program_read_text(text->at, from, most);
    }
    text->length = (size_t)length;
    if (length < 0)
        files_text_end(text);
    return length < 0 ? length : 0;
}

void files_text_end(struct files_text *text) {
    if (text->at != text->here)
        heap_free(text->at);
}

/* ---- paths ---- */

k42_result files_place(int fd, struct place *place) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    struct k42_pair found = k42_call(file, place);
    if (found.result < 0 || !found.word)
        return found.result < 0 ? found.result : -ENOTDIR;
    *place = *(const struct place *)found.word;
    return 0;
}

k42_result files_walk(struct path *path, int directory, const char *text, unsigned flags) {
    struct task *task = task_self();
    *path = (struct path){.context = task->paths, .who = task->credentials, .flags = flags};
    if (!text[0] && !(flags & PATH_EMPTY))
        return -ENOENT; /* before it is looked what the directory is */
    if (text[0] != '/' && directory != AT_WORKING) {
        k42_result result = files_place(directory, &path->start);
        if (result < 0)
            return result;
    }
    return path_walk(path, text);
}

k42_result files_node(int directory, const char *text, int flags, node_ref *node,
                      struct mount **mount) {
    if (!*text && (flags & AT_EMPTY) && directory != AT_WORKING) {
        file_ref file;
        k42_result result = files_get(directory, &file);
        if (result < 0)
            return result;
        struct k42_pair found = k42_call(file, node), place = k42_call(file, place);
        *node = (node_ref)found.word;
        *mount = place.result >= 0 && place.word ? ((const struct place *)place.word)->mount : NULL;
        return found.result == -K42_STALE ? -EBADF : found.result;
    }
    struct path path;
    k42_result result = files_walk(&path, directory, text, files_walk_flags(flags));
    *node = path.found.node;
    *mount = path.found.mount;
    return result;
}

k42_result files_found(int directory, const char *text, int flags, struct place *place,
                       node_ref *above) {
    struct path path;
    *above = (node_ref)K42_NULL_REF;
    if (!*text && (flags & AT_EMPTY))
        return files_node(directory, text, flags, &place->node, &place->mount);
    k42_result result = files_walk(&path, directory, text, files_walk_flags(flags));
    *place = path.found;
    *above = path.above;
    return result;
}

k42_result files_may_change(const struct path *path) {
    struct node_attributes attributes;
    k42_result result = k42_call(path->found.node, attributes, &attributes);
    if (result >= 0)
        result = node_allows(&attributes, path->who, NODE_WRITE | NODE_EXECUTE);
    return result < 0 ? result : files_writable(path->found.mount);
}

k42_result files_can_make(const struct path *path, bool is_directory) {
    if (path_last_is_special(path))
        return -EEXIST;
    if (path->last_is_directory && !is_directory) {
        struct k42_pair there = k42_call(path->found.node, lookup, &path->last, path->who);
        return there.result >= 0 ? -EEXIST : there.result;
    }
    return 0;
}
