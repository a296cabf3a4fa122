/*
 * setsockopt and getsockopt.
 */
#include "../process/lives.h"
#include "calls.h"

enum {
    LEVEL = 1, /* SOL_SOCKET */
    DEBUG = 1,
    REUSE_ADDRESS = 2,
    TYPE = 3,
    ERROR = 4,
    DO_NOT_ROUTE = 5,
    BROADCAST = 6,
    SEND_BUFFER = 7,
    RECEIVE_BUFFER = 8,
    KEEP_ALIVE = 9,
    IN_LINE = 10,
    PRIORITY = 12,
    LINGER = 13,
    REUSE_PORT = 15,
    PASS_OWNER = 16,
    PEER_OWNER = 17,
    RECEIVE_TIME = 20,
    LEAST = 18, /* SO_RCVLOWAT */
    SEND_TIME = 21,
    LISTENS = 30,
    SEND_BUFFER_FORCED = 32,
    RECEIVE_BUFFER_FORCED = 33,
    PASS_LABEL = 34,
    MARK = 36,
    STAMPING = 37,
    PROTOCOL = 38,
    DOMAIN = 39,
    PEEK_OFFSET = 42,
    PEER_GROUPS = 59,
    LEAST_SEND = 4608,
    LEAST_RECEIVE = 2304,
    MOST_BUFFER = 212992,
};

struct time_limit {
    int64_t seconds, microseconds;
};
struct linger {
    int32_t on, seconds;
};

/* What a program gives. */
union given {
    int32_t number;
    struct time_limit limit;
    struct linger linger;
};

/* ---- setting ---- */

/* Linux gives twice what is asked for, and says so. */
static k42_result set_size(socket_ref socket, unsigned which, int32_t value, bool forced) {
    enum { CAPABILITY_ADMINISTER_NETWORK = 12 };
    if (forced && !files_may(CAPABILITY_ADMINISTER_NETWORK))
        return -EPERM;
    uint64_t least = which == SOCKET_SEND_SIZE ? LEAST_SEND : LEAST_RECEIVE;
    uint64_t size = forced && value < 0 ? 0 : (uint32_t)value;
    size = !forced && size > MOST_BUFFER ? MOST_BUFFER : size;
    size = 2 * size < least ? least : 2 * size;
    return k42_call(socket, set_number, which, size);
}

static k42_result set_time(socket_ref socket, unsigned which, struct time_limit limit) {
    enum { MILLION = 1000000 };
    if (limit.microseconds < 0 || limit.microseconds >= MILLION)
        return -EDOM;
    bool forever = limit.seconds >= INT64_MAX / 1000000000 - 1;
    if (limit.seconds < 0)
        return k42_call(socket, set_number, which, 1);
    return k42_call(
        socket, set_number, which,
        forever ? 0 : (uint64_t)limit.seconds * 1000000000 + (uint64_t)limit.microseconds * 1000);
}

/* Of no meaning between sockets of one machine, but told as it was set. */
static bool is_switch(int option) {
    static const uint64_t switches = 1ul << DEBUG | 1ul << REUSE_ADDRESS | 1ul << DO_NOT_ROUTE |
                                     1ul << BROADCAST | 1ul << KEEP_ALIVE | 1ul << IN_LINE |
                                     1ul << REUSE_PORT | 1ul << PASS_LABEL;
    return option >= 0 && option < 64 && (switches >> option & 1);
}

static k42_result set_switch(socket_ref socket, int option, bool on) {
    uint64_t all = (uint64_t)k42_call(socket, number, SOCKET_SWITCHES);
    return k42_call(socket, set_number, SOCKET_SWITCHES,
                    (all & ~(1ul << option)) | (uint64_t)on << option);
}

/* Of a mark nobody takes notice. */
static k42_result set_mark(socket_ref socket, int32_t value) {
    enum { CAPABILITY_ADMINISTER_NETWORK = 12, CAPABILITY_RAW_NETWORK };
    if (!files_may(CAPABILITY_ADMINISTER_NETWORK) && !files_may(CAPABILITY_RAW_NETWORK))
        return -EPERM;
    return k42_call(socket, set_number, SOCKET_MARK, (uint32_t)value);
}

