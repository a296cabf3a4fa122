/*
 * What goes with messages: files (SCM_RIGHTS) and who sent them (SCM_CREDENTIALS).
 *
 * Files on their way are held, and counted by the user who sent them, up to as many as he may have
 * open; so nobody keeps more of them on the way than he could keep open himself.
 */
#include "calls.h"

#include "../../mem/heap/heap.h"
#include "../process/ids.h"
#include "../process/users.h"

enum {
    LEVEL = 1, /* SOL_SOCKET */
    FILES = 1,
    OWNER = 2,
    MOST_BYTES = 10240,
    NOBODY = -1,
    CAPABILITY_SET_GID = 6,
    CAPABILITY_SET_UID = 7,
    CAPABILITY_ADMINISTER = 21,
};

struct header {
    uint64_t length;
    int32_t level, type;
};

static size_t aligned(size_t size) {
    return (size + 7) & ~(size_t)7;
}

/* ---- sent ---- */

static k42_result add_file(struct socket_message *message, int fd) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0 || k42_call(file, hold) < 0)
        return -EBADF;
    bool is_socket = k42_call(file, control, FILE_KIND, 0) == FILE_OF_SOCKET;
    message->files->file[message->files->count++] =
        (struct parcel_file){.ref = (k42_ref)file, .is_socket = is_socket};
    message->files->sockets |= is_socket;
    return 0;
}

/* More room, with what is there already. */
static k42_result make_room(struct socket_message *message, unsigned more) {
    struct parcel_files *before = message->files;
    unsigned count = before ? before->count : 0;
    if (more > PARCEL_MOST_FILES - count)
        return -EINVAL;
    struct parcel_files *files = parcel_files_make(count + more);
    if (!files)
        return -ENOMEM;
    files->passed = true;
    for (; files->count < count; files->count++)
        files->file[files->count] = before->file[files->count];
    files->sockets = before && before->sockets;
    heap_free(before);
    message->files = files;
    return 0;
}

static k42_result read_files(struct socket_message *message, const int32_t *numbers,
                             unsigned count) {
    k42_result result = make_room(message, count);
    for (unsigned i = 0; i < count && result >= 0; i++)
        result = add_file(message, numbers[i]);
    return result;
}

/* Who may say so can be another process, but none that there is not. */
static k42_result read_owner(struct socket_message *message, const struct socket_owner *said) {
    const struct task *task = task_self();
    const struct credentials *who = task->credentials;
    bool is_pid = said->pid == task->pid || files_may(CAPABILITY_ADMINISTER);
    bool is_uid = said->uid == who->uid || said->uid == who->euid || said->uid == who->suid ||
                  files_may(CAPABILITY_SET_UID);
    bool is_gid = said->gid == who->gid || said->gid == who->egid || said->gid == who->sgid ||
                  files_may(CAPABILITY_SET_GID);
    message->owner = *said;
    if (!is_pid || !is_uid || !is_gid)
        return -EPERM;
    struct process_info info;
    if (said->pid != task->pid && k42_call(ids_process(said->pid), info, &info) < 0)
        return -ESRCH;
    return (int)said->uid == NOBODY || (int)said->gid == NOBODY ? -EINVAL : 0;
}

static k42_result read_one(struct socket_message *message, const struct header *header,
                           const char *data) {
    size_t size = header->length - sizeof *header;
    if (header->level != LEVEL)
        return 0;
    if (header->type == FILES)
        return read_files(message, (const int32_t *)(const void *)data,
                          (unsigned)(size / sizeof(int32_t)));
    if (header->type != OWNER || size != sizeof(struct socket_owner))
        return -EINVAL;
    return read_owner(message, (const struct socket_owner *)(const void *)data);
}

static k42_result read_all(struct socket_message *message, const char *bytes, size_t size) {
    k42_result result = 0;
    for (size_t at = 0; at + sizeof(struct header) <= size && result >= 0;) {
        const struct header *header = (const struct header *)(const void *)(bytes + at);
        if (header->length < sizeof *header || header->length > size - at)
            return -EINVAL;
        result = read_one(message, header, bytes + at + sizeof *header);
        at += aligned(header->length);
    }
    return result;
}

