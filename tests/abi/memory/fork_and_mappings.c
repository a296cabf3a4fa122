/* What a child has of its parent's memory. */
#include "abi.h"

static char *private, *shared, *dropped, *wiped;

static void child(void) {
    say("%s %s [%s]", private, shared, wiped);
    strcpy(private, "changed");
    strcpy(shared, "changed");
    fails(ENOMEM, msync, dropped, 4096, MS_ASYNC);
}

int main(void) {
    private = pages(1);
    dropped = pages(1);
    wiped = pages(1);
    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    strcpy(private, "private");
    strcpy(shared, "shared");
    strcpy(wiped, "wiped");
    gives(0, madvise, dropped, 4096, MADV_DONTFORK);
    gives(0, madvise, wiped, 4096, MADV_WIPEONFORK);
    in_child("child", child);
    say("%s %s %s", private, shared, wiped);
}
