/* An open file's offset moves all the time: calls that begin where it is wait their turn, and work.
 */
#include "abi.h"

#define ROUNDS 5000

static int file;
static volatile int *over;

static void moves(void) {
    for (unsigned i = 0; !*over; i++)
        if (lseek(file, (i & 1) * 1000, SEEK_SET) < 0)
            give_up("lseek");
}

/* Where it found the offset is not said: it may be either place. */
static void locks(void) {
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_CUR, .l_len = 10};
    int failed = 0;
    for (int i = 0; i < ROUNDS; i++) {
        lock.l_type = i & 1 ? F_RDLCK : F_UNLCK;
        failed += fcntl(file, F_SETLK, &lock) != 0;
    }
    is("locks that failed", failed, 0);
}

static void copies(void) {
    int failed = 0;
    off_t at = 4000;
    for (int i = 0; i < ROUNDS / 20; i++, at = 4000)
        failed += copy_file_range(file, NULL, file, &at, 1, 0) != 1;
    is("copies that failed", failed, 0);
}

static void tells(void) {
    char name[40];
    int wrong = 0;
    snprintf(name, sizeof name, "/proc/self/fdinfo/%d", file);
    for (int i = 0; i < ROUNDS / 20; i++) {
        const char *text = get(name);
        wrong += strncmp(text, "pos:\t0\n", 7) && strncmp(text, "pos:\t1000\n", 10);
    }
    is("other offsets", wrong, 0);
}

int main(void) {
    over = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    file = open("file", O_RDWR | O_CREAT, 0600);
    if (file < 0 || ftruncate(file, 8192))
        give_up("file");
    int mover = start(moves);
    locks();
    tells();
    copies();
    *over = 1;
    ended("mover", mover);
    return 0;
}
