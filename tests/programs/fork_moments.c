/*
 * What a fork's child has of another thread's writes: all up to some moment, and none after it. The
 * words lie far apart, and the thread writes them now from below and now from above, so whichever
 * way a fork goes through memory, the two meet often.
 */
#include "say.h"

#include <pthread.h>
#include <sys/mman.h>

#define WORDS  96u
#define APART  (2ul << 20)
#define ROUNDS 200u

static char *area;
static int stop;

/* The one that is written after `n` others. */
static unsigned *word_of(unsigned n) {
    unsigned place = n % 2 ? WORDS - 1 - n / 2 : n / 2;
    return (unsigned *)(area + place * APART);
}

static void *write_in_turn(void *unused) {
    for (unsigned round = 1; !__atomic_load_n(&stop, __ATOMIC_RELAXED); round++)
        for (unsigned n = 0; n < WORDS; n++)
            __atomic_store_n(word_of(n), round, __ATOMIC_RELEASE);
    return NULL;
}

static int is_a_moments(void) {
    unsigned first = *word_of(0), before = first;
    for (unsigned n = 1; n < WORDS; n++) {
        unsigned here = *word_of(n);
        if (here > before || here + 1 < first)
            return 0;
        before = here;
    }
    return 1;
}

int main(void) {
    pthread_t writer;
    unsigned right = 0;
    area = mmap(NULL, WORDS * APART, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (unsigned n = 0; n < WORDS; n++)
        mprotect(area + n * APART, 4096, PROT_READ | PROT_WRITE);
    pthread_create(&writer, NULL, write_in_turn, NULL);
    while (!__atomic_load_n(word_of(WORDS - 1), __ATOMIC_ACQUIRE))
        ;
    for (unsigned round = 0; round < ROUNDS; round++) {
        int status = -1;
        pid_t child = fork();
        if (!child)
            _exit(is_a_moments() ? 0 : 1);
        waitpid(child, &status, 0);
        right += status == 0;
    }
    stop = 1;
    pthread_join(writer, NULL);
    say("children that have what was written up to a moment: %u of %u", right, ROUNDS);
    return 0;
}