/* Until they are received, or thrown away. */
static k42_result charge(struct parcel_files *files) {
    const struct credentials *who = task_self()->credentials;
    uint64_t limit = task_limit(task_self(), 7);
    if (files_may(CAPABILITY_RESOURCES) || files_may(CAPABILITY_ADMINISTER))
        limit = ~0ul;
    k42_result result = user_add_files(who->uid, files->count, limit);
    if (result < 0)
        return result;
    files->uid = who->uid;
    files->charged = files->count;
    return 0;
}

k42_result ancillary_read(const struct ancillary *from, struct socket_message *message) {
    if (!from->at || !from->size)
        return 0;
    if (from->size > MOST_BYTES)
        return -ENOBUFS;
    char *bytes = heap_allocate(aligned(from->size));
    if (!bytes)
        return -ENOMEM;
    k42_result result = files_copy_in(bytes, from->at, from->size);
    if (result >= 0)
        result = read_all(message, bytes, from->size);
    heap_free(bytes);
    if (result >= 0 && message->files && message->files->count)
        result = charge(message->files);
    if (message->files && (result < 0 || !message->files->count)) {
        parcel_files_free(message->files);
        message->files = NULL;
    }
    return result;
}

/* ---- received ---- */

struct writing {
    uintptr_t at;
    size_t left, used;
    unsigned flags;
};

/* A header and its data, cut off where the room ends. */
static void write_one(struct writing *writing, int type, const void *data, size_t size) {
    struct header header = {sizeof header + size, LEVEL, type};
    if (writing->left < sizeof header) {
        writing->flags |= SOCKET_CONTROL_CUT;
        return;
    }
    if (header.length > writing->left) {
        writing->flags |= SOCKET_CONTROL_CUT;
        header.length = writing->left;
    }
    if (files_copy_out(writing->at, &header, sizeof header) < 0 ||
        files_copy_out(writing->at + sizeof header, data, header.length - sizeof header) < 0)
        return;
    size_t step = aligned(sizeof header + size);
    step = step < writing->left ? step : writing->left;
    writing->at += step;
    writing->left -= step;
    writing->used += step;
}

/* Each file that a number is found for becomes the program's; the others are let go. */
static unsigned give_numbers(struct parcel_files *files, unsigned most, unsigned flags,
                             int32_t *numbers) {
    unsigned given = 0;
    while (given < most && given < files->count) {
        k42_result fd = files_add((file_ref)files->file[given].ref,
                                  flags & SOCKET_CLOSE_ON_EXEC ? OPEN_CLOSE_ON_EXEC : 0);
        if (fd < 0) { /* which has let it go */
            files->file[given] = files->file[--files->count];
            break;
        }
        numbers[given++] = (int32_t)fd;
    }
    for (unsigned i = 0; i + given < files->count; i++)
        files->file[i] = files->file[i + given];
    files->count -= given;
    return given;
}

static void write_files(struct writing *writing, struct socket_message *message) {
    int32_t numbers[PARCEL_MOST_FILES];
    size_t room = writing->left > sizeof(struct header)
                      ? (writing->left - sizeof(struct header)) / sizeof *numbers
                      : 0;
    unsigned given = give_numbers(message->files,
                                  (unsigned)(room < PARCEL_MOST_FILES ? room : PARCEL_MOST_FILES),
                                  message->flags, numbers);
    if (message->files->count)
        writing->flags |= SOCKET_CONTROL_CUT;
    parcel_files_free(message->files);
    message->files = NULL;
    if (given)
        write_one(writing, FILES, numbers, given * sizeof *numbers);
}

static void write_stamp(struct writing *writing, uint64_t when, unsigned stamps) {
    uint64_t time[2] = {when / 1000000000, when % 1000000000};
    if (stamps == STAMPS_MICROSECONDS || stamps == STAMPS_MICROSECONDS_WIDE)
        time[1] /= 1000;
    write_one(writing, (int)stamps, time, sizeof time);
}

unsigned ancillary_write(const struct ancillary *to, struct socket_message *message,
                         bool tells_owner, unsigned stamps, size_t *used) {
    struct writing writing = {.at = to->at, .left = to->at ? to->size : 0};
    if (stamps && message->got)
        write_stamp(&writing, message->when, stamps);
    if (tells_owner && message->got)
        write_one(&writing, OWNER, &message->owner, sizeof message->owner);
    if (message->files)
        write_files(&writing, message);
    *used = writing.used;
    return writing.flags;
}
