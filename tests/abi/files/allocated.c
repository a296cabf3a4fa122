/* fallocate's modes and truncate: sizes, blocks that read as zeros, ends inside pages. */
#include "abi.h"

#include <linux/falloc.h>

enum { PAGE = 4096 };
static int fd;

static void content(const char *what) {
    static char data[5 * PAGE];
    char line[400] = "";
    long size = pread(fd, data, sizeof data, 0);
    for (long at = 0; at < size;) {
        long end = at;
        while (end < size && data[end] == data[at])
            end++;
        sprintf(line + strlen(line), " %ld*%c", end - at, data[at] ? data[at] : '0');
        at = end;
    }
    say("%s: %ld bytes:%s", what, size, line);
}

static void fill(void) {
    char data[3 * PAGE];
    memset(data, 'a', PAGE);
    memset(data + PAGE, 'b', PAGE);
    memset(data + 2 * PAGE, 'c', PAGE);
    ftruncate(fd, 0);
    pwrite(fd, data, sizeof data, 0);
}

int main(void) {
    fd = open("file", O_RDWR | O_CREAT, 0644);
    fill();
    content("filled");
    gives(0, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, PAGE);
    content("a hole across pages");
    fill();
    gives(0, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * PAGE + 5, 100 * PAGE);
    content("beyond the end");
    fill();
    gives(0, fallocate, fd, 0, PAGE, PAGE);
    content("what is there stays");
    gives(0, fallocate, fd, 0, 3 * PAGE + 7, 3);
    content("longer by a few bytes");
    gives(0, ftruncate, fd, PAGE + 10);
    content("cut");
    gives(0, ftruncate, fd, PAGE + 30);
    content("and given back");
    gives(0, truncate, "file", 5);
    content("by name");
    gives(3, pwrite64, fd, "xyz", 3, 20);
    content("written behind the end");
    gives(0, ftruncate, fd, 0);
    content("nothing");
    gives(0, ftruncate, fd, 5 * PAGE);
    gives(1, pwrite64, fd, "q", 1, 2 * PAGE - 1);
    content("a byte in a hole");
    fails(EINVAL, ftruncate, fd, -1);
    fails(EINVAL, truncate, "file", -1);
    fails(EINVAL, ftruncate, open("file", O_RDONLY), 5);
    fails(EOPNOTSUPP, fallocate, fd, 0x100, 0, PAGE);
    fails(EISDIR, truncate, ".", 5);
    fails(EINVAL, ftruncate, open("/dev/null", O_RDWR), 5);
    char *mapped = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    memset(mapped, 'm', 2 * PAGE);
    gives(0, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
    say("%d %c", mapped[0], mapped[PAGE]);
    mapped[1] = 'n';
    content("written again");
}