static k42_result set_stamping(socket_ref socket, int32_t value) {
    enum { KNOWN = 0xffff };
    return value & ~KNOWN ? -EINVAL
                          : k42_call(socket, set_number, SOCKET_STAMPING, (uint32_t)value);
}

static k42_result set_option(socket_ref socket, int option, const union given *given) {
    int32_t value = given->number;
    if (is_switch(option))
        return set_switch(socket, option, value);
    switch (option) {
    case SEND_BUFFER:
    case SEND_BUFFER_FORCED:
        return set_size(socket, SOCKET_SEND_SIZE, value, option == SEND_BUFFER_FORCED);
    case RECEIVE_BUFFER:
    case RECEIVE_BUFFER_FORCED:
        return set_size(socket, SOCKET_RECEIVE_SIZE, value, option == RECEIVE_BUFFER_FORCED);
    case PASS_OWNER:
        return k42_call(socket, set_number, SOCKET_PASSES_OWNER, value != 0);
    case SEND_TIME:
        return set_time(socket, SOCKET_SEND_NS, given->limit);
    case RECEIVE_TIME:
        return set_time(socket, SOCKET_RECEIVE_NS, given->limit);
    case PRIORITY:
        return k42_call(socket, set_number, SOCKET_PRIORITY, (uint32_t)value);
    case LEAST:
        return k42_call(socket, set_number, SOCKET_LEAST,
                        (uint64_t)(value < 0 ? INT32_MAX
                                   : value   ? value
                                             : 1));
    case PEEK_OFFSET:
        return k42_call(socket, set_number, SOCKET_PEEK_OFFSET,
                        value < 0 ? 0 : (uint64_t)value + 1);
    case MARK:
        return set_mark(socket, value);
    case STAMPS_MICROSECONDS:
    case STAMPS_NANOSECONDS:
    case STAMPS_MICROSECONDS_WIDE:
    case STAMPS_NANOSECONDS_WIDE:
        return k42_call(socket, set_number, SOCKET_STAMPS, value ? (uint64_t)option : STAMPS_NONE);
    case STAMPING:
        return set_stamping(socket, value);
    case LINGER:
        return k42_call(socket, set_number, SOCKET_LINGER,
                        (uint64_t)(uint32_t)given->linger.seconds << 1 | (value != 0));
    default:
        return -ENOPROTOOPT;
    }
}

static size_t size_of(int option) {
    return option == SEND_TIME || option == RECEIVE_TIME ? sizeof(struct time_limit)
           : option == LINGER                            ? sizeof(struct linger)
                                                         : sizeof(int32_t);
}

LINUX_CALL(54, setsockopt, int fd, int level, int option, uintptr_t from, unsigned size) {
    socket_ref socket;
    file_ref file;
    union given given;
    if ((int)size < 0)
        return -EINVAL;
    k42_result result = socket_get(fd, &file, &socket);
    if (result < 0)
        return result;
    if (level != LEVEL)
        return -EOPNOTSUPP;
    if (size < sizeof given.number)
        return -EINVAL;
    result = files_copy_in(&given, from, sizeof given.number);
    if (result >= 0 && size < size_of(option))
        result = -EINVAL;
    if (result >= 0 && size_of(option) > sizeof given.number)
        result = files_copy_in(&given, from, size_of(option));
    if (result >= 0)
        result = socket_get(fd, &file, &socket); /* copying may have waited */
    if (result >= 0)
        result = set_option(socket, option, &given);
    return linux_result(result, -EBADF);
}

/* ---- telling ---- */

struct answer {
    union {
        int32_t number;
        struct socket_owner owner;
        struct time_limit limit;
        struct linger linger;
        int32_t stamping[2];
    };
    size_t size;
};

static void tell_time(struct answer *answer, k42_result ns) {
    answer->limit = (struct time_limit){ns / 1000000000, ns % 1000000000 / 1000};
    answer->size = sizeof answer->limit;
}

static k42_result tell_peer(socket_ref socket, struct answer *answer) {
    answer->size = sizeof answer->owner;
    k42_result result = k42_call(socket, peer, &answer->owner);
    if (result >= 0 && !answer->owner.pid)
        answer->owner.uid = answer->owner.gid = ~0u;
    return result;
}

