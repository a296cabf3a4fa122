/*
 * Asking the server: what is missed is asked for once, and looked at again when it came.
 *
 * Questions change nothing at the server, so it does not matter who asked, whether he still waits,
 * or whether it is asked twice. The call that carries one holds the inode.
 */
#include "asking.h"

#include "runtime.h"

bool p9_is_young(struct p9_known *known) {
    if (known->asked)
        return false;
    known->unseen = false;
    return known->asker == wait_request() || known->until > k42_platform_now_ns();
}

void p9_asked(struct p9_known *known) {
    known->asked = true;
    known->spoilt = false;
    known->asker = wait_request();
}

void p9_came(struct p9_known *known, int error) {
    known->asked = false;
    known->unseen = true;
    known->error = error;
    known->until = known->spoilt ? 0 : k42_platform_now_ns() + P9_YOUNG_NS;
}

void p9_forget(struct p9_known *known) {
    known->until = 0;
    known->spoilt = known->asked;
    if (!known->asked)
        known->asker = 0;
}

k42_result p9_look(struct p9_inode *inode, struct p9_known *known, uintptr_t key) {
    k42_lock(&inode->lock);
    bool young = p9_is_young(known), asked = known->asked;
    k42_result error = known->error;
    if (!young && !asked)
        p9_asked(known);
    k42_unlock(&inode->lock);
    if (young)
        return error ? error : 1;
    return asked ? p9_wait_for(inode, key) : 0;
}

void p9_answer(struct p9_inode *inode, struct p9_known *known, uintptr_t key, int error) {
    k42_lock(&inode->lock);
    p9_came(known, error);
    k42_unlock(&inode->lock);
    p9_tell(inode, key);
}

k42_result p9_give_up(struct p9_inode *inode, struct p9_known *known, uintptr_t key,
                      k42_result result) {
    struct wait_point point = wait_noted();
    k42_lock(&inode->lock);
    known->asked = false;
    known->asker = 0;
    k42_unlock(&inode->lock);
    p9_tell(inode, key);
    return result == -K42_WAIT ? wait_on(point.id, point.key, point.events) : result;
}

k42_result p9_ask_begin(struct p9_inode *inode, enum p9_type type, p9_answered *answered,
                        struct p9_call **call) {
    if (!p9_hold(inode))
        return -K42_STALE;
    k42_result result = p9_call_take(inode->fs->client, type, answered, inode, call);
    if (result < 0)
        p9_drop(inode);
    return result;
}

k42_result p9_ask(struct p9_call *call) {
    struct p9_inode *inode = call->context;
    k42_result result = p9_call_send(call);
    if (result < 0)
        p9_drop(inode);
    return result;
}
