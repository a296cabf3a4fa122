/*
 * What the files of the program abuse share.
 */
#ifndef ABUSE_H
#define ABUSE_H

#include "say.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

extern char self[256], folder[64], image[4 << 20]; /* its path, where it works, its bytes */
extern size_t image_size;

/* Tries to execute what cannot be. */
void exec(void);
/* Prints what there is in the kernel, once it stays the same. */
void left(void);
/* Has every page of the files of one file system in memory. */
void resident(const char *where);

/* Uses one of everything until /tmp/over is there, and says what was lost. */
void use(const char *where);

/* Of which this is what System V has. */
void open_ipc(void);
void close_ipc(void);
void use_ipc(uint64_t turn);
/* And this what is told of later. */
void open_ring(void);
void close_ring(void);
void use_ring(uint64_t turn);
/* And this what memory there is of a special kind. */
void open_memory(void);
void use_memory(uint64_t turn);

/* And this guards and name spaces. */
void open_guards(void);
void close_guards(void);
void use_guards(void);

static inline void fail_if(int failed, const char *what) {
    if (failed) {
        tell(what, -1);
        exit(1);
    }
}

static inline void make(const char *name, const void *bytes, size_t size, int mode) {
    int file = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0777);
    fail_if(file < 0 || write(file, bytes, size) != (ssize_t)size, name);
    fchmod(file, (mode_t)mode);
    close(file);
}

#endif
