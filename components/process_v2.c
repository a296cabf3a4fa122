/*
 * The next version of the process: one that finds a child by its number, and knows its children.
 *
 *     ./k42 build components/process_v2.c
 *     k42ctl upgrade process_v2.k42             every process, while it runs
 *     k42ctl show 4098                          how many children it had, who is the eldest
 *     k42ctl upgrade process.linux 1            and back
 *     k42ctl unload process_v2
 *
 * State. Version 1 has its children in a list, and looks through it whenever one of them changes.
 * Version 2 has a tree besides, which takes no memory but two words in each record: a digital
 * search tree, in which each record stands on the way that the bits of its number lead to, the
 * lowest first. Any record below another could stand in its place; so a leaf takes the place of one
 * that goes. A way is as long as two numbers are alike, at most 32.
 *
 * The block behind a process and the records of its children are larger in version 2. So both are
 * made anew when a process goes from one version to the other, in the format that says what a
 * process is (kernel/linux/process/body.h). What version 2 knows besides begins anew then.
 *
 * Locking: the process's lock.
 */
#include <k42/kernel/process.h>

K42_COMPONENT("process_v2");

struct kin {
    struct child_record record;
    struct kin *below[2];
    uint64_t since_ns;
};

struct house {
    struct process_body process;
    struct kin *root;
    uint64_t so_far;
    uint32_t now, most;
};

static struct house *house_of(struct process_body *body) {
    return k42_container(body, struct house, process);
}

static struct kin *kin_of(struct child_record *record) {
    return k42_container(record, struct kin, record);
}

/* ---- the tree ---- */

/* Where a child with that number is, or would be. */
static struct kin **place_of(struct house *house, int pid) {
    struct kin **place = &house->root;
    for (uint32_t bits = (uint32_t)pid; *place && (*place)->record.child.pid != pid; bits >>= 1)
        place = &(*place)->below[bits & 1];
    return place;
}

static struct child_record *find(struct process_body *body, int pid) {
    struct kin *kin = *place_of(house_of(body), pid);
    return kin ? &kin->record : NULL;
}

static void added(struct process_body *body, struct child_record *record) {
    struct house *house = house_of(body);
    kin_of(record)->since_ns = time_ns();
    *place_of(house, record->child.pid) = kin_of(record);
    house->so_far++;
    house->now++;
    house->most = house->now > house->most ? house->now : house->most;
}

static void removed(struct process_body *body, struct child_record *record) {
    struct kin **place = place_of(house_of(body), record->child.pid), **leaf = place;
    while ((*leaf)->below[0] || (*leaf)->below[1])
        leaf = &(*leaf)->below[!(*leaf)->below[0]];
    struct kin *other = *leaf;
    *leaf = NULL;
    if (leaf != place) {
        memcpy(other->below, kin_of(record)->below, sizeof other->below);
        *place = other;
    }
    house_of(body)->now--;
}

static const struct family kindred = {
    .record_size = sizeof(struct kin), .find = find, .added = added, .removed = removed};

/* ---- methods ---- */

static k42_result kin_adopt(struct process *self, const struct child *child) {
    return family_adopt(self, child, &kindred);
}

static k42_result kin_changed(struct process *self, const struct child *child) {
    return family_changed(self, child, &kindred);
}

static k42_result kin_wait(struct process *self, const struct child_choice *choice,
                           struct child *child) {
    return family_wait(self, choice, child, &kindred);
}

static k42_result kin_disown(struct process *self, struct child *child) {
    return family_disown(self, child, &kindred);
}

static k42_result kin_describe(struct k42_object *self, char *text, size_t size) {
    struct process_body *body = process_body_of((struct process *)(void *)self);
    const struct house *house = house_of(body);
    size_t used = (size_t)process_describe(self, text, size);
    k42_lock(&body->lock);
    struct child_record *eldest = body->children;
    used += k42_format_text(text + used, size - used, "; children: %u, %lu so far, %u at most",
                            house->now, house->so_far, house->most);
    if (eldest)
        used +=
            k42_format_text(text + used, size - used, ", the eldest is %d, for %lu ms",
                            eldest->child.pid, (time_ns() - kin_of(eldest)->since_ns) / 1000000);
    k42_unlock(&body->lock);
    return (k42_result)used;
}

static const struct process_ops kin_ops = {
    PROCESS_METHODS,    .object.describe = kin_describe,
    .adopt = kin_adopt, .changed = kin_changed,
    .wait = kin_wait,   .disown = kin_disown,
};

/* ---- its life ---- */

static k42_result kin_init(struct k42_root *root, const void *args) {
    return process_init_sized(root, args, sizeof(struct house));
}

static k42_result prepare(struct k42_root *to, struct k42_state *state) {
    return process_prepare_sized(to, state, sizeof(struct house), &kindred);
}

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    return process_import_family(to, state, &kindred);
}

static const struct k42_format house_format = {"process.house", 1, 1}; /* among themselves */

static const struct k42_transfer house_transfers[] = {
    {.format = &house_format,
     .export_state = body_export,
     .import_state = body_import,
     .handed_over = body_handed_over},
    PROCESS_STATE_TRANSFER(prepare, import),
    {.format = NULL},
};

K42_CLASS(process_linux_2) = {
    .name = "process.linux",
    .interface = &process_interface,
    .version = 2,
    .traits = "lock=one",
    BODY_OBJECT,
    .ops = &kin_ops,
    .init = kin_init,
    .fini = process_fini,
    .transfers = house_transfers,
};