static k42_result ask(socket_ref socket, int option, struct answer *answer) {
    k42_result found = 0;
    answer->size = sizeof answer->number;
    switch (option) {
    case TYPE:
        found = k42_call(socket, number, SOCKET_KIND);
        break;
    case ERROR:
        found = -k42_call(socket, number, SOCKET_ERROR);
        break;
    case SEND_BUFFER:
        found = k42_call(socket, number, SOCKET_SEND_SIZE);
        break;
    case RECEIVE_BUFFER:
        found = k42_call(socket, number, SOCKET_RECEIVE_SIZE);
        break;
    case PASS_OWNER:
        found = k42_call(socket, number, SOCKET_PASSES_OWNER);
        break;
    case LISTENS:
        found = k42_call(socket, number, SOCKET_LISTENS);
        break;
    case DOMAIN:
        found = k42_call(socket, number, SOCKET_FAMILY);
        break;
    case PROTOCOL:
        break;
    case PRIORITY:
        found = k42_call(socket, number, SOCKET_PRIORITY);
        break;
    case LINGER:
        found = k42_call(socket, number, SOCKET_LINGER);
        answer->linger = (struct linger){found & 1, (int32_t)(found >> 1)};
        answer->size = sizeof answer->linger;
        return 0;
    case RECEIVE_TIME:
        tell_time(answer, k42_call(socket, number, SOCKET_RECEIVE_NS));
        return 0;
    case SEND_TIME:
        tell_time(answer, k42_call(socket, number, SOCKET_SEND_NS));
        return 0;
    case PEER_OWNER:
        return tell_peer(socket, answer);
    case LEAST:
        found = k42_call(socket, number, SOCKET_LEAST);
        break;
    case PEEK_OFFSET:
        found = k42_call(socket, number, SOCKET_PEEK_OFFSET) - 1;
        break;
    case MARK:
        found = k42_call(socket, number, SOCKET_MARK);
        break;
    case STAMPS_MICROSECONDS:
    case STAMPS_NANOSECONDS:
    case STAMPS_MICROSECONDS_WIDE:
    case STAMPS_NANOSECONDS_WIDE:
        found = k42_call(socket, number, SOCKET_STAMPS) == option;
        break;
    case STAMPING:
        answer->stamping[0] = (int32_t)k42_call(socket, number, SOCKET_STAMPING);
        answer->size = sizeof answer->stamping;
        return 0;
    default:
        if (!is_switch(option))
            return -ENOPROTOOPT;
        found = k42_call(socket, number, SOCKET_SWITCHES) >> option & 1;
    }
    answer->number = (int32_t)found;
    return 0;
}

/* How much room they need is said also where there is less. */
static k42_result tell_groups(socket_ref socket, uintptr_t to, int32_t room, uintptr_t size_at) {
    struct k42_pair found = k42_call(socket, credentials);
    if (found.result < 0)
        return found.result;
    struct credentials *who = credentials_hold((struct credentials *)found.word);
    int32_t size = (int32_t)(who->group_count * sizeof who->groups[0]);
    k42_result result = size > room ? -ERANGE : files_copy_out(to, who->groups, (size_t)size);
    if ((!result || result == -ERANGE) && files_copy_out(size_at, &size, sizeof size) < 0)
        result = -EFAULT;
    credentials_release(who);
    return result;
}

LINUX_CALL(55, getsockopt, int fd, int level, int option, uintptr_t to, uintptr_t size_at) {
    struct answer answer = {.size = 0};
    socket_ref socket;
    file_ref file;
    int32_t room;
    k42_result result = socket_get(fd, &file, &socket);
    if (result < 0)
        return result;
    if (level != LEVEL)
        return -EOPNOTSUPP;
    result = files_copy_in(&room, size_at, sizeof room);
    if (result >= 0 && room < 0)
        result = -EINVAL;
    if (result >= 0)
        result = socket_get(fd, &file, &socket);
    if (result >= 0 && option == PEER_GROUPS)
        return linux_result(tell_groups(socket, to, room, size_at), -EBADF);
    if (result >= 0)
        result = ask(socket, option, &answer);
    if (result < 0)
        return linux_result(result, -EBADF);
    int32_t size = room < (int32_t)answer.size ? room : (int32_t)answer.size;
    result = files_copy_out(to, &answer, (size_t)size);
    return result < 0 ? result : files_copy_out(size_at, &size, sizeof size);
}
