/*
 * Names in directories: a walk to the name, which gives the file a fid, then its attributes; what
 * came is put where the name was missed (names.c).
 */
#include "asking.h"

#include "runtime.h"

/* What is asked for while the call is under way, and by what name. */
struct question {
    struct p9_inode *directory;
    struct node_name name;
    char text[];
};

static void name_is_known(struct p9_call *call, struct p9_inode *inode, int error) {
    struct question *question = call->context;
    /* That there is none is worth knowing, too. */
    p9_name_answer(question->directory, &question->name, inode, error == -ENOENT ? 0 : error);
    p9_drop(question->directory);
    k42_platform_free(question);
}

static void found_attributes(struct p9_call *call, int error, struct p9_reader *reader) {
    struct question *question = call->context;
    struct p9_attributes attributes;
    struct p9_inode *inode = NULL;
    if (!error && !p9_get_attributes(reader, &attributes))
        error = -EIO;
    attributes.asked_ns = call->begun_ns;
    if (error) {
        p9_fid_forget(call->client, call->fid);
    } else {
        inode = p9_inode_of(question->directory->fs, question->directory, &question->name,
                            call->fid, &attributes);
        error = inode ? 0 : -ENOMEM;
    }
    name_is_known(call, inode, error);
}

static void walked(struct p9_call *call, int error, struct p9_reader *reader) {
    if (!error && p9_get16(reader) != 1)
        error = -ENOENT;
    if (error) {
        p9_fid_give(call->client, call->fid);
        name_is_known(call, NULL, error);
        return;
    }
    p9_call_again(call, P9_TGETATTR, found_attributes);
    p9_put32(&call->message, call->fid);
    p9_put64(&call->message, P9_GETATTR_BASIC);
    if (p9_call_send_again(call) < 0)
        found_attributes(call, -EIO, NULL);
}

static k42_result ask_name(struct p9_inode *directory, const struct node_name *name) {
    struct p9_call *call;
    uint32_t fid;
    struct question *question = k42_platform_alloc(sizeof *question + name->length);
    if (!question)
        return -ENOMEM;
    question->directory = directory;
    question->name = (struct node_name){question->text, name->length, name->hash};
    __builtin_memcpy(question->text, name->text, name->length);
    k42_result result = p9_fid_take(directory->fs->client, &fid);
    if (!result && !p9_hold(directory)) {
        p9_fid_give(directory->fs->client, fid);
        result = -K42_STALE;
    }
    if (result < 0) {
        k42_platform_free(question);
        return result;
    }
    result = p9_call_take(directory->fs->client, P9_TWALK, walked, question, &call);
    if (!result) {
        call->fid = fid;
        p9_put32(&call->message, directory->fid);
        p9_put32(&call->message, fid);
        p9_put16(&call->message, 1);
        p9_put_string(&call->message, name->text, name->length);
        result = p9_call_send(call);
    }
    if (result < 0) {
        p9_fid_give(directory->fs->client, fid);
        p9_drop(directory);
        k42_platform_free(question);
    }
    return result;
}

k42_result p9_get_name(struct p9_inode *directory, const struct node_name *name,
                       struct p9_inode **inode) {
    k42_result result = p9_name_find(directory, name, inode);
    if (result > 0)
        return *inode ? 0 : -ENOENT;
    if (result < 0)
        return result;
    result = ask_name(directory, name);
    if (result >= 0)
        return wait_on(k42_id_of(directory->self), P9_KEY_NAME + name->hash, WAIT_READ);
    /* It was not asked: whoever comes next is to. */
    struct wait_point point = wait_noted();
    p9_name_answer(directory, name, NULL, (int)(result == -K42_WAIT ? -EIO : result));
    p9_name_forget(directory, name);
    return result == -K42_WAIT ? wait_on(point.id, point.key, point.events) : result;
}
