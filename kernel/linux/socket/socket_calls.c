/*
 * Calls that make, name and connect sockets.
 */
#include "calls.h"

enum { KIND_BITS = 0xf, MOST_KIND = 10, RAW = 3 };

k42_result socket_get(int fd, file_ref *file, socket_ref *socket) {
    k42_result result = files_get(fd, file);
    if (result < 0)
        return result;
    if (k42_call(*file, control, FILE_KIND, 0) != FILE_OF_SOCKET)
        return k42_call(*file, flags) & OPEN_PATH ? -EBADF : -ENOTSOCK;
    k42_result id = k42_call(*file, control, FILE_OBJECT, 0);
    if (id <= 0)
        return -EBADF; /* another thread has just closed it */
    *socket = (socket_ref)k42_id_ref((k42_id)id);
    return 0;
}

struct socket_owner socket_owner_effective(void) {
    const struct task *task = task_self();
    return (struct socket_owner){task->pid, task->credentials->euid, task->credentials->egid};
}

struct socket_owner socket_owner_real(void) {
    const struct task *task = task_self();
    return (struct socket_owner){task->pid, task->credentials->uid, task->credentials->gid};
}

/* ---- making ---- */

static k42_result check_kind(int family, unsigned kind, int protocol) {
    if (kind & ~(unsigned)(KIND_BITS | OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC))
        return -EINVAL;
    if (family < 0 || family > 45)
        return -EAFNOSUPPORT;
    if ((kind & KIND_BITS) > MOST_KIND)
        return -EINVAL;
    if (family != FAMILY_LOCAL)
        return -EAFNOSUPPORT;
    return protocol && protocol != FAMILY_LOCAL ? -EPROTONOSUPPORT : 0;
}

/* What Linux calls SOCK_RAW is a datagram's here, too. */
static k42_result make(unsigned kind, socket_ref *socket, file_ref *file) {
    unsigned of = kind & KIND_BITS;
    k42_result result = socket_make(of == RAW ? SOCKET_DATAGRAM : of, socket);
    if (result < 0)
        return result;
    struct k42_pair made = socket_file(*socket, kind & OPEN_NON_BLOCKING);
    *file = (file_ref)made.word;
    return made.result;
}

/* Netlink's, as far as C libraries need one to be told of messages. */
static k42_result check_from_kernel(unsigned kind, int protocol) {
    unsigned of = kind & KIND_BITS;
    if (kind & ~(unsigned)(KIND_BITS | OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC))
        return -EINVAL;
    if (of != RAW && of != SOCKET_DATAGRAM)
        return -ESOCKTNOSUPPORT;
    return protocol ? -EPROTONOSUPPORT : 0;
}

/*
 * Partly: of families there is AF_UNIX, and AF_NETLINK for nothing but what mq_notify() sends.
 */
LINUX_CALL(41, socket, int family, unsigned kind, int protocol) {
    socket_ref socket;
    file_ref file;
    k42_result result = family == FAMILY_KERNEL ? check_from_kernel(kind, protocol)
                                                : check_kind(family, kind, protocol);
    if (result >= 0)
        result = make(kind, &socket, &file);
    if (result >= 0)
        (void)!k42_call(socket, set_number, SOCKET_FAMILY, (uint64_t)family);
    return result < 0 ? result : files_add(file, kind);
}

static k42_result make_pair(unsigned kind, file_ref *files) {
    struct socket_owner owner = socket_owner_effective();
    socket_ref sockets[2];
    k42_result result = make(kind, &sockets[0], &files[0]);
    if (result < 0)
        return result;
    result = make(kind, &sockets[1], &files[1]);
    if (result < 0) {
        (void)!k42_call(files[0], release);
        return result;
    }
    for (unsigned i = 0; i < 2; i++) {
        k42_id own = (k42_id)k42_call(sockets[i], number, SOCKET_INBOX);
        static const struct socket_address none;
        (void)!k42_call((inbox_ref)k42_id_ref(own), set_owner, &owner, &none);
        (void)!k42_call(sockets[!i], join, own, &owner);
        (void)!k42_call(sockets[i], accepted);
    }
    return 0;
}

