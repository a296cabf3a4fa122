/*
 * The open file that stands before a socket: a descriptor leads to it. Reading receives, writing
 * sends; the socket ends with the last hold.
 *
 * Data: the socket, constant; its node, made when it is first asked for. Format: file.socket, by
 * pointer.
 */
#include "socket_file.h"
#include "../../fs/open_file.h"
#include "../../fs/ramfs/ramfs.h"
#include "../../fs/values.h"
#include "../task.h"
#include "flight.h"
#include "socket.h"

#include <errno.h>

struct socket_file {
    struct opened opened;
    socket_ref socket;
    k42_ref made;   /* the node, held; atomic */
    uint32_t taken; /* holds; atomic */
};

#define SOCKET_FILE(self) k42_container(OPENED(self), struct socket_file, opened)

static k42_result read_bytes(struct file *self, int64_t offset, struct copy *copy) {
    struct socket_message message = {.copy = copy};
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!copy->left)
        return 0;
    if (opened_flags(self) & OPEN_NON_BLOCKING)
        message.flags = SOCKET_DONT_WAIT;
    else
        message.least = (uint64_t)k42_call(SOCKET_FILE(self)->socket, number, SOCKET_LEAST);
    k42_result result = k42_call(SOCKET_FILE(self)->socket, receive, &message);
    parcel_files_free(message.files); /* there is nowhere to put them */
    return result;
}

static k42_result write_bytes(struct file *self, int64_t offset, struct copy *copy) {
    struct task *task = task_self();
    struct socket_message message = {.copy = copy};
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (task)
        message.owner = (struct socket_owner){
            .pid = task->pid, .uid = task->credentials->uid, .gid = task->credentials->gid};
    return k42_call(SOCKET_FILE(self)->socket, send, &message);
}

static k42_result socket_file_poll(struct file *self, struct file_poll *poll) {
    socket_ref socket = SOCKET_FILE(self)->socket;
    if (poll) {
        k42_result inbox = k42_call(socket, number, SOCKET_INBOX);
        *poll = (struct file_poll){.object = inbox > 0 ? (k42_id)inbox : 0, .key = INBOX_POLL};
    }
    return k42_call(socket, poll);
}

/* A hold counts after it was taken: see collect.c. */
static k42_result socket_file_hold(struct file *self) {
    k42_result result = opened_hold(self);
    __atomic_fetch_add(&SOCKET_FILE(self)->taken, 1, __ATOMIC_SEQ_CST);
    return result;
}

static k42_result socket_file_release(struct file *self) {
    k42_result result = opened_release(self);
    flight_closed();
    return result;
}

static k42_result tell_holds(struct socket_file *file, struct socket_holds *holds) {
    *holds = (struct socket_holds){
        .holds = __atomic_load_n(&file->opened.holds, __ATOMIC_SEQ_CST),
        .taken = __atomic_load_n(&file->taken, __ATOMIC_SEQ_CST),
    };
    return 0;
}

static k42_result tell_count(k42_result count, uintptr_t to) {
    int32_t number = (int32_t)count;
    struct copy copy = copy_of_user(to, sizeof number);
    if (count < 0)
        return count;
    k42_result result = copy_out(&copy, &number, sizeof number);
    return result < 0 ? result : result < (k42_result)sizeof number ? -EFAULT : 0;
}

/* Of streams. */
static k42_result is_at_mark(socket_ref socket) {
    struct inbox_look look;
    if (k42_call(socket, number, SOCKET_KIND) != SOCKET_STREAM)
        return 0;
    k42_result result = k42_call(socket, look, &look);
    return result < 0 ? result : look.at_mark;
}

enum { BYTES_TO_RECEIVE = 0x541b, BYTES_UNSENT = 0x5411, AT_MARK = 0x8905 };

static k42_result control(struct file *self, unsigned request, uintptr_t argument) {
    socket_ref socket = SOCKET_FILE(self)->socket;
    switch (request) {
    case FILE_KIND:
        return FILE_OF_SOCKET;
    case FILE_OBJECT:
        return k42_id_of(socket);
    case FILE_LOOK:
        return tell_holds(SOCKET_FILE(self), (struct socket_holds *)argument);
    case FILE_TIME:
        return k42_call(socket, number, argument ? SOCKET_SEND_NS : SOCKET_RECEIVE_NS);
    case FILE_NO_SIGNAL:
        return k42_call(socket, number, SOCKET_KIND) != SOCKET_STREAM;
    case BYTES_TO_RECEIVE:
        return tell_count(k42_call(socket, number, SOCKET_BYTES), argument);
    case BYTES_UNSENT:
        return tell_count(k42_call(socket, number, SOCKET_UNSENT), argument);
    case AT_MARK:
        return tell_count(is_at_mark(socket), argument);
    default:
        return -ENOTTY;
    }
}

/* Of two who ask first, one's goes. */
static struct k42_pair socket_node(struct file *self) {
    struct socket_file *file = SOCKET_FILE(self);
    static const struct node_new what = {.mode = MODE_SOCKET | 0777};
    k42_ref node = __atomic_load_n(&file->made, __ATOMIC_ACQUIRE), made;
    if (node)
        return (struct k42_pair){0, (uintptr_t)node};
    k42_result result = ramfs_make_unnamed(&what, &made);
    if (result < 0)
        return (struct k42_pair){.result = result};
    if (!__atomic_compare_exchange_n(&file->made, &node, made, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        (void)!k42_call((node_ref)made, release);
        made = node;
    }
    return (struct k42_pair){0, (uintptr_t)made};
}

static const struct file_ops socket_file_ops = {
    .object.describe = opened_describe,
    .hold = socket_file_hold,
    .release = socket_file_release,
    .read = read_bytes,
    .write = write_bytes,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = socket_file_poll,
    .control = control,
    .node = socket_node,
    .set_place = opened_set_place,
    .place = opened_place,
    .flags = opened_flags,
    .set_flags = opened_set_flags,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
    .settle = file_settled,
};

static const struct k42_format socket_file_format = {"file.socket", 1, 1};
static const struct k42_transfer socket_file_transfers[] = BODY_TRANSFERS(socket_file_format);

K42_CLASS(file_socket) = {
    .name = "file.socket",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &socket_file_ops,
    .fini = opened_fini,
    .transfers = socket_file_transfers,
};

static void ended(struct opened *opened) {
    struct socket_file *file = k42_container(opened, struct socket_file, opened);
    (void)!k42_call(file->socket, end);
    if (file->made)
        (void)!k42_call((node_ref)file->made, release);
}

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct socket_file, opened)->socket = *(const socket_ref *)context;
    opened->ended = ended;
    return 0;
}

struct k42_pair socket_file(socket_ref socket, unsigned flags) {
    struct k42_pair file = opened_make(&file_socket, sizeof(struct socket_file), K42_NULL_REF,
                                       OPEN_READ_WRITE | flags, set_up, &socket);
    if (file.result < 0)
        (void)!k42_call(socket, end);
    return file;
}
