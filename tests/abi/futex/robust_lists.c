/* set_robust_list, get_robust_list, set_tid_address: what is done when a thread ends. */
#include "abi.h"

#include <linux/futex.h>

static uint32_t *word;

static void dies_with_it(void) {
    static struct robust_list entry;
    static struct robust_list_head head;
    /* The word stands behind the entry by what futex_offset says. */
    entry.next = &head.list;
    head.list.next = &entry;
    head.futex_offset = (char *)word - (char *)&entry;
    *word = gettid();
    gives(0, set_robust_list, &head, sizeof head);
    is("tid", works(set_tid_address, word + 1) == gettid(), 1);
    word[1] = 5;
    _exit(0);
}

int main(void) {
    void *head;
    size_t length;
    word = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    in_child("child", dies_with_it);
    is("says that its owner died", *word & FUTEX_OWNER_DIED, FUTEX_OWNER_DIED);
    gives(0, get_robust_list, 0, &head, &length);
    is("length", length, sizeof(struct robust_list_head));
    fails(EINVAL, set_robust_list, &head, 1);
    fails(ESRCH, get_robust_list, 99999, &head, &length);
    fails(EFAULT, get_robust_list, 0, BAD, &length);
    fails(EFAULT, get_robust_list, 0, &head, BAD);
    be(SOMEBODY);
    fails(EPERM, get_robust_list, 1, &head, &length);
}
