/*
 * Checks of a folder of the host behind the tag "share0", which the test has filled:
 * test=host_files.
 *
 *     hello.txt   "hello, guest\n"
 *     large       1 MiB of the numbers 0, 1, 2, ... of eight bytes
 *     link        to hello.txt
 *     many/       300 empty files
 */
#include <k42/class.h>

#include "../arch/x86_64/arch.h"
#include "../copy.h"
#include "../dev/channel.h"
#include "../dev/names.h"
#include "../fs/9p/mount_9p.h"
#include "../fs/file.h"
#include "../fs/values.h"
#include "../kernel.h"
#include "../mem/fcm/fcm.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "crew.h"
#include "runtime.h"

#include <string.h>

#define LARGE_BYTES (1u << 20)

static const struct credentials *const root_user =
    &(const struct credentials){.effective = ~0ul, .permitted = ~0ul};

/* A call of a node or file in a thread that is active, until it is done. */
#define CALL(result, ...) WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, __VA_ARGS__)

static struct node_name name_of(const char *text) {
    uint32_t length = (uint32_t)k42_text_length(text);
    return (struct node_name){text, length, node_hash(text, length)};
}

static k42_result pair_result(struct k42_pair pair, k42_ref *ref) {
    *ref = (k42_ref)pair.word;
    return pair.result;
}

static k42_result find(node_ref directory, const char *text, node_ref *node) {
    struct node_name name = name_of(text);
    k42_ref ref;
    k42_result result;
    CALL(result, pair_result(k42_call(directory, lookup, &name, root_user), &ref));
    *node = (node_ref)ref;
    return result;
}

static k42_result open_node(node_ref node, unsigned flags, file_ref *file) {
    k42_ref ref;
    k42_result result;
    CALL(result, pair_result(k42_call(node, open, flags), &ref));
    *file = (file_ref)ref;
    return result;
}

static k42_result make(node_ref directory, const char *text, uint32_t mode, const char *target,
                       node_ref *node) {
    struct node_new what = {.name = name_of(text), .mode = mode, .target = target};
    k42_ref ref;
    k42_result result;
    CALL(result, pair_result(k42_call(directory, create, &what), &ref));
    *node = (node_ref)ref;
    return result;
}

static k42_result read_at(file_ref file, uint64_t offset, void *bytes, size_t size) {
    k42_result result;
    struct copy copy = copy_of_kernel(bytes, size);
    CALL(result, k42_call(file, read, (int64_t)offset, &copy));
    return result;
}

static bool write_all(file_ref file, uint64_t offset, const void *bytes, size_t size) {
    struct copy copy = copy_of_kernel((void *)(uintptr_t)bytes, size);
    while (copy.left) {
        k42_result result;
        CALL(result, k42_call(file, write, (int64_t)(offset + size - copy.left), &copy));
        if (result <= 0)
            return false;
    }
    return true;
}

static k42_result sync_file(file_ref file) {
    k42_result result;
    CALL(result, k42_call(file, sync, 0u));
    return result;
}

static void close_file(file_ref file) {
    if (k42_call(file, release) < 0)
        print("a file was released twice");
}

static k42_result look_at(node_ref node, struct node_attributes *attributes) {
    k42_result result;
    CALL(result, k42_call(node, attributes, attributes));
    return result;
}

static k42_result take_away(node_ref directory, const char *text, unsigned is_directory) {
    struct node_name name = name_of(text);
    k42_result result;
    CALL(result, k42_call(directory, unlink, &name, is_directory, root_user));
    return result;
}

/* Runs a check, active, on the folder, which is attached once. */
static bool with_share(bool (*check)(node_ref share)) {
    static node_ref share;
    while (!share) {
        k42_result result = p9_attach("share0", 0, &share);
        if (result < 0) {
            print("share0: %s", k42_error_name(result));
            return false;
        }
    }
    k42_enter();
    bool held = check(share);
    k42_exit();
    return held;
}

/* ---- reading ---- */

