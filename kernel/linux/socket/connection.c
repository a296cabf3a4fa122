/*
 * Sockets that are connected by a call: streams and packets. Listening, calling, accepting; and
 * what they are ready for.
 *
 * Who connects makes both ends: his own, and a new socket for the other side, whose file he puts
 * into the inbox of the one that listens, as a parcel. Accepting is taking that file out. When the
 * one that listens ends first, its parcels are thrown away, the files in them end, and so the
 * caller learns that nobody answers.
 */
#include "socket_body.h"

#include "../../mem/heap/heap.h"
#include "../process/lives.h"
#include "../task.h"
#include "flight.h"

/* ---- listening ---- */

k42_result call_listen(struct socket *self, unsigned most, const struct socket_owner *owner) {
    enum { MOST = 4096 };
    struct socket_body *socket = SOCKET(self);
    k42_result result = socket_begin(socket);
    if (result < 0)
        return result;
    if (!socket->bound.in || socket_has_peer(socket))
        return socket_leave(socket, -EINVAL);
    most = most < MOST ? most : MOST;
    (void)!k42_call(socket->own, limit, INBOX_BYTES * 16ul, most + 1);
    (void)!k42_call(socket->own, set_owner, owner, &socket->bound.name.address);
    (void)!k42_call(socket->own, set_credentials, credentials_hold(task_self()->credentials));
    socket_set_credentials(socket, credentials_hold(task_self()->credentials));
    socket->partner = *owner; /* as Linux: SO_PEERCRED of a listener is who made it one */
    socket->listens = socket->accepted = true;
    __atomic_store_n(&socket->bound.listens, 1, __ATOMIC_RELEASE);
    return socket_leave(socket, 0);
}

struct k42_pair call_accept(struct socket *self) {
    struct socket_body *socket = SOCKET(self);
    if (!socket->listens)
        return (struct k42_pair){.result = -EINVAL};
    struct k42_pair got = k42_call(socket->own, pop);
    struct parcel *parcel = (struct parcel *)got.word;
    if (got.result < 0)
        return got;
    k42_ref file = parcel->files->file[0].ref;
    parcel->files->count = 0;
    parcel_files_free(parcel->files);
    heap_free(parcel);
    return (struct k42_pair){0, (uintptr_t)file};
}

/* ---- calling ---- */

static inbox_ref inbox_of(socket_ref socket) {
    return (inbox_ref)k42_id_ref((k42_id)k42_call(socket, number, SOCKET_INBOX));
}

/* The other side: connected to us, with the name of the one that listens. The file in the word. */
static struct k42_pair make_other(struct socket_body *socket, inbox_ref listener,
                                  const struct socket_owner *owner, socket_ref *made) {
    struct socket_owner listens;
    struct socket_address address;
    socket_ref other;
    k42_result result = k42_call(listener, owner, &listens, &address);
    if (result >= 0)
        result = socket_make((unsigned)socket->numbers[SOCKET_KIND], &other);
    if (result < 0)
        return (struct k42_pair){.result = result == -K42_STALE ? -ECONNREFUSED : result};
    *made = other;
    (void)!k42_call(inbox_of(other), set_owner, &listens, &address);
    struct k42_pair file = socket_file(other, 0);
    if (file.result < 0)
        return file;
    result = k42_call(other, join, k42_id_of(socket->own), owner);
    socket->partner = listens;
    struct k42_pair whose = k42_call(listener, credentials);
    socket_set_credentials(socket, (struct credentials *)whose.word);
    if (result < 0) {
        (void)!k42_call((file_ref)file.word, release);
        file.result = result;
    }
    return file;
}

/* A parcel with nothing but a file, which becomes its and is on its way. Within the gate. */
static struct parcel *parcel_with(file_ref file) {
    struct copy nothing = copy_of_kernel(NULL, 0);
    struct parcel *parcel;
    struct parcel_files *files = parcel_files_make(1);
    if (!files || parcel_make(&nothing, 0, &parcel) < 0) {
        parcel_files_free(files);
        return NULL;
    }
    files->count = 1;
    files->sockets = true;
    files->file[0] = (struct parcel_file){.ref = (k42_ref)file, .is_socket = true};
    parcel->files = files;
    flight_begin(files);
    return parcel;
}

