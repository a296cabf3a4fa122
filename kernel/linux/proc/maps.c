/*
 * /proc/PID/maps: what is mapped where. Mappings may come and go between two lines, as on Linux.
 */
#include "../../fs/file.h"
#include "../../fs/path.h"
#include "../files/files.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

/* -K42_WAIT: the file system has to ask for what there is to tell. */
static k42_result print_mapped_file(struct proc_text *text, const struct space_mapping *mapping) {
    struct node_attributes attributes;
    struct place root = path_root(task_self()->paths);
    char name[256];
    file_ref file = (file_ref)mapping->file;
    struct k42_pair node = k42_call(file, node);
    k42_result result = node.result;
    if (result >= 0)
        result = k42_call((node_ref)node.word, attributes, &attributes);
    if (result == -K42_WAIT)
        return result;
    if (result < 0) {
        proc_put(text, " 00:00 0\n", 9);
        return 0;
    }
    proc_put(text, " ", 1);
    proc_print_hex(text, attributes.device >> 8 & 0xfff, 2);
    proc_put(text, ":", 1);
    proc_print_hex(text, attributes.device & 0xff, 2);
    proc_print(text, " %lu                   ", attributes.number);
    k42_result length = files_name(file, &root, name, sizeof name);
    if (length > 0)
        proc_put(text, name, (size_t)length);
    proc_put(text, "\n", 1);
    return 0;
}

static const char *part_of(const struct space_mapping *mapping, const struct space_marks *marks) {
    if (marks->stack_start >= mapping->start && marks->stack_start < mapping->end)
        return "                          [stack]";
    if (mapping->start < marks->break_end && mapping->end > marks->break_start)
        return "                          [heap]";
    if (mapping->flags & SPACE_KEEP)
        return mapping->protection & SPACE_EXECUTE ? "                          [vdso]"
                                                   : "                          [vvar]";
    return "";
}

k42_result subject_print_mapping(struct proc_text *text, const struct space_mapping *mapping,
                                 const struct space_marks *marks) {
    const char rights[4] = {
        mapping->protection & SPACE_READ ? 'r' : '-', mapping->protection & SPACE_WRITE ? 'w' : '-',
        mapping->protection & SPACE_EXECUTE ? 'x' : '-', mapping->flags & SPACE_SHARED ? 's' : 'p'};
    proc_print_hex(text, mapping->start, 8);
    proc_put(text, "-", 1);
    proc_print_hex(text, mapping->end, 8);
    proc_put(text, " ", 1);
    proc_put(text, rights, sizeof rights);
    proc_put(text, " ", 1);
    proc_print_hex(text, k42_id_of(mapping->file) ? mapping->first * FRAME_SIZE : 0, 8);
    if (k42_id_of(mapping->file))
        return print_mapped_file(text, mapping);
    const char *part = part_of(mapping, marks);
    char name[FILE_TEXT_MOST];
    if (!*part && k42_id_of(mapping->name) &&
        k42_call((file_ref)mapping->name, control, FILE_LOOK, (uintptr_t)name) >= 0)
        proc_print(text, " 00:00 0                          [anon:%s]\n", name);
    else
        proc_print(text, " 00:00 0%s\n", part);
    return 0;
}

k42_result subject_print_maps(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    struct space_mapping mapping;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    for (uintptr_t at = 0;; at = mapping.end) {
        k42_result result = k42_call(subject.task->space, find, at, 0, &mapping);
        if (result < 0 || text->failed)
            return 0;
        result = subject_print_mapping(text, &mapping, &subject.marks);
        if (result < 0)
            return result;
    }
}
