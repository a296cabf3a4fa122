/*
 * swapon, swapoff, /proc/swaps.
 *
 * Taking an area away brings its pages back, address space by address space, as the faults of their
 * programs would; whoever ends or forks meanwhile does so as ever, and rounds go on until no slot
 * is used. It may be interrupted, and then the area is used again.
 *
 * Owns: a hold of each area's file. Errors: as on Linux.
 */
#include "swap.h"

#include "../mem/fcm/fcm.h"
#include "../mem/hat/hat.h"
#include "../mem/heap/heap.h"
#include "../mem/pm/pm.h"
#include "../mem/swap/swap.h"
#include "../sched/thread.h"
#include "files/files.h"
#include "proc/proc.h"
#include "program.h"
#include "runtime.h"

#include <k42/k42.h>
#include <linux/capability.h>

enum {
    PRIORITY_MASK = 0x7fff,
    PREFER = 0x8000,
    DISCARD = 0x70000, /* all of these are hints */
};
#define TURN_NS 2000000ul

/* ---- the file ---- */

struct swap_file {
    file_ref file; /* with one hold */
    fcm_ref fcm;
    bool disk;
};

static k42_result open_now(const char *path, struct swap_file *opened) {
    struct path found;
    struct node_attributes attributes;
    struct file_map map;
    k42_result result = files_walk(&found, AT_WORKING, path, PATH_FOLLOW);
    if (result >= 0)
        result = k42_call(found.found.node, attributes, &attributes);
    if (result < 0)
        return result;
    opened->disk = MODE_ENTRY_TYPE(attributes.mode) == MODE_ENTRY_TYPE(MODE_BLOCK);
    if (MODE_ENTRY_TYPE(attributes.mode) == MODE_ENTRY_TYPE(MODE_DIRECTORY))
        return -EISDIR;
    if (!opened->disk && MODE_ENTRY_TYPE(attributes.mode) != ENTRY_REGULAR)
        return -EINVAL;
    struct k42_pair file = k42_call(found.found.node, open, OPEN_READ_WRITE);
    if (file.result < 0)
        return file.result;
    opened->file = (file_ref)file.word;
    result = k42_call(opened->file, map, &map);
    opened->fcm = (fcm_ref)map.fcm;
    if (result < 0)
        (void)!k42_call(opened->file, release);
    return result == -ENODEV || result == -EACCES ? -EINVAL : result;
}

static k42_result open_path(uintptr_t path, struct files_text *text, struct swap_file *opened) {
    k42_result result = files_text_get(text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, open_now(text->at, opened));
    if (result < 0)
        files_text_end(text);
    return result;
}

static void close_file(file_ref file) {
    (void)!k42_call(file, release);
}

static k42_result read_header(file_ref file, uint8_t *bytes) {
    uint64_t done = 0;
    while (done < SWAP_HEADER_BYTES) {
        struct copy copy = copy_of_kernel(bytes + done, SWAP_HEADER_BYTES - done);
        k42_result result;
        FILES_CALL(result, k42_call(file, read, (int64_t)done, &copy));
        if (result <= 0)
            return result < 0 ? result : -EINVAL;
        done += (uint64_t)result;
    }
    return 0;
}

/* ---- swapon ---- */

static k42_result add_area(const struct swap_file *opened, const struct swap_header *header,
                           const char *path, int32_t priority) {
    uint64_t size = (uint64_t)k42_call(opened->fcm, size);
    struct swap_new new = {.fcm = (k42_ref)opened->fcm,
                           .file = (k42_ref)opened->file,
                           .pages = header->pages,
                           .priority = priority,
                           .disk = opened->disk,
                           .path = path};
    if (size / SWAP_HEADER_BYTES < header->pages)
        return -EINVAL;
    struct k42_pair area = swap_add(&new);
    if (area.result < 0)
        return area.result;
    for (uint32_t i = 0; i < header->bad_count && area.result >= 0; i++)
        area.result = swap_leave_out((unsigned)area.word, swap_header_bad(header, i));
    if (area.result >= 0) {
        swap_begin((unsigned)area.word);
        return 0;
    }
    k42_exit();
    (void)swap_remove((unsigned)area.word);
    k42_enter();
    return area.result;
}

