/*
 * Sending and receiving: sendto, sendmsg, sendmmsg and the other way.
 *
 * The file is held, as a call may sleep. A stream's sender goes on until all is sent; what it has
 * sent counts when a signal or an error comes after. A receiver takes what there is, unless it asks
 * for all (MSG_WAITALL).
 */
#include "../../arch/x86_64/user_copy.h"
#include "../clocks.h"
#include "../signal/signals.h"
#include "calls.h"

struct user_message {
    uint64_t name;
    uint32_t name_length, unused;
    uint64_t vectors, vector_count;
    uint64_t control, control_size;
    uint32_t flags, unused_too;
};

enum { MANY = 1024, NAME_LENGTH_AT = 8, CONTROL_SIZE_AT = 40, FLAGS_AT = 48 };

/* A call that is under way. */
struct talk {
    file_ref file;
    socket_ref socket;
    struct socket_message message;
    struct copy copy;
    bool blocks;
};

static k42_result begin(struct talk *talk, int fd, unsigned flags) {
    k42_result result = socket_get(fd, &talk->file, &talk->socket);
    if (result >= 0)
        result = k42_call(talk->file, hold);
    if (result < 0)
        return result == -K42_STALE ? -EBADF : result;
    talk->message.copy = &talk->copy;
    talk->message.flags = flags;
    talk->blocks = socket_blocks(talk->file, flags);
    if (!talk->blocks)
        talk->message.flags |= SOCKET_DONT_WAIT;
    return 0;
}

static k42_result end(struct talk *talk, k42_result result) {
    (void)!k42_call(talk->file, release);
    return result == -K42_STALE ? -EBADF : result;
}

/* The same for a message as programs have it, whose vectors are to be ended. */
static k42_result begin_message(struct talk *talk, int fd, uintptr_t at, unsigned flags,
                                struct user_message *user, struct files_vectors *vectors) {
    k42_result result = begin(talk, fd, flags);
    if (result < 0)
        return result;
    result = files_copy_in(user, at, sizeof *user);
    if (result >= 0)
        result = user->vector_count > MANY
                     ? -EMSGSIZE
                     : files_vectors_get(vectors, user->vectors, user->vector_count);
    if (result < 0)
        return end(talk, result);
    talk->copy = copy_of_ranges(vectors->at, vectors->total, true);
    return 0;
}

static k42_result end_message(struct talk *talk, struct files_vectors *vectors, k42_result result) {
    parcel_files_free(talk->message.files);
    files_vectors_end(vectors);
    return end(talk, result);
}

/* In an array each message has a number behind it: how many bytes it came to. */
enum { MESSAGE_STEP = 64, MESSAGE_LENGTH_AT = 56 };

static k42_result put_length(uintptr_t message, k42_result bytes) {
    uint32_t length = (uint32_t)bytes;
    return bytes < 0 ? bytes : files_copy_out(message + MESSAGE_LENGTH_AT, &length, sizeof length);
}

static uint64_t deadline_of(const struct talk *talk, unsigned which) {
    k42_result ns = k42_call(talk->socket, number, which);
    return ns > 0 ? clocks_after(ns) : WAIT_FOREVER;
}

/* A wait that has an end is not begun anew after a signal. */
static k42_result result_of(k42_result result, uint64_t deadline) {
    if (result == -ETIMEDOUT)
        return -EAGAIN;
    return result == -EINTR && deadline == WAIT_FOREVER ? -LINUX_RESTART : result;
}

/* ---- sending ---- */

static k42_result send_all(struct talk *talk) {
    struct socket_message *message = &talk->message;
    bool stream = k42_call(talk->socket, number, SOCKET_KIND) == SOCKET_STREAM;
    uint64_t deadline = deadline_of(talk, SOCKET_SEND_NS);
    k42_result done = 0, result;
    do {
        WAIT_CALL(result, deadline, 0,
                  socket_unless_blocking(k42_call(talk->socket, send, message), talk->blocks));
        done += result > 0 ? result : 0;
    } while (stream && result > 0 && talk->copy.left);
    if (result == -EPIPE && stream && !done && !(message->flags & SEND_NO_SIGNAL))
        files_tell_self(SIGPIPE);
    parcel_files_free(message->files);
    message->files = NULL;
    return done || result >= 0 ? done : result_of(result, deadline);
}

