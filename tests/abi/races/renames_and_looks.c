/* A name that is replaced again and again: who looks finds the one or the other, never nothing. */
#include "abi.h"

#include <pthread.h>

static int stop, missing, odd, looks;

static void *look(void *unused) {
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
        char text[8] = "";
        int fd = open("name", O_RDONLY);
        if (fd < 0) {
            missing++;
            continue;
        }
        if (read(fd, text, 7) != 3 || (strcmp(text, "one") && strcmp(text, "two")))
            odd++;
        close(fd);
        looks++;
    }
    return NULL;
}

int main(void) {
    pthread_t thread;
    put("name", "one");
    pthread_create(&thread, NULL, look, NULL);
    for (int i = 0; i < 100; i++) {
        put("new", i & 1 ? "one" : "two");
        if (rename("new", "name"))
            give_up("rename");
    }
    stop = 1;
    pthread_join(thread, NULL);
    is("missing", missing, 0);
    is("odd", odd, 0);
}
