/*
 * FCM, streaming: the pages of one file that is read once from one end to the other.
 *
 * Each call of read is taken as the next step of some reader. If it goes on where one stood before,
 * the pages it wants and a window behind them are begun before anything is copied, again whenever
 * half of the window is used up and each time twice as large: so a reader finds what he wants on
 * its way or there, and the FR gets few and long requests. A call that goes on nowhere is a new
 * reader's, for whom nothing is read ahead before he comes back.
 *
 * What a reader has read goes at his next step, unless another reader will come by there, a program
 * has it mapped, or it is dirty: the file takes the memory of its windows, and no other file's
 * pages have to go for it. What is left, pages that are mapped, and reads by way of mappings are
 * treated as in a shared one.
 *
 * Locking: as body.h says; the readers are known under body->lock, taken once in a call of read.
 * Formats: body_state.c's. Fails: as a shared one.
 */
#include "body.h"

enum {
    WINDOW_FIRST = 8,
    WINDOW_MOST = 128,
    TURNS_ALIVE = 64 /* a reader who did not come for so many calls is gone */
};

/* What is done for one call. */
struct step {
    struct body_stream *whose;
    uint64_t begin, begin_end; /* pages to be begun */
    uint64_t wanted;           /* those before this one are read now */
    uint64_t drop, drop_end;   /* pages that nobody comes back to */
};

/* Whose step this is. A call that was told to wait comes again, and begins anywhere in its pages.
 */
static struct body_stream *find_stream(struct body_contents *its, uint64_t first) {
    struct body_stream *oldest = its->streams;
    for (struct body_stream *one = its->streams; one < its->streams + BODY_STREAMS; one++) {
        if (one->from <= first && first <= one->next)
            return one;
        if (its->turns - one->turn > its->turns - oldest->turn)
            oldest = one;
    }
    *oldest = (struct body_stream){.next = ~0ul, .ahead = first, .behind = first};
    return oldest;
}

/* The first page from `first` on that another reader will come to; `end` if none will. */
static uint64_t others_from(const struct body_contents *its, const struct body_stream *self,
                            uint64_t first, uint64_t end) {
    for (const struct body_stream *one = its->streams; one < its->streams + BODY_STREAMS; one++)
        if (one != self && one->window && its->turns - one->turn < TURNS_ALIVE && one->next < end)
            end = one->next > first ? one->next : first;
    return end;
}

/* Half of what was begun for him is used up: the next pages, and twice as many. */
static void widen(struct body_stream *stream, struct step *step) {
    uint32_t more = stream->window ? 2 * stream->window : WINDOW_FIRST;
    stream->window = more < WINDOW_MOST ? more : WINDOW_MOST;
    if (stream->ahead > step->begin)
        step->begin = stream->ahead;
    step->begin_end = stream->next + stream->window;
    stream->ahead = step->begin_end;
}

/* A reader wants pages [first, end); the lock is held. */
static struct step next_step(struct body_contents *its, uint64_t first, uint64_t end) {
    struct body_stream *stream = find_stream(its, first);
    struct step step = {.whose = stream, .begin = first, .wanted = end, .begin_end = end};
    bool in_order = stream->next != ~0ul, again = stream->next == end;
    stream->from = first;
    stream->next = end;
    stream->turn = ++its->turns;
    if (!in_order) {
        stream->ahead = end;
        return step;
    }
    if (again)
        return (struct step){.whose = stream};
    fcm_body_count(&its->counts.in_order, 1);
    if (end + stream->window / 2 >= stream->ahead)
        widen(stream, &step);
    else
        step.begin_end = first;
    step.drop = stream->behind;
    step.drop_end = others_from(its, stream, stream->behind, first);
    stream->behind = step.drop_end;
    return step;
}

/* Not all that was to be begun could be: it is tried again at the next step. */
static void begin(struct body *body, const struct step *step) {
    uint64_t end = fcm_body_end(body);
    end = step->begin_end < end ? step->begin_end : end;
    uint64_t reached = fcm_body_begin(body, step->begin, step->wanted, end);
    if (step->begin >= end || reached >= end)
        return;
    fcm_body_lock(body);
    if (step->whose->ahead == step->begin_end)
        step->whose->ahead = reached;
    k42_unlock(&body->lock);
}

static void prepare(struct body *body, uint64_t offset, size_t length) {
    uint64_t size = fcm_body_bytes(body), stop = size - offset > length ? offset + length : size;
    if (!length)
        return;
    if (offset >= size)
        stop = offset = size;
    uint64_t first = offset >> PAGE_SHIFT, end = (stop + PAGE_BYTES - 1) >> PAGE_SHIFT;
    fcm_body_lock(body);
    struct step step = next_step(&body->its, first, end);
    k42_unlock(&body->lock);
    (void)fcm_body_let_go(body, step.drop, step.drop_end, PAGE_MAPPED | PAGE_FRESH);
    begin(body, &step);
}

static k42_result stream_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    struct body *body = BODY(self);
    if (fcm_body_has_fr(body))
        prepare(body, offset, copy->left);
    return fcm_body_read(self, offset, copy);
}

static const struct fcm_ops stream_ops = {
    FCM_BODY_METHODS,
    .read = stream_read,
    .give_back = fcm_body_give_back,
    .leave = fcm_body_leave,
};

K42_CLASS(fcm_stream) = {
    .name = "fcm.stream",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file access=stream",
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &stream_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
