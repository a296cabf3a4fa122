/* sendfile: an offset that is given moves, the file's own does not; and what it refuses. */
#include "abi.h"

#include <sys/sendfile.h>

int main(void) {
    put("from", "0123456789");
    int from = open("from", O_RDWR), to = open("to", O_RDWR | O_CREAT, 0600), ends[2];
    long offset = 4;
    gives(3, sendfile, to, from, &offset, 3);
    is("offset", offset, 7);
    gives(0, lseek, from, 0, SEEK_CUR);
    gives(2, sendfile, to, from, NULL, 2);
    gives(2, lseek, from, 0, SEEK_CUR);
    gives(3, sendfile, to, from, &offset, 100);
    is("offset", offset, 10);
    gives(0, sendfile, to, from, &offset, 100);
    say("%s", get("to"));
    pipe(ends);
    gives(8, sendfile, ends[1], from, NULL, 100);
    fails(EINVAL, sendfile, to, ends[0], NULL, 1);
    fails(ESPIPE, sendfile, to, ends[0], &offset, 1);
    offset = -1;
    fails(EINVAL, sendfile, to, from, &offset, 1);
    fails(EFAULT, sendfile, to, from, BAD, 1);
    gives(0, sendfile, to, from, NULL, 0);
}
