/*
 * Of regions whose missing pages somebody else brings: asking for one, and filling one.
 *
 * The watcher is an open file that the region keeps from going, but not from being closed: when it
 * is, or is meanwhile, the region is as any other. Two threads that provide the same page at once
 * both fill a frame, and one of them finds a page there when it maps it. Owns nothing; fails as the
 * file says.
 */
#include "body.h"

#include "../../fs/file.h"

k42_result region_missing(const struct region_view *view) {
    struct file_page_missing missing = {view->address, view->access};
    return k42_call((file_ref)view->watcher, control, FILE_PAGE_MISSING, (uintptr_t)&missing);
}

/* A cursor that a page stopped is asked once more, to say why. */
k42_result region_fill(uint64_t physical, struct copy *copy) {
    char *to = machine_memory(physical);
    for (size_t done = 0; done < PAGE_BYTES;) {
        k42_result result = copy_in(copy, to + done, PAGE_BYTES - done);
        if (result <= 0)
            return result ? result : -EFAULT;
        done += (size_t)result;
    }
    return 0;
}
