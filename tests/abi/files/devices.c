/* What the devices of memory give and take. */
#include "abi.h"

int main(void) {
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);
    int full = open("/dev/full", O_RDWR), random = open("/dev/urandom", O_RDONLY);
    char bytes[16] = "x", more[16] = "y";
    gives(0, read, null, bytes, 16);
    gives(16, write, null, bytes, 16);
    gives(16, read, zero, bytes, 16);
    is("zeros", bytes[0] | bytes[15], 0);
    gives(16, write, zero, bytes, 16);
    gives(16, read, full, bytes, 16);
    fails(ENOSPC, write, full, bytes, 16);
    gives(16, read, random, bytes, 16);
    gives(16, read, random, more, 16);
    is("differ", !!memcmp(bytes, more, 16), 1);
    gives(0, lseek, null, 100, SEEK_SET);
    fails(EFAULT, read, zero, BAD, 16);
    fails(ENODEV, mmap, 0, 4096, PROT_READ, MAP_PRIVATE, null, 0);
    char *at = (char *)works(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
    is("zero", at[0], 0);
    at[0] = 1;
    fails(ENOTTY, ioctl, null, 0x5401, bytes);
}
