/*
 * Addresses of local sockets: a path, whose node is the address; an abstract name; or none yet.
 */
#include "calls.h"

#include "../../fs/node.h"

static bool is_path(const struct socket_address *address) {
    return address->length > ADDRESS_PATH && address->bytes[ADDRESS_PATH];
}

static k42_result family_of(const struct socket_address *address) {
    return (uint8_t)address->bytes[0] | (uint8_t)address->bytes[1] << 8;
}

k42_result socket_address_read(struct socket_address *address, uintptr_t from, int length) {
    char bytes[ADDRESS_LONGEST];
    if (length < 0 || length > ADDRESS_LONGEST)
        return -EINVAL;
    k42_result result = length ? files_copy_in(bytes, from, (size_t)length) : 0;
    if (result < 0)
        return result;
    *address = (struct socket_address){.length = (uint32_t)length};
    if (length > ADDRESS_MOST)
        return -EINVAL;
    __builtin_memcpy(address->bytes, bytes, (size_t)length);
    return 0;
}

k42_result socket_address_write(const struct socket_address *address, uintptr_t to,
                                uintptr_t length_at) {
    static const struct socket_address none = {.length = ADDRESS_PATH, .bytes = {FAMILY_LOCAL}};
    int32_t room;
    k42_result result = files_copy_in(&room, length_at, sizeof room);
    if (result < 0)
        return result;
    if (room < 0)
        return -EINVAL;
    if (!address->length)
        address = &none;
    int32_t length = (int32_t)address->length;
    result = files_copy_out(to, address->bytes, (size_t)(room < length ? room : length));
    return result < 0 ? result : files_copy_out(length_at, &length, sizeof length);
}

/* The path in it, with an end; as long as it goes on Linux. */
static void path_of(const struct socket_address *address, char *path, uint32_t *length) {
    uint32_t at = 0;
    while (ADDRESS_PATH + at < address->length && address->bytes[ADDRESS_PATH + at]) {
        path[at] = address->bytes[ADDRESS_PATH + at];
        at++;
    }
    path[at] = 0;
    *length = ADDRESS_PATH + at + 1;
}

static k42_result check(const struct socket_address *address) {
    return address->length <= ADDRESS_PATH || family_of(address) != FAMILY_LOCAL ? -EINVAL : 0;
}

static k42_result find_node(const char *text, node_ref *node) {
    struct node_attributes attributes;
    struct path path;
    k42_result result = files_walk(&path, AT_WORKING, text, PATH_FOLLOW);
    if (result >= 0)
        result = k42_call(path.found.node, attributes, &attributes);
    if (result >= 0)
        result = node_allows(&attributes, path.who, NODE_WRITE);
    if (result >= 0 && (attributes.mode & MODE_TYPE) != MODE_SOCKET)
        result = -ECONNREFUSED;
    if (result >= 0) {
        *node = path.found.node;
        result = k42_call(*node, hold);
    }
    path_end(&path);
    return result < 0 ? result : 0;
}

k42_result socket_name_find(struct socket_name *name, const struct socket_address *address) {
    char text[ADDRESS_MOST];
    node_ref node = (node_ref)K42_NULL_REF;
    *name = (struct socket_name){.address = *address};
    k42_result result = check(address);
    if (result < 0 || !is_path(address))
        return result;
    path_of(address, text, &name->address.length);
    FILES_CALL(result, find_node(text, &node));
    if (result >= 0)
        name->node = k42_id_of(node);
    return result;
}

k42_result socket_name_make(struct socket_name *name, const struct socket_address *address) {
    char text[ADDRESS_MOST];
    node_ref node = (node_ref)K42_NULL_REF;
    *name = (struct socket_name){.address = *address};
    if (address->length == ADDRESS_PATH && family_of(address) == FAMILY_LOCAL) {
        name->address.length = 0; /* any */
        return 0;
    }
    k42_result result = check(address);
    if (result < 0 || !is_path(address))
        return result;
    path_of(address, text, &name->address.length);
    name->address.bytes[name->address.length - 1] = 0;
    result = files_make_node(text, MODE_SOCKET | 0777, &node);
    if (result >= 0)
        result = k42_call(node, hold);
    if (result >= 0)
        name->node = k42_id_of(node);
    return result == -EEXIST ? -EADDRINUSE : result;
}

void socket_name_end(struct socket_name *name) {
    if (name->node)
        (void)!k42_call((node_ref)k42_id_ref(name->node), release);
}
