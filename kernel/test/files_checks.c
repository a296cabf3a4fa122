/*
 * Checks of files inside the kernel: test=files.
 *
 * What the host's tests check for a program's calls is here checked for kernel threads, on real
 * CPUs, with the real table of waiters; and what the paths of programs' calls cost is said.
 */
#include "../arch/x86_64/arch.h"
#include "../copy.h"
#include "../fs/file.h"
#include "../fs/mount.h"
#include "../fs/path.h"
#include "../fs/pipe/pipe.h"
#include "../fs/ramfs/ramfs.h"
#include "../fs/values.h"
#include "../kernel.h"
#include "../linux/files/descriptors.h"
#include "../mem/fcm/fcm.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "crew.h"
#include "runtime.h"

#include <errno.h>

static const struct credentials everything = {.effective = ~0ul};

static struct node_name name_of(const char *text) {
    uint32_t length = (uint32_t)k42_text_length(text);
    return (struct node_name){text, length, node_hash(text, length)};
}

/* Where a path leads to; the context is the first mount's root. */
static k42_result walk(const char *text, struct place *found) {
    struct path_context *context = path_context_make();
    struct path path = {.context = context, .who = &everything, .flags = PATH_FOLLOW};
    if (!context)
        return -ENOMEM;
    k42_result result = path_walk(&path, text);
    *found = path.found;
    place_release(&context->root);
    place_release(&context->working);
    k42_platform_free(context);
    return result;
}

/* A new file of /tmp, open. */
static k42_result open_new(const char *name, file_ref *file) {
    struct place folder;
    k42_result result = walk("/tmp", &folder);
    if (result < 0)
        return result;
    struct node_new what = {.name = name_of(name), .mode = MODE_REGULAR | 0600};
    struct k42_pair made = k42_call(folder.node, create, &what);
    if (made.result < 0)
        return made.result;
    struct k42_pair opened = k42_call((node_ref)made.word, open, OPEN_READ_WRITE);
    *file = (file_ref)opened.word;
    return opened.result;
}

static bool remove_file(const char *text) {
    struct place folder;
    struct node_name name = name_of(text);
    return walk("/tmp", &folder) == 0 && k42_call(folder.node, unlink, &name, 0, &everything) == 0;
}

KERNEL_CHECK(files, the_initial_name_space_is_there) {
    struct place root, dev, null, up;
    k42_enter();
    bool holds = walk("/", &root) == 0 && walk("/dev", &dev) == 0 &&
                 walk("/dev/null", &null) == 0 && walk("/dev/../proc/..", &up) == 0 &&
                 dev.mount != root.mount && up.node == root.node &&
                 walk("/proc/filesystems", &null) == 0 && walk("/nothing", &null) == -ENOENT &&
                 walk("/dev/null/x", &null) == -ENOTDIR;
    k42_exit();
    return holds;
}

static bool write_and_map(file_ref file) {
    static char bytes[10000];
    struct file_map map;
    struct fcm_page page;
    for (unsigned n = 0; n < sizeof bytes; n++)
        bytes[n] = (char)(n * 7);
    struct copy copy = copy_of_kernel(bytes, sizeof bytes);
    if (k42_call(file, write, 0, &copy) != sizeof bytes || k42_call(file, map, &map) < 0)
        return false;
    fcm_ref fcm = (fcm_ref)map.fcm;
    if (k42_call(fcm, get_page, 1, FCM_WRITE, &page) < 0)
        return false;
    char *mapped = phys_to_virt(page.physical);
    bool same = mapped[5] == bytes[4096 + 5];
    mapped[5] = 42;
    (void)!k42_call(fcm, put_page, 1);
    char byte = 0;
    copy = copy_of_kernel(&byte, 1);
    return same && k42_call(file, read, 4096 + 5, &copy) == 1 && byte == 42;
}

KERNEL_CHECK(files, a_mapped_page_is_the_file) {
    file_ref file;
    k42_enter();
    bool holds = open_new("mapped", &file) >= 0;
    if (holds) {
        holds = write_and_map(file);
        (void)!k42_call(file, release);
        holds &= remove_file("mapped");
    }
    k42_exit();
    return holds;
}

/* ---- pipes between threads ---- */

enum { ROUNDS = 2000 };

struct side {
    file_ref from, to;
    bool held;
};