/* To nobody's address: to whom the socket is connected. */
static k42_result send_to(struct talk *talk, uintptr_t to, int length) {
    struct socket_address address;
    struct socket_name name = {.node = 0};
    bool named = to && length;
    k42_result result = named ? socket_address_read(&address, to, length) : 0;
    bool calls = k42_call(talk->socket, number, SOCKET_KIND) != SOCKET_DATAGRAM;
    if (result >= 0 && named && !calls)
        result = socket_name_find(&name, &address);
    talk->message.to = named ? &name : NULL;
    if (result >= 0)
        result = send_all(talk);
    socket_name_end(&name);
    return result;
}

LINUX_CALL(44, sendto, int fd, uintptr_t from, size_t size, unsigned flags, uintptr_t to,
           int length) {
    enum { MOST = 0x7ffff000 };
    size = size < MOST ? size : MOST;
    struct talk talk = {.copy = copy_of_user(from, size)};
    k42_result result = user_range_ok(from, size) ? begin(&talk, fd, flags) : -EFAULT;
    if (result < 0)
        return result;
    talk.message.owner = socket_owner_real();
    return end(&talk, send_to(&talk, to, length));
}

static k42_result send_message(int fd, uintptr_t at, unsigned flags) {
    struct talk talk = {.blocks = false};
    struct files_vectors vectors;
    struct user_message user;
    k42_result result = begin_message(&talk, fd, at, flags, &user, &vectors);
    if (result < 0)
        return result;
    struct ancillary control = {user.control, user.control_size};
    talk.message.owner = socket_owner_real();
    result = ancillary_read(&control, &talk.message);
    if (result >= 0)
        result = send_to(&talk, user.name, (int)user.name_length);
    return end_message(&talk, &vectors, result);
}

LINUX_CALL(46, sendmsg, int fd, uintptr_t message, unsigned flags) {
    return send_message(fd, message, flags);
}

LINUX_CALL(307, sendmmsg, int fd, uintptr_t messages, unsigned count, unsigned flags) {
    socket_ref socket;
    file_ref file;
    k42_result result = socket_get(fd, &file, &socket);
    unsigned done = 0;
    for (; result >= 0 && done < count && done < MANY; done++) {
        uintptr_t at = messages + done * MESSAGE_STEP;
        result = put_length(at, send_message(fd, at, flags));
        if (result < 0)
            break;
    }
    return done ? (k42_result)done : result;
}

/* ---- receiving ---- */

/* How many bytes a call waits for: a stream's may be told (SO_RCVLOWAT), or wants all there is room
 * for (MSG_WAITALL). */
static k42_result least_of(const struct talk *talk) {
    const unsigned at_once = SOCKET_PEEK | SOCKET_OUT_OF_BAND;
    if ((talk->message.flags & at_once) ||
        k42_call(talk->socket, number, SOCKET_KIND) != SOCKET_STREAM)
        return 0;
    return talk->message.flags & SOCKET_WAIT_ALL ? (k42_result)talk->copy.left
                                                 : k42_call(talk->socket, number, SOCKET_LEAST);
}

/* Until so many have come, or there is no more. */
static k42_result receive_all(struct talk *talk, uint64_t deadline) {
    struct socket_message *message = &talk->message;
    k42_result least = least_of(talk), done = 0, result;
    do {
        WAIT_CALL(result, deadline, 0,
                  socket_unless_blocking(k42_call(talk->socket, receive, message), talk->blocks));
        done += result > 0 ? result : 0;
    } while (result > 0 && done < least && talk->copy.left && !message->files);
    return done || result >= 0 ? done : result;
}

static k42_result receive(struct talk *talk) {
    uint64_t deadline = deadline_of(talk, SOCKET_RECEIVE_NS);
    return result_of(receive_all(talk, deadline), deadline);
}

