/* Many write to one pipe: pieces up to PIPE_BUF stay whole, and nothing is lost. */
#include "abi.h"

#include <pthread.h>

#define WRITERS 4
#define PIECES  25
#define PIECE   1000

static int ends[2];

static void *writes(void *mark) {
    char piece[PIECE];
    memset(piece, 'a' + (long)mark, PIECE);
    for (int i = 0; i < PIECES; i++)
        if (write(ends[1], piece, PIECE) != PIECE)
            give_up("write");
    return NULL;
}

int main(void) {
    pthread_t threads[WRITERS];
    int pieces[WRITERS] = {}, torn = 0;
    pipe(ends);
    for (long i = 0; i < WRITERS; i++)
        pthread_create(&threads[i], NULL, writes, (void *)i);
    for (int i = 0; i < WRITERS * PIECES; i++) {
        char piece[PIECE];
        for (int at = 0; at < PIECE;) {
            long got = read(ends[0], piece + at, PIECE - at);
            if (got <= 0)
                give_up("read");
            at += got;
        }
        for (int at = 1; at < PIECE; at++)
            torn += piece[at] != piece[0];
        pieces[piece[0] - 'a']++;
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(threads[i], NULL);
        is("pieces", pieces[i], PIECES);
    }
    is("torn", torn, 0);
}