/* Of the Internet's sockets there are none, and of no family but ours would there be pairs. */
static k42_result refuse_pair(int family, unsigned kind, int protocol) {
    enum { INTERNET = 2, INTERNET_6 = 10, OF_STREAMS = 6, OF_DATAGRAMS = 17 };
    unsigned of = kind & KIND_BITS;
    k42_result result = check_kind(FAMILY_LOCAL, kind, 0);
    if (family == FAMILY_KERNEL)
        result = check_from_kernel(kind, protocol);
    else if (result >= 0 && family != INTERNET && family != INTERNET_6)
        return check_kind(family, kind, protocol);
    else if (result >= 0 && of != SOCKET_STREAM && of != SOCKET_DATAGRAM)
        return of == RAW ? -EPROTONOSUPPORT : -ESOCKTNOSUPPORT;
    else if (result >= 0 && protocol != (of == SOCKET_STREAM ? OF_STREAMS : OF_DATAGRAMS))
        result = protocol ? -EPROTONOSUPPORT : 0;
    return result < 0 ? result : -EOPNOTSUPP;
}

LINUX_CALL(53, socketpair, int family, unsigned kind, int protocol, uintptr_t to) {
    int32_t numbers[2];
    file_ref files[2];
    k42_result result = family == FAMILY_LOCAL ? check_kind(family, kind, protocol)
                                               : refuse_pair(family, kind, protocol);
    if (result >= 0)
        result = make_pair(kind, files);
    if (result < 0)
        return result;
    result = files_add(files[0], kind);
    if (result < 0) {
        (void)!k42_call(files[1], release);
        return result;
    }
    numbers[0] = (int32_t)result;
    result = files_add(files[1], kind);
    numbers[1] = (int32_t)result;
    if (result >= 0)
        result = files_copy_out(to, numbers, sizeof numbers);
    if (result >= 0)
        return 0;
    files_take_back(numbers[0]);
    files_take_back(numbers[1]);
    return result;
}

/* ---- naming and connecting: the file is held, since all of these may wait ---- */

static k42_result bind_name(file_ref file, socket_ref socket,
                            const struct socket_address *address) {
    struct socket_name name;
    (void)file;
    k42_result result = socket_name_make(&name, address);
    if (result < 0)
        return result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, k42_call(socket, bind, &name));
    if (result < 0 && name.node)
        (void)files_remove_node(name.address.bytes + ADDRESS_PATH);
    socket_name_end(&name);
    return result;
}

static k42_result get_held(int fd, file_ref *file, socket_ref *socket) {
    k42_result result = socket_get(fd, file, socket);
    if (result >= 0)
        result = k42_call(*file, hold);
    return result == -K42_STALE ? -EBADF : result;
}

static k42_result let_go(file_ref file, k42_result result) {
    (void)!k42_call(file, release);
    return linux_result(result, -EBADF);
}

/* Makes something of a socket and an address. */
static k42_result with_address(int fd, uintptr_t from, int length,
                               k42_result (*act)(file_ref file, socket_ref socket,
                                                 const struct socket_address *address)) {
    struct socket_address address;
    socket_ref socket;
    file_ref file;
    k42_result result = get_held(fd, &file, &socket);
    if (result < 0)
        return result;
    result = socket_address_read(&address, from, length);
    if (result >= 0)
        result = act(file, socket, &address);
    return let_go(file, result);
}

LINUX_CALL(49, bind, int fd, uintptr_t from, int length) {
    return with_address(fd, from, length, bind_name);
}

static k42_result connect_to(file_ref file, socket_ref socket,
                             const struct socket_address *address) {
    enum { FAMILY_NONE = 0 };
    struct socket_owner owner = socket_owner_effective();
    struct socket_name name;
    bool blocks = socket_blocks(file, 0);
    k42_result result;
    bool nobody = address->length >= ADDRESS_PATH && !address->bytes[0] && !address->bytes[1];
    if (nobody && k42_call(socket, number, SOCKET_KIND) == SOCKET_DATAGRAM) {
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(socket, connect, NULL, &owner));
        return result;
    }
    result = socket_name_find(&name, address);
    if (result < 0)
        return result;
    WAIT_CALL(result, WAIT_FOREVER, 0,
              socket_unless_blocking(k42_call(socket, connect, &name, &owner), blocks));
    socket_name_end(&name);
    return result;
}

