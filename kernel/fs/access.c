/*
 * Who may do what with a node, and the hash of its name. No state.
 */
#include "node.h"
#include "values.h"

#include <errno.h>

bool credentials_in_group(const struct credentials *who, uint32_t gid) {
    if (who->fsgid == gid)
        return true;
    uint32_t from = 0, to = who->group_count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        if (who->groups[middle] == gid)
            return true;
        if (who->groups[middle] < gid)
            from = middle + 1;
        else
            to = middle;
    }
    return false;
}

static bool has(const struct credentials *who, unsigned capability) {
    return who->effective >> capability & 1;
}

k42_result node_allows(const struct node_attributes *attributes, const struct credentials *who,
                       unsigned access) {
    uint32_t mode = attributes->mode;
    unsigned allowed;
    if (who->fsuid == attributes->uid)
        allowed = mode >> 6 & 7;
    else if ((mode >> 3 & 7) == (mode & 7))
        allowed = mode & 7; /* the usual case: no look at the groups */
    else
        allowed = (credentials_in_group(who, attributes->gid) ? mode >> 3 : mode) & 7;
    if (!(access & ~allowed))
        return 0;
    bool directory = (mode & MODE_TYPE) == MODE_DIRECTORY;
    if (has(who, CAPABILITY_IGNORE_PERMISSIONS) &&
        (directory || !(access & NODE_EXECUTE) || (mode & 0111)))
        return 0;
    if (has(who, CAPABILITY_READ_AND_SEARCH) &&
        (access == NODE_READ || (directory && !(access & NODE_WRITE))))
        return 0;
    return -EACCES;
}

uint32_t node_hash(const char *text, uint32_t length) {
    uint32_t hash = NODE_HASH_START;
    for (uint32_t n = 0; n < length; n++)
        hash = node_hash_step(hash, text[n]);
    return hash;
}