LINUX_CALL(45, recvfrom, int fd, uintptr_t to, size_t size, unsigned flags, uintptr_t from,
           uintptr_t length_at) {
    enum { MOST = 0x7ffff000 };
    size = size < MOST ? size : MOST;
    struct talk talk = {.copy = copy_of_user(to, size)};
    k42_result result = user_range_ok(to, size) ? begin(&talk, fd, flags) : -EFAULT;
    if (result < 0)
        return result;
    result = receive(&talk);
    parcel_files_free(talk.message.files);
    if (result >= 0 && from) {
        static const uint32_t nothing;
        bool named = talk.message.got && talk.message.from.length;
        k42_result written = named ? socket_address_write(&talk.message.from, from, length_at)
                                   : files_copy_out(length_at, &nothing, sizeof nothing);
        result = written < 0 ? written : result;
    }
    if (result >= 0 && (flags & SOCKET_CUT) && talk.message.got &&
        k42_call(talk.socket, number, SOCKET_KIND) != SOCKET_STREAM)
        result = (k42_result)talk.message.length;
    return end(&talk, result);
}

/* What recvmsg() says in the message besides bytes. */
static k42_result write_back(struct talk *talk, uintptr_t at, const struct user_message *user,
                             k42_result bytes) {
    struct socket_message *message = &talk->message;
    struct ancillary control = {user->control, user->control_size};
    uint64_t used = 0;
    bool tells = k42_call(talk->socket, number, SOCKET_PASSES_OWNER) > 0;
    bool stream = k42_call(talk->socket, number, SOCKET_KIND) == SOCKET_STREAM;
    unsigned stamps = stream ? 0 : (unsigned)k42_call(talk->socket, number, SOCKET_STAMPS);
    uint32_t flags = ancillary_write(&control, message, tells, stamps, &used);
    uint32_t length = message->got ? message->from.length : 0;
    if (!stream && message->got && (uint64_t)bytes < message->length)
        flags |= SOCKET_CUT;
    flags |= message->flags & (SOCKET_CLOSE_ON_EXEC | SOCKET_OUT_OF_BAND);
    k42_result result = 0;
    if (user->name && length)
        result = files_copy_out(user->name, message->from.bytes,
                                user->name_length < length ? user->name_length : length);
    if (result >= 0 && user->name)
        result = files_copy_out(at + NAME_LENGTH_AT, &length, sizeof length);
    if (result >= 0)
        result = files_copy_out(at + CONTROL_SIZE_AT, &used, sizeof used);
    if (result >= 0)
        result = files_copy_out(at + FLAGS_AT, &flags, sizeof flags);
    if (result >= 0 && !stream && (message->flags & SOCKET_CUT) && message->got)
        return (k42_result)message->length;
    return result < 0 ? result : bytes;
}

static k42_result receive_message(int fd, uintptr_t at, unsigned flags) {
    struct talk talk = {.blocks = false};
    struct files_vectors vectors;
    struct user_message user;
    k42_result result = begin_message(&talk, fd, at, flags, &user, &vectors);
    if (result < 0)
        return result;
    result = receive(&talk);
    if (result >= 0)
        result = write_back(&talk, at, &user, result);
    return end_message(&talk, &vectors, result);
}

LINUX_CALL(47, recvmsg, int fd, uintptr_t message, unsigned flags) {
    return receive_message(fd, message, flags);
}

LINUX_CALL(299, recvmmsg, int fd, uintptr_t messages, unsigned count, unsigned flags,
           uintptr_t time) {
    int64_t ns = 0;
    k42_result result = time ? clocks_read(time, &ns) : 0;
    if (result < 0)
        return result;
    uint64_t deadline = time ? clocks_after(ns) : WAIT_FOREVER;
    socket_ref socket;
    file_ref file;
    unsigned done = 0;
    result = socket_get(fd, &file, &socket);
    for (; result >= 0 && done < count && done < MANY; done++) {
        uintptr_t at = messages + done * MESSAGE_STEP;
        result = put_length(at, receive_message(fd, at, flags & ~(unsigned)SOCKET_FIRST));
        if (result < 0)
            break;
        if (flags & SOCKET_FIRST)
            flags |= SOCKET_DONT_WAIT;
        if (!clocks_left(deadline)) {
            done++;
            break;
        }
    }
    return done ? (k42_result)done : result;
}
