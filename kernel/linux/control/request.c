/*
 * Whether a request of a program is well formed. No state, no memory of its own.
 *
 * Whatever passes has a body of its kind's size, texts that end inside their arrays, as many ids as
 * it says, and numbers within the limits that k42/control.h names.
 */
#include "request.h"

#include <errno.h>

static bool ends(const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (!text[i])
            return true;
    return false;
}

#define ENDS(array) ends((array), sizeof(array))

static bool filter_is_right(const void *body) {
    const struct k42_control_filter *filter = body;
    return ENDS(filter->name) && filter->pid >= 0 && !filter->spare;
}

static bool swap_is_right(const void *body) {
    const struct k42_control_swap *swap = body;
    return ENDS(swap->to) && ENDS(swap->from) && ENDS(swap->traits) &&
           swap->deadline_ns <= CONTROL_DEADLINE_MOST && swap->attempts <= CONTROL_ATTEMPTS_MOST &&
           !swap->spare && !(swap->to[0] && swap->traits[0]);
}

static bool interpose_is_right(const void *body) {
    const struct k42_control_interpose *hook = body;
    return ENDS(hook->method) && hook->delay_ns <= CONTROL_DELAY_MOST && hook->error >= 0 &&
           hook->error <= 4095;
}

static bool piece_is_right(const void *body) {
    const struct k42_control_piece *piece = body;
    return piece->size && piece->size <= K42_CONTROL_IMAGE && piece->length &&
           piece->length <= sizeof piece->bytes && piece->at < piece->size &&
           piece->length <= piece->size - piece->at && !piece->spare;
}

static bool policy_is_right(const void *body) {
    const struct k42_control_policy *policy = body;
    return ENDS(policy->class_) && ENDS(policy->scope) && ENDS(policy->metric) &&
           policy->window_ns <= CONTROL_WINDOW_MOST && policy->stall_ns <= CONTROL_WINDOW_MOST &&
           policy->errors <= 100 && policy->worse <= CONTROL_WORSE_MOST;
}

enum { NO_IDS, SOME_IDS, PERHAPS_IDS };

static bool advise_is_right(const void *body) {
    const struct k42_control_advise *advise = body;
    return ENDS(advise->name) && advise->mode >= K42_CONTROL_MODE_OFF &&
           advise->mode <= K42_CONTROL_MODE_ON && !advise->spare;
}

static const struct {
    size_t size; /* of the body */
    bool (*is_right)(const void *body);
    int ids;
    bool changes;
} kinds[K42_CONTROL_KINDS] = {
    [K42_CONTROL_OBJECTS] = {sizeof(struct k42_control_filter), filter_is_right, NO_IDS, false},
    [K42_CONTROL_CLASSES] = {sizeof(struct k42_control_filter), filter_is_right, NO_IDS, false},
    [K42_CONTROL_OWNERS] = {sizeof(struct k42_control_filter), filter_is_right, NO_IDS, false},
    [K42_CONTROL_DESCRIBE] = {sizeof(struct k42_control_one), NULL, NO_IDS, false},
    [K42_CONTROL_FILE] = {sizeof(struct k42_control_one), NULL, NO_IDS, false},
    [K42_CONTROL_STATS] = {0, NULL, NO_IDS, false},
    [K42_CONTROL_SWAP] = {sizeof(struct k42_control_swap), swap_is_right, SOME_IDS, true},
    [K42_CONTROL_INTERPOSE] = {sizeof(struct k42_control_interpose), interpose_is_right, SOME_IDS,
                               true},
    [K42_CONTROL_CALLS] = {sizeof(struct k42_control_one), NULL, NO_IDS, false},
    [K42_CONTROL_COMPONENT] = {sizeof(struct k42_control_piece), piece_is_right, NO_IDS, true},
    [K42_CONTROL_POLICY] = {sizeof(struct k42_control_policy), policy_is_right, PERHAPS_IDS, true},
    [K42_CONTROL_RUN] = {sizeof(struct k42_control_one), NULL, NO_IDS, false},
    [K42_CONTROL_END] = {0, NULL, NO_IDS, false},
    [K42_CONTROL_COUNTERS] = {sizeof(struct k42_control_one), NULL, NO_IDS, false},
    [K42_CONTROL_ADVISORS] = {0, NULL, NO_IDS, false},
    [K42_CONTROL_DECISIONS] = {sizeof(struct k42_control_filter), filter_is_right, NO_IDS, false},
    [K42_CONTROL_ADVISE] = {sizeof(struct k42_control_advise), advise_is_right, NO_IDS, true},
};

/* How many bytes that many ids take. */
static size_t ids_size(uint32_t count) {
    return (count + 1u) / 2 * 8;
}

int control_request_read(const void *bytes, size_t size, struct control_request *request) {
    const struct k42_control_head *head = bytes;
    if (size < sizeof *head || size > K42_CONTROL_REQUEST || head->length != size)
        return -EINVAL;
    if (head->version != K42_CONTROL_VERSION)
        return -EPROTO;
    if (head->kind >= K42_CONTROL_KINDS)
        return -ENOSYS;
    int ids = kinds[head->kind].ids;
    if (head->spare || head->next || head->count > (ids ? K42_CONTROL_IDS : 0) ||
        (ids == SOME_IDS && !head->count))
        return -EINVAL;
    if (size != sizeof *head + kinds[head->kind].size + ids_size(head->count))
        return -EINVAL;
    const char *body = (const char *)bytes + sizeof *head;
    if (kinds[head->kind].is_right && !kinds[head->kind].is_right(body))
        return -EINVAL;
    *request = (struct control_request){
        .kind = (enum k42_control_kind)head->kind,
        .body = body,
        .ids = (const uint32_t *)(const void *)(body + kinds[head->kind].size),
        .count = head->count,
        .changes = kinds[head->kind].changes,
    };
    return 0;
}