static bool hello_is_read(node_ref share) {
    node_ref node;
    file_ref file;
    char text[64] = "";
    struct node_attributes attributes;
    if (find(share, "hello.txt", &node) != ENTRY_REGULAR || open_node(node, OPEN_READ_ONLY, &file))
        return false;
    bool held = read_at(file, 0, text, sizeof text) == 13 &&
                k42_text_equal(text, "hello, guest\n") &&
                read_at(file, 13, text, sizeof text) == 0 && !look_at(node, &attributes) &&
                attributes.size == 13 && (attributes.mode & MODE_TYPE) == MODE_REGULAR;
    close_file(file);
    return held;
}

KERNEL_CHECK(host_files, a_file_of_the_host_is_read) {
    return with_share(hello_is_read);
}

static bool large_is_read(node_ref share) {
    node_ref node;
    file_ref file;
    uint64_t *words = k42_platform_alloc(LARGE_BYTES);
    if (!words || find(share, "large", &node) < 0 || open_node(node, OPEN_READ_ONLY, &file))
        return false;
    size_t at = 0;
    k42_result got;
    while (at < LARGE_BYTES && (got = read_at(file, at, (char *)words + at, LARGE_BYTES - at)) > 0)
        at += (size_t)got;
    bool held = at == LARGE_BYTES;
    for (uint64_t i = 0; i < LARGE_BYTES / 8; i++)
        held = held && words[i] == i;
    close_file(file);
    k42_platform_free(words);
    return held;
}

KERNEL_CHECK(host_files, a_large_file_is_read_whole) {
    return with_share(large_is_read);
}

static bool names_are_found(node_ref share) {
    node_ref node, above;
    char text[64];
    k42_result length;
    if (find(share, "nonesuch", &node) != -ENOENT || find(share, "many", &node) != ENTRY_DIRECTORY)
        return false;
    if (find(node, "..", &above) != ENTRY_DIRECTORY || above != share)
        return false;
    if (find(share, "link", &node) != ENTRY_LINK)
        return false;
    CALL(length, k42_call(node, target, text, sizeof text));
    return length == 9 && !memcmp(text, "hello.txt", 9);
}

KERNEL_CHECK(host_files, names_lead_to_files_links_and_nowhere) {
    return with_share(names_are_found);
}

/* ---- listing ---- */

struct counter {
    struct node_listing listing;
    uint64_t cursor;
    unsigned files, others, left;
};

static bool count_entry(struct node_listing *listing, const struct node_name *name, uint64_t number,
                        unsigned type, uint64_t next) {
    struct counter *counter = k42_container(listing, struct counter, listing);
    (void)number;
    if (!counter->left--)
        return false;
    if (type == ENTRY_REGULAR && name->length == 4)
        counter->files++;
    else
        counter->others++;
    counter->cursor = next;
    return true;
}

/* As a program does: some entries at a time, until there are no more. */
static bool all_are_listed(node_ref share) {
    node_ref many;
    struct counter counter = {.listing = {count_entry}};
    uint64_t before;
    if (find(share, "many", &many) < 0)
        return false;
    do {
        before = counter.cursor;
        counter.left = 37;
        k42_result result;
        CALL(result, k42_call(many, list, counter.cursor, &counter.listing));
        if (result < 0)
            return false;
    } while (counter.cursor != before);
    return counter.files == 300 && counter.others == 2;
}

KERNEL_CHECK(host_files, a_directory_lists_each_entry_once) {
    return with_share(all_are_listed);
}

/* ---- changing ---- */

static bool file_is_made(node_ref share) {
    node_ref node, again;
    file_ref file;
    static char text[10000];
    memset(text, 'w', sizeof text);
    if (make(share, "made", MODE_REGULAR | 0644, NULL, &node) < 0 ||
        make(share, "made", MODE_REGULAR | 0644, NULL, &again) != -EEXIST ||
        open_node(node, OPEN_READ_WRITE, &file))
        return false;
    bool held = write_all(file, 0, text, sizeof text) && write_all(file, 5000, "mid", 3) &&
                sync_file(file) == 0;
    struct node_attributes attributes;
    held = held && !look_at(node, &attributes) && attributes.size == sizeof text;
    close_file(file);
    return held;
}

KERNEL_CHECK(host_files, a_new_file_is_written_and_synced) {
    return with_share(file_is_made);
}

