/* O_APPEND: each write goes to the end, of whoever; O_TRUNC; what readers see. */
#include "abi.h"

int main(void) {
    int a = open("file", O_WRONLY | O_CREAT | O_APPEND, 0644),
        b = open("file", O_WRONLY | O_APPEND);
    int plain = open("file", O_RDWR);
    gives(2, write, a, "ab", 2);
    gives(2, write, b, "cd", 2);
    gives(2, write, a, "ef", 2);
    gives(1, write, plain, "X", 1);
    gives(0, lseek, a, 0, SEEK_SET);
    gives(1, write, a, "g", 1);
    gives(7, lseek, a, 0, SEEK_CUR);
    say("%s", get("file"));
    gives(0, fcntl, a, F_SETFL, 0);
    gives(0, lseek, a, 0, SEEK_SET);
    gives(1, write, a, "Y", 1);
    say("%s", get("file"));
    works(open, "file", O_RDONLY | O_TRUNC);
    say("[%s]", get("file"));
    gives(1, write, plain, "Z", 1);
    struct stat seen;
    gives(0, fstat, plain, &seen);
    is("a hole before it", seen.st_size, 2);
}