/* From here on the caller's: sends to the other side. */
static k42_result put_call(struct socket_body *socket, inbox_ref listener, socket_ref other,
                           struct parcel *parcel) {
    inbox_ref inbox = inbox_of(other);
    if (!parcel || k42_call(inbox, hold) < 0)
        return -ENOMEM;
    socket->accepted = true; /* there is nobody who could not answer us */
    socket_set_peer(socket, inbox);
    if (k42_call(listener, put, parcel) >= 0)
        return 0;
    socket_drop_peer(socket, false, 0);
    return -ECONNREFUSED; /* the one that listens has just ended */
}

static k42_result call(struct socket_body *socket, inbox_ref listener,
                       const struct socket_owner *owner) {
    socket_ref other = (socket_ref)K42_NULL_REF;
    k42_result result = k42_call(listener, room, 0, k42_id_of(socket->own));
    if (result < 0)
        return result == -EPIPE || result == -K42_STALE ? -ECONNREFUSED : result;
    struct k42_pair file = make_other(socket, listener, owner, &other);
    if (file.result < 0)
        return file.result;
    struct parcel *parcel = parcel_with((file_ref)file.word);
    result = put_call(socket, listener, other, parcel);
    if (result >= 0)
        return 0;
    /* The other side goes without telling us. */
    (void)!k42_call(other, connect, NULL, owner);
    if (!parcel)
        (void)!k42_call((file_ref)file.word, release);
    parcel_free(parcel);
    return result;
}

static k42_result connect_to(struct socket_body *socket, const struct socket_name *name,
                             const struct socket_owner *owner) {
    inbox_ref listener;
    struct socket_owner before;
    struct socket_address own;
    k42_result result =
        socket_names_find(name, (unsigned)socket->numbers[SOCKET_KIND], true, &listener);
    if (result < 0)
        return result;
    if (socket->listens || socket_has_peer(socket)) {
        (void)!k42_call(listener, release);
        return socket->listens ? -EINVAL : -EISCONN;
    }
    if (k42_call(socket->own, owner, &before, &own) >= 0)
        (void)!k42_call(socket->own, set_owner, owner, &own);
    result = flight_enter();
    if (result >= 0) {
        result = call(socket, listener, owner);
        flight_leave();
    }
    (void)!k42_call(listener, release);
    return result;
}

k42_result call_connect(struct socket *self, const struct socket_name *name,
                        const struct socket_owner *owner) {
    struct socket_body *socket = SOCKET(self);
    k42_result result = socket_begin(socket);
    if (result < 0 || name)
        return result < 0 ? result : socket_leave(socket, connect_to(socket, name, owner));
    socket_drop_peer(socket, false, 0);
    return socket_leave(socket, 0);
}

/* ---- talking ---- */

k42_result call_shutdown(struct socket *self, unsigned how) {
    struct socket_body *socket = SOCKET(self);
    if (how & 1)
        (void)!k42_call(socket->own, shut, 0);
    if (how & 2 && socket_has_peer(socket))
        (void)!k42_call(socket_peer_of(socket), shut, 0);
    return 0;
}

k42_result call_poll(struct socket *self) {
    struct socket_body *socket = SOCKET(self);
    struct inbox_look own, peer;
    k42_result ready = 0;
    bool connected = socket_has_peer(socket);
    if (k42_call(socket->own, look, &own) < 0)
        return FILE_HANG_UP;
    if (!connected || k42_call(socket_peer_of(socket), look, &peer) < 0)
        peer.shut = peer.room = true;
    if (own.parcels || own.shut)
        ready |= FILE_READABLE;
    if (own.urgent)
        ready |= FILE_URGENT;
    if (own.shut)
        ready |= FILE_PEER_CLOSED;
    if (own.error)
        ready |= FILE_ERROR;
    if (socket->listens)
        return ready;
    if (!connected || (own.shut && peer.shut))
        ready |= FILE_HANG_UP;
    return peer.room || peer.shut ? ready | FILE_WRITABLE : ready;
}
