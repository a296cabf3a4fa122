/*
 * Calls through intercept stubs: how a mediator or an interposer is called, and calls on.
 *
 * A method takes at most six words in registers and returns at most two, so C can make any call of
 * any interface without knowing its types. Records of such calls are on the caller's stack and in
 * its thread's short list for reports; nothing is allocated.
 */
#include "entry.h"
#include "stubs.h"

struct k42_pair k42_intercept(struct k42_frame_registers *call) {
    struct k42_interceptor *interceptor = (struct k42_interceptor *)call->self;
    return interceptor->handle(interceptor, call);
}

typedef struct k42_pair (*any_method)(void *self, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                                      uintptr_t);

struct k42_pair k42_invoke(void *rep, const struct k42_frame_registers *call) {
    any_method method = (*(any_method **)rep)[call->method];
    return method(rep, call->args[0], call->args[1], call->args[2], call->args[3], call->args[4]);
}

void k42_tracked_push(struct k42_calls *calls, k42_id id, unsigned method) {
    uint32_t depth = calls->tracked_depth;
    if (depth < K42_TRACKED_DEPTH)
        k42_store_relaxed(&calls->tracked[depth], (uint64_t)id << 32 | method);
    k42_store_release(&calls->tracked_depth, depth + 1);
}

void k42_tracked_pop(struct k42_calls *calls) {
    k42_store_release(&calls->tracked_depth, calls->tracked_depth - 1);
}

/* "method 0" to "method 127", written once each, always the same. */
static char labels[K42_MAX_METHODS][12];

const char *k42_method_label(k42_id id, unsigned method) {
    const struct k42_interface *interface_ = k42_interface_by_number(k42_id_interface(id));
    if (interface_ && interface_->method_names && method < interface_->methods &&
        interface_->method_names[method])
        return interface_->method_names[method];
    if (method >= K42_MAX_METHODS)
        return "no method";
    if (!k42_load_acquire(&labels[method][0])) {
        char label[12];
        k42_format_text(label, sizeof label, "method %u", method);
        for (unsigned i = sizeof label; i-- > 0;)
            k42_store_release(&labels[method][i], label[i]);
    }
    return labels[method];
}

void k42_method_name(k42_id id, unsigned method, char *text, size_t size) {
    k42_copy_text(text, size, k42_method_label(id, method));
}

struct k42_frame *k42_chain(void) {
    struct k42_calls *calls = k42_platform_calls();
    return calls ? calls->chain : NULL;
}

k42_result k42_chain_adopt(struct k42_frame *chain) {
    struct k42_calls *calls = k42_platform_calls();
    if (!calls)
        return -EINVAL;
    if (calls->chain)
        return -EBUSY;
    calls->chain = chain;
    calls->chain_adopted = true;
    return 0;
}

void k42_chain_return(void) {
    struct k42_calls *calls = k42_platform_calls();
    if (calls && calls->chain_adopted) {
        calls->chain = NULL;
        calls->chain_adopted = false;
    }
}