static k42_result swap_on(const struct swap_file *opened, const char *path, int32_t priority) {
    struct swap_header header;
    uint8_t *bytes = heap_allocate(SWAP_HEADER_BYTES);
    if (!bytes)
        return -ENOMEM;
    k42_result result = read_header(opened->file, bytes);
    if (result >= 0)
        result = swap_header_read(bytes, &header);
    if (result >= 0)
        result = add_area(opened, &header, path, priority);
    heap_free(bytes);
    return result;
}

LINUX_CALL(167, swapon, uintptr_t path, int flags) {
    static int32_t lowest = -1; /* those without a priority are used in the order they came */
    struct files_text text;
    struct swap_file opened;
    if (flags & ~(PREFER | PRIORITY_MASK | DISCARD))
        return -EINVAL;
    if (!task_capable(task_self(), CAP_SYS_ADMIN))
        return -EPERM;
    k42_result result = open_path(path, &text, &opened);
    if (result < 0)
        return result;
    result = swap_on(&opened, text.at,
                     flags & PREFER ? flags & PRIORITY_MASK
                                    : __atomic_sub_fetch(&lowest, 1, __ATOMIC_RELAXED));
    if (result < 0)
        close_file(opened.file);
    files_text_end(&text);
    return result;
}

/* ---- swapoff ---- */

struct return_of_pages {
    unsigned area;
    k42_result result; /* the first error */
};

/* Active, like the caller of the walk. */
static long bring_all_of(const struct k42_object_info *info, void *context) {
    struct return_of_pages *pages = context;
    hat_ref hat = (hat_ref)k42_id_ref(info->id);
    struct k42_pair at = {0, 0};
    while ((at = k42_call(hat, next_out, at.word, pages->area)).result >= 0) {
        k42_result result;
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(hat, bring, at.word));
        if (result < 0 && result != -K42_STALE)
            return pages->result = result == -EINTR ? -LINUX_RESTART : result;
    }
    return 0;
}

/* What nobody has any more is forgotten by relief's thread, which may wait for a disk. */
static k42_result await_turn(void) {
    pm_wake_relief();
    k42_exit();
    thread_sleep(TURN_NS);
    k42_enter();
    return thread_interrupts() ? -LINUX_RESTART : 0;
}

static k42_result bring_all(unsigned area) {
    struct return_of_pages pages = {.area = area};
    k42_exit();
    (void)!k42_synchronize(); /* whoever was taking slots has them */
    k42_enter();
    while (!pages.result && swap_used(area)) {
        (void)k42_each_object(&hat_interface, bring_all_of, &pages);
        if (!pages.result && swap_used(area))
            pages.result = await_turn();
    }
    return pages.result;
}

static k42_result swap_off(fcm_ref fcm) {
    k42_result area = swap_find((k42_ref)fcm);
    if (area < 0 || swap_close((unsigned)area) < 0)
        return -EINVAL;
    k42_result result = bring_all((unsigned)area);
    if (result < 0) {
        swap_reopen((unsigned)area);
        return result;
    }
    k42_exit();
    k42_ref file = swap_remove((unsigned)area);
    k42_enter();
    close_file((file_ref)file);
    return 0;
}

LINUX_CALL(168, swapoff, uintptr_t path) {
    struct files_text text;
    struct swap_file opened;
    if (!task_capable(task_self(), CAP_SYS_ADMIN))
        return -EPERM;
    k42_result result = open_path(path, &text, &opened);
    if (result < 0)
        return result;
    result = swap_off(opened.fcm);
    close_file(opened.file);
    files_text_end(&text);
    return result;
}

/* ---- /proc/swaps ---- */

static k42_result print_swaps(const struct proc_key *key, struct proc_text *text) {
    struct swap_usage usage;
    (void)key;
    proc_print(text, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    for (unsigned area = 0; area < SWAP_AREAS; area++)
        if (swap_usage(area, &usage))
            proc_print(text, "%s\t\t\t\t%s\t%lu\t\t%lu\t\t%d\n", usage.path,
                       usage.disk ? "partition" : "file\t", usage.pages * 4, usage.used * 4,
                       usage.priority);
    return 0;
}

void linux_swap_open(void) {
    static struct proc_entry swaps = {
        .name = "swaps", .mode = MODE_REGULAR | 0444, .print = print_swaps};
    proc_add(NULL, &swaps);
}
