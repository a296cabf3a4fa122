/*
 * Cursors over memory of programs and of the kernel (copy.h).
 *
 * A page that a program's range lacks is asked for by the trap that the copy takes. When it must be
 * waited for, that is not done here, inside of somebody's method: the copy ends short, the cursor
 * stands at the byte, and the thread's record says what to wait for. Costs about 40 instructions
 * more than the bytes.
 *
 * No state, no locks. Fails with what copy.h says.
 */
#include "copy.h"

#include "arch/x86_64/user_copy.h"
#include "sched/wait.h"

#include <errno.h>
#include <string.h>

k42_result (*copy_fault)(uintptr_t address, bool write);

struct copy copy_of_ranges(const struct copy_range *ranges, size_t total, bool user) {
    struct copy copy = {.next = ranges, .left = total, .user = user};
    return copy;
}

/* Goes over to the next range that has bytes when this one has none left. */
static __attribute__((noinline)) void enter_range(struct copy *copy) {
    while (!copy->here && copy->left) {
        copy->at = copy->next->start;
        copy->here = copy->next->length < copy->left ? copy->next->length : copy->left;
        copy->next++;
        copy->entered = true;
    }
}

static void advance(struct copy *copy, size_t length) {
    copy->at += length;
    copy->here -= length;
    copy->left -= length;
}

struct copy copy_of_pages(struct copy_range *pages, size_t total) {
    struct copy copy = copy_of_ranges(pages, total, false);
    copy.pages = true;
    return copy;
}

char *copy_exchange(struct copy *copy, char *page) {
    if (!copy->pages || copy->left < COPY_PAGE)
        return NULL;
    if (!copy->here)
        enter_range(copy);
    /* It came from copy_of_pages(), whose ranges may be changed. */
    struct copy_range *range = (struct copy_range *)(uintptr_t)(copy->next - 1);
    if (copy->here != COPY_PAGE)
        return NULL;
    char *before = (char *)range->start;
    range->start = (uintptr_t)page;
    advance(copy, COPY_PAGE);
    return before;
}

size_t copy_skip(struct copy *copy, size_t length) {
    size_t done = 0;
    while (done < length && copy->left) {
        enter_range(copy);
        size_t step = length - done < copy->here ? length - done : copy->here;
        advance(copy, step);
        done += step;
    }
    return done;
}

enum direction { OUT, IN, ZERO };

/* How many bytes of one range were not copied. */
static inline __attribute__((always_inline)) size_t move(struct copy *copy, void *other,
                                                         size_t length, enum direction direction) {
    if (!copy->user) {
        if (direction == OUT)
            memcpy((void *)copy->at, other, length);
        else if (direction == IN)
            memcpy(other, (void *)copy->at, length);
        else
            memset((void *)copy->at, 0, length);
        return 0;
    }
    copy_begins();
    size_t left = direction == OUT  ? user_copy_out(copy->at, other, length)
                  : direction == IN ? user_copy_in(other, copy->at, length)
                                    : user_zero(copy->at, length);
    copy_ends();
    return left;
}

/* Why the byte where the cursor stands could not be reached: 0, it can be now. */
static __attribute__((noinline)) k42_result reason(const struct copy *copy,
                                                   enum direction direction) {
    bool write = direction != IN;
    if (!copy_fault || !user_range_ok(copy->at, 1))
        return -EFAULT;
    k42_result result = copy_fault(copy->at, write);
    if (result == -K42_WAIT)
        return wait_fault(copy->at, write);
    return result < 0 ? -EFAULT : 0;
}

/* From the range on where the cursor stands, when `done` bytes are. */
static __attribute__((noinline)) k42_result run_on(struct copy *copy, char *other, size_t length,
                                                   enum direction direction, size_t done) {
    while (done < length) {
        if (!copy->here)
            enter_range(copy);
        size_t step = length - done < copy->here ? length - done : copy->here;
        size_t left = move(copy, direction == ZERO ? NULL : other + done, step, direction);
        advance(copy, step - left);
        done += step - left;
        if (left) {
            k42_result why = reason(copy, direction);
            if (why < 0)
                return done ? (k42_result)done : why;
        }
    }
    return (k42_result)done;
}

/* Most copies stay in one range, all of whose pages are there. Inlined, so that what the direction
 * decides is decided once. A copy that is stopped finds out why at its second attempt. */
static inline __attribute__((always_inline)) k42_result
run(struct copy *copy, char *other, size_t length, enum direction direction) {
    size_t done = 0;
    if (length > copy->left)
        length = copy->left;
    if (__builtin_expect(length <= copy->here, 1)) {
        done = length - move(copy, other, length, direction);
        advance(copy, done);
        if (__builtin_expect(done == length, 1))
            return (k42_result)done;
    }
    return run_on(copy, other, length, direction, done);
}

k42_result copy_out(struct copy *copy, const void *from, size_t length) {
    return run(copy, (char *)from, length, OUT);
}

k42_result copy_in(struct copy *copy, void *to, size_t length) {
    return run(copy, to, length, IN);
}

k42_result copy_out_zeros(struct copy *copy, size_t length) {
    return run(copy, NULL, length, ZERO);
}

/* What of the pieces lies in one range of a program's memory goes by the shortest way: returns how
 * many pieces, the last of them perhaps in part, with *left bytes of it missing. */
static unsigned begin_pieces(struct copy *copy, const struct copy_piece *pieces, unsigned count,
                             size_t *left) {
    unsigned n = 0;
    *left = 0;
    copy_begins();
    for (; n < count && !*left && pieces[n].from && pieces[n].length <= copy->here; n++) {
        *left = user_copy_out(copy->at, pieces[n].from, pieces[n].length);
        advance(copy, pieces[n].length - *left);
    }
    copy_ends();
    return n;
}

k42_result copy_out_pieces(struct copy *copy, const struct copy_piece *pieces, unsigned count) {
    size_t before = copy->left, left = 0;
    unsigned n = copy->user ? begin_pieces(copy, pieces, count, &left) : 0;
    k42_result result = left ? reason(copy, OUT) : 0;
    if (result >= 0 && left)
        n--;
    for (; n < count && result >= 0 && copy->left; n++) {
        const struct copy_piece *piece = &pieces[n];
        size_t length = left ? left : piece->length;
        result = piece->from ? copy_out(copy, piece->from + (piece->length - length), length)
                             : copy_out_zeros(copy, length);
        if (result >= 0 && (size_t)result < length)
            break;
        left = 0;
    }
    size_t done = before - copy->left;
    return done ? (k42_result)done : result;
}