static bool tree_is_changed(node_ref share) {
    node_ref folder, node, moved;
    k42_result result;
    struct node_name from = name_of("a"), to = name_of("b"), linked = name_of("c");
    if (make(share, "folder", MODE_DIRECTORY | 0755, NULL, &folder) < 0 ||
        make(folder, "a", MODE_REGULAR | 0600, NULL, &node) < 0 ||
        make(folder, "s", MODE_LINK | 0777, "b", &moved) < 0)
        return false;
    CALL(result, k42_call(folder, link, &linked, (k42_ref)node));
    if (result < 0)
        return false;
    CALL(result, k42_call(folder, rename, &from, (k42_ref)share, &to, 0u, root_user));
    if (result < 0 || find(folder, "a", &moved) != -ENOENT ||
        find(share, "b", &moved) != ENTRY_REGULAR || moved != node)
        return false;
    return take_away(share, "folder", 1) == -ENOTEMPTY && take_away(folder, "c", 0) == 0 &&
           take_away(folder, "c", 0) == -ENOENT && take_away(folder, "s", 0) == 0 &&
           take_away(share, "folder", 1) == 0 && find(share, "folder", &moved) == -ENOENT;
}

KERNEL_CHECK(host_files, names_are_made_moved_linked_and_taken_away) {
    return with_share(tree_is_changed);
}

static bool size_is_changed(node_ref share) {
    node_ref node;
    file_ref file;
    char byte;
    struct node_attributes attributes = {.size = 3, .mode = 0640};
    k42_result result;
    if (make(share, "cut", MODE_REGULAR | 0644, NULL, &node) < 0 ||
        open_node(node, OPEN_READ_WRITE, &file))
        return false;
    bool held = write_all(file, 0, "abcdef", 6);
    CALL(result, k42_call(node, set_attributes, NODE_SET_SIZE | NODE_SET_MODE, &attributes));
    held = held && result == 0 && read_at(file, 3, &byte, 1) == 0;
    CALL(result, k42_call(file, resize, 5ul));
    held = held && result == 0 && read_at(file, 4, &byte, 1) == 1 && byte == 0;
    held = held && !look_at(node, &attributes) && attributes.size == 5 &&
           (attributes.mode & MODE_PERMISSIONS) == 0640;
    close_file(file);
    return held;
}

KERNEL_CHECK(host_files, a_file_is_cut_and_grown) {
    return with_share(size_is_changed);
}

static bool open_file_outlives_its_name(node_ref share) {
    node_ref node;
    file_ref file;
    char text[8] = "";
    if (make(share, "going", MODE_REGULAR | 0644, NULL, &node) < 0 ||
        open_node(node, OPEN_READ_WRITE, &file))
        return false;
    bool held = write_all(file, 0, "still", 5) && take_away(share, "going", 0) == 0 &&
                read_at(file, 0, text, 5) == 5 && k42_text_equal(text, "still") &&
                sync_file(file) == 0;
    struct node_attributes attributes;
    held = held && !look_at(node, &attributes) && attributes.links == 0;
    close_file(file);
    return held;
}

KERNEL_CHECK(host_files, an_open_file_outlives_its_name) {
    return with_share(open_file_outlives_its_name);
}

/* As system calls do: looks whether the name is there, and then acts, and all of it again. */
static k42_result look_and_make(node_ref share, const struct node_name *name) {
    struct node_new what = {.name = *name, .mode = MODE_DIRECTORY | 0755};
    k42_result there = k42_call(share, lookup, name, root_user).result;
    if (there != -ENOENT)
        return there < 0 ? there : -EEXIST;
    return k42_call(share, create, &what).result;
}

static k42_result look_and_move(node_ref share, const struct node_name *from,
                                const struct node_name *to) {
    k42_result there = k42_call(share, lookup, from, root_user).result;
    k42_result over = k42_call(share, lookup, to, root_user).result;
    if (there < 0 || over != -ENOENT)
        return there < 0 ? there : over < 0 ? over : -EEXIST;
    return k42_call(share, rename, from, (k42_ref)share, to, 0u, root_user);
}

static k42_result look_and_remove(node_ref share, const struct node_name *name) {
    k42_result there = k42_call(share, lookup, name, root_user).result;
    return there < 0 ? there : k42_call(share, unlink, name, 1u, root_user);
}