static k42_result move_byte(file_ref file, char *byte, bool write) {
    struct copy copy = copy_of_kernel(byte, 1);
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, 0,
              write ? k42_call(file, write, FILE_CURRENT, &copy)
                    : k42_call(file, read, FILE_CURRENT, &copy));
    return result;
}

static void answer(void *argument) {
    struct side *side = argument;
    char byte;
    side->held = true;
    for (int n = 0; n < ROUNDS; n++) {
        k42_enter();
        side->held &= move_byte(side->from, &byte, false) == 1;
        byte++;
        side->held &= move_byte(side->to, &byte, true) == 1;
        k42_exit();
    }
}

static bool exchange(file_ref to, file_ref from) {
    bool held = true;
    uint64_t begin = time_ns();
    for (int n = 0; n < ROUNDS; n++) {
        char byte = (char)n;
        k42_enter();
        held &= move_byte(to, &byte, true) == 1 && move_byte(from, &byte, false) == 1;
        k42_exit();
        held &= byte == (char)(n + 1);
    }
    print("pipe round trip between threads: %lu ns", (time_ns() - begin) / ROUNDS);
    return held;
}

struct changer {
    k42_ref pipe[2];
    bool over, held;
    unsigned changes;
};

/* Each pipe into one of the other kind, and back, as long as bytes go round. */
static void change_kinds(void *argument) {
    struct changer *changer = argument;
    static const char *const kinds[] = {"pipe.general", "pipe.spsc"};
    changer->held = true;
    while (!__atomic_load_n(&changer->over, __ATOMIC_RELAXED))
        for (unsigned n = 0; n < 4; n++, changer->changes++)
            changer->held &= swap_surely(changer->pipe[n & 1], k42_class_find(kinds[n >> 1]));
}

static k42_ref pipe_of(k42_ref file) {
    struct file_poll poll = {0};
    (void)!k42_call((file_ref)file, poll, &poll);
    return k42_id_ref(poll.object);
}

static bool go_round(bool changing) {
    k42_ref there[2], back[2];
    struct changer changer = {.held = true};
    k42_enter();
    bool open = pipe_open(0, &there[0], &there[1]) >= 0 && pipe_open(0, &back[0], &back[1]) >= 0;
    if (open) {
        changer.pipe[0] = pipe_of(there[0]);
        changer.pipe[1] = pipe_of(back[0]);
    }
    k42_exit();
    if (!open)
        return false;
    struct side side = {(file_ref)there[0], (file_ref)back[1], false};
    struct thread *thread = thread_start("answer", answer, &side),
                  *other = changing ? thread_start("changer", change_kinds, &changer) : NULL;
    bool held = thread && exchange((file_ref)there[1], (file_ref)back[0]);
    __atomic_store_n(&changer.over, true, __ATOMIC_RELAXED);
    if (thread)
        thread_join(thread);
    if (other)
        thread_join(other);
    k42_enter();
    for (int n = 0; n < 2; n++) {
        (void)!k42_call((file_ref)there[n], release);
        (void)!k42_call((file_ref)back[n], release);
    }
    k42_exit();
    return held && side.held && changer.held && (!changing || changer.changes);
}

KERNEL_CHECK(files, a_byte_goes_round_two_pipes_between_threads) {
    return go_round(false);
}

KERNEL_CHECK(files, a_byte_goes_round_two_pipes_whose_kind_changes) {
    return go_round(true);
}

/* ---- swaps ---- */

KERNEL_CHECK(files, a_file_and_its_page_cache_are_swapped_in_use) {
    file_ref file;
    struct file_map map;
    char byte = 7;
    k42_enter();
    bool holds = open_new("swapped", &file) >= 0 && move_byte(file, &byte, true) == 1 &&
                 k42_call(file, map, &map) >= 0;
    k42_exit();
    if (!holds)
        return false;
    holds = swap_surely((k42_ref)file, k42_class_find("file.shared")) &&
            swap_surely((k42_ref)file, k42_class_find("file.exclusive")) &&
            swap_surely(map.fcm, k42_class_find("fcm.ramfs"));
    struct copy copy = copy_of_kernel(&byte, 1);
    byte = 0;
    k42_enter();
    holds = holds && k42_call(file, read, 0, &copy) == 1 && byte == 7;
    (void)!k42_call(file, release);
    holds &= remove_file("swapped");
    k42_exit();
    return holds;
}