LINUX_CALL(42, connect, int fd, uintptr_t from, int length) {
    struct socket_address address; /* said before what the descriptor is */
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = socket_address_read(&address, from, length);
    return result < 0 ? result : with_address(fd, from, length, connect_to);
}

k42_result socket_connect(int fd, const struct socket_address *address) {
    socket_ref socket;
    file_ref file;
    k42_result result = get_held(fd, &file, &socket);
    return result < 0 ? result : let_go(file, connect_to(file, socket, address));
}

LINUX_CALL(50, listen, int fd, int most) {
    enum { MOST = 4096 };
    struct socket_owner owner = socket_owner_effective();
    socket_ref socket;
    file_ref file;
    k42_result result = get_held(fd, &file, &socket);
    if (result < 0)
        return result;
    unsigned bounded = (unsigned)most < MOST ? (unsigned)most : MOST;
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(socket, listen, bounded, &owner));
    return let_go(file, result);
}

static k42_result attempt_accept(socket_ref socket, bool blocks, file_ref *accepted) {
    struct k42_pair got = k42_call(socket, accept);
    *accepted = (file_ref)got.word;
    if (got.result == -EINVAL && !blocks && k42_call(socket, number, SOCKET_LISTENS) > 0)
        return -EAGAIN; /* that it was shut is told to those who wait */
    return socket_unless_blocking(got.result, blocks);
}

/* A descriptor that the program is not told of is none. */
static k42_result give(file_ref accepted, unsigned flags, uintptr_t to, uintptr_t length_at) {
    struct socket_address address = {.length = 0};
    socket_ref socket = (socket_ref)k42_id_ref((k42_id)k42_call(accepted, control, FILE_OBJECT, 0));
    k42_result now = k42_call(accepted, flags);
    (void)!k42_call(socket, accepted);
    (void)!k42_call(socket, name, 1, &address);
    if (now >= 0 && (flags & OPEN_NON_BLOCKING))
        (void)!k42_call(accepted, set_flags, (unsigned)now | OPEN_NON_BLOCKING);
    k42_result fd = files_add(accepted, flags);
    k42_result result = fd >= 0 && to ? socket_address_write(&address, to, length_at) : 0;
    if (result < 0)
        files_take_back((int)fd);
    return result < 0 ? result : fd;
}

k42_result socket_accept(int fd, uintptr_t to, uintptr_t length_at, unsigned flags, bool waits) {
    socket_ref socket;
    file_ref file, accepted;
    if (flags & ~(unsigned)(OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC))
        return -EINVAL;
    k42_result result = get_held(fd, &file, &socket);
    if (result < 0)
        return result;
    bool blocks = waits && socket_blocks(file, 0);
    result = k42_call(task_self()->descriptors, room, 0, files_limit());
    if (result >= 0)
        WAIT_CALL(result, WAIT_FOREVER, 0, attempt_accept(socket, blocks, &accepted));
    if (result >= 0)
        result = give(accepted, flags, to, length_at);
    return let_go(file, result);
}

LINUX_CALL(43, accept, int fd, uintptr_t to, uintptr_t length_at) {
    return socket_accept(fd, to, length_at, 0, true);
}

LINUX_CALL(288, accept4, int fd, uintptr_t to, uintptr_t length_at, unsigned flags) {
    return socket_accept(fd, to, length_at, flags, true);
}

LINUX_CALL(48, shutdown, int fd, unsigned how) {
    socket_ref socket;
    file_ref file;
    k42_result result = socket_get(fd, &file, &socket);
    if (result < 0)
        return result;
    return how > 2 ? -EINVAL : linux_result(k42_call(socket, shutdown, how + 1), -EBADF);
}

static k42_result tell_name(int fd, unsigned peer, uintptr_t to, uintptr_t length_at) {
    struct socket_address address;
    socket_ref socket;
    file_ref file;
    k42_result result = socket_get(fd, &file, &socket);
    if (result >= 0)
        result = k42_call(socket, name, peer, &address);
    return result < 0 ? linux_result(result, -EBADF)
                      : socket_address_write(&address, to, length_at);
}

LINUX_CALL(51, getsockname, int fd, uintptr_t to, uintptr_t length_at) {
    return tell_name(fd, 0, to, length_at);
}

LINUX_CALL(52, getpeername, int fd, uintptr_t to, uintptr_t length_at) {
    return tell_name(fd, 1, to, length_at);
}