static bool calls_see_names_as_before(node_ref share) {
    struct node_name from = name_of("looked"), to = name_of("looked at");
    for (unsigned round = 0; round < 10; round++) {
        k42_result result;
        CALL(result, look_and_make(share, &from));
        if (result < 0)
            return false;
        CALL(result, look_and_make(share, &from));
        if (result != -EEXIST)
            return false;
        CALL(result, look_and_move(share, &from, &to));
        if (result < 0)
            return false;
        CALL(result, look_and_remove(share, &to));
        if (result < 0)
            return false;
        CALL(result, look_and_remove(share, &to));
        if (result != -ENOENT)
            return false;
    }
    return true;
}

KERNEL_CHECK(host_files, a_call_that_looks_before_it_changes_succeeds_once) {
    return with_share(calls_see_names_as_before);
}

/* ---- many at once ---- */

static struct crew crew;

#define HOLE    100u /* before what a member writes */
#define WRITTEN 9000u

struct buffers {
    char out[WRITTEN], back[WRITTEN];
};

static bool write_and_read(node_ref share, const char *text, uint64_t round,
                           struct buffers *bytes) {
    node_ref node;
    file_ref file;
    memset(bytes->out, 'A' + (char)(round % 26), WRITTEN);
    if (make(share, text, MODE_REGULAR | 0644, NULL, &node) < 0 ||
        open_node(node, OPEN_READ_WRITE, &file))
        return false;
    bool held = write_all(file, HOLE, bytes->out, WRITTEN) && (round % 4 || sync_file(file) == 0) &&
                read_at(file, 0, bytes->back, HOLE) == HOLE;
    for (unsigned i = 0; i < HOLE; i++)
        held = held && !bytes->back[i];
    for (size_t at = 0; held && at < WRITTEN;) {
        k42_result got = read_at(file, HOLE + at, bytes->back + at, WRITTEN - at);
        held = got > 0;
        at += held ? (size_t)got : 0;
    }
    held = held && !memcmp(bytes->back, bytes->out, WRITTEN);
    close_file(file);
    return take_away(share, text, 0) == 0 && held;
}

static void use_share(struct member *self) {
    node_ref share = *(node_ref *)self->shared;
    char text[16];
    struct buffers *bytes = k42_platform_alloc(sizeof *bytes);
    for (uint64_t round = 0; bytes && member_goes_on(self); round++) {
        k42_format_text(text, sizeof text, "m%u.%lu", self->number, round);
        k42_enter();
        bool fine = write_and_read(share, text, round, bytes);
        k42_exit();
        if (!fine) {
            print("member %u, round %lu: failed", self->number, round);
            break;
        }
        member_count(self);
    }
    k42_platform_free(bytes);
}

static bool swap_channel(void) {
    return swap_surely(device_find("share0", &channel_interface), k42_class_find("channel.virtio"));
}

static bool many_use_it(node_ref share) {
    k42_exit();
    bool held = crew_start(&crew, 8, false, use_share, &share);
    for (unsigned i = 0; held && i < 10; i++) {
        crew_await(&crew, 1);
        held = swap_channel();
    }
    crew_end(&crew);
    k42_enter();
    return held;
}

KERNEL_CHECK(host_files, many_files_are_written_and_read_at_once) {
    return with_share(many_use_it);
}

/* The file's bytes are at the server a moment after it was closed: its size there says so. */
static bool closed_file_is_written_back(node_ref share) {
    node_ref node;
    file_ref file;
    if (make(share, "closed", MODE_REGULAR | 0644, NULL, &node) < 0 ||
        open_node(node, OPEN_READ_WRITE, &file) || !write_all(file, 0, "written\n", 8))
        return false;
    close_file(file);
    struct fcm_usage usage;
    k42_ref cache;
    do {
        k42_result result;
        CALL(result, pair_result(k42_call(node, cache), &cache));
        if (result < 0 || k42_call((fcm_ref)cache, usage, &usage) < 0)
            return false;
        k42_exit();
        thread_sleep(1000000);
        k42_enter();
    } while (usage.dirty || usage.in_transit);
    return true;
}

KERNEL_CHECK(host_write_back, a_file_that_was_closed_is_written_back) {
    return with_share(closed_file_is_written_back);
}
