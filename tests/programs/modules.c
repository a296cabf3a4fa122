/*
 * Loads what Linux calls a module, from memory or from its file, and unloads it:
 *
 *     modules image FILE     modules file FILE     modules unload NAME
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long from_memory(int file) {
    struct stat stat;
    fstat(file, &stat);
    void *image = mmap(NULL, stat.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    return syscall(SYS_init_module, image, stat.st_size, "");
}

int main(int count, char **words) {
    long result;
    if (count != 3)
        return 2;
    if (!strcmp(words[1], "unload"))
        result = syscall(SYS_delete_module, words[2], O_NONBLOCK);
    else if (!strcmp(words[1], "image"))
        result = from_memory(open(words[2], O_RDONLY));
    else
        result = syscall(SYS_finit_module, open(words[2], O_RDONLY), "", 0);
    if (result)
        perror(words[1]);
    return !!result;
}
