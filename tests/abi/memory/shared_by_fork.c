/* Shared and private memory over fork: who sees whose writes, MADV_DONTFORK, WIPEONFORK. */
#include "abi.h"

enum { PAGE = 4096 };
static char *shared, *own, *dropped, *wiped, *ofFile, *zero;

static void child(void) {
    unsigned char in;
    say("%c %c %c", shared[0], own[0], ofFile[0]);
    shared[0] = 'c';
    own[0] = 'c';
    ofFile[0] = 'c';
    zero[0] = 'c';
    is("not there", mincore(dropped, PAGE, &in), -1);
    is("empty", wiped[0], 0);
    gives(0, madvise, shared, PAGE, MADV_DONTNEED);
    is("shared stays", shared[0], 'c');
    gives(0, madvise, own, PAGE, MADV_DONTNEED);
    is("own goes", own[0], 0);
}

static void grandchild(void) {
    in_child("grandchild", child);
    is("its writes", shared[0], 'c');
    is("not here", own[0], 'p');
}

int main(void) {
    int flags = MAP_SHARED | MAP_ANONYMOUS, both = PROT_READ | PROT_WRITE;
    shared = mmap(NULL, PAGE, both, flags, -1, 0);
    int device = open("/dev/zero", O_RDWR);
    zero = mmap(NULL, PAGE, both, MAP_SHARED, device, 0);
    own = pages(1);
    dropped = pages(1);
    wiped = pages(1);
    put("file", "text");
    ofFile = mmap(NULL, PAGE, both, MAP_PRIVATE, open("file", O_RDWR), 0);
    shared[0] = own[0] = dropped[0] = wiped[0] = ofFile[0] = 'p';
    gives(0, madvise, dropped, PAGE, MADV_DONTFORK);
    gives(0, madvise, wiped, PAGE, MADV_WIPEONFORK);
    fails(EINVAL, madvise, shared, PAGE, MADV_WIPEONFORK);
    in_child("child", child);
    say("%c %c %c %c", shared[0], own[0], ofFile[0], zero[0]);
    is("kept", dropped[0] == 'p' && wiped[0] == 'p', 1);
    shared[0] = 'p';
    gives(0, madvise, dropped, PAGE, MADV_DOFORK);
    gives(0, madvise, dropped, PAGE, MADV_DONTFORK);
    in_child("two deep", grandchild);
    gives(0, madvise, wiped, PAGE, MADV_KEEPONFORK);
    /* Many pages, written by both at once. */
    char *many = mmap(NULL, 64 * PAGE, both, flags, -1, 0);
    int pid = fork();
    for (int i = pid ? 0 : 1; i < 64; i += 2)
        many[i * PAGE] = (char)(i + 1);
    if (!pid)
        _exit(0);
    waitpid(pid, NULL, 0);
    int wrong = 0;
    for (int i = 0; i < 64; i++)
        wrong += many[i * PAGE] != (char)(i + 1);
    is("wrong", wrong, 0);
    char *two = mremap(shared, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    is("moved along", two[0], 'c');
}
