/* Mappings and the faults that fill them. Pages are small: both kernels are asked not to use large
 * ones. */
#include "bench.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096u
#define AREA (16u << 20)

static char *map(int fd, int how, uint64_t size) {
    char *area = mmap(NULL, size, PROT_READ | PROT_WRITE, how, fd, 0);
    must(area != MAP_FAILED, "mmap");
    return area;
}

uint64_t memory_mmap(uint64_t n) {
    uint64_t began = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        char *area = map(-1, MAP_PRIVATE | MAP_ANONYMOUS, 1u << 20);
        *(volatile char *)area = 1;
        must(!munmap(area, 1u << 20), "munmap");
    }
    return now_ns() - began;
}

static uint64_t touch_all(uint64_t n, int fd, int how, int write) {
    uint64_t spent = 0;
    for (uint64_t left = n; left;) {
        uint64_t pages = left < AREA / PAGE ? left : AREA / PAGE;
        char *area = map(fd, how, AREA);
        (void)madvise(area, AREA, MADV_NOHUGEPAGE);
        uint64_t began = now_ns();
        for (uint64_t i = 0; i < pages; i++) {
            volatile char *byte = area + i * PAGE;
            if (write)
                *byte = 1;
            else
                (void)*byte;
        }
        spent += now_ns() - began;
        must(!munmap(area, AREA), "munmap");
        left -= pages;
    }
    return spent;
}

uint64_t memory_fault_anonymous(uint64_t n) {
    return touch_all(n, -1, MAP_PRIVATE | MAP_ANONYMOUS, 1);
}

/* Pages of a cached file, read: a kernel may map several at one fault. */
uint64_t memory_fault_file(uint64_t n) {
    int fd = file_of(FOLDER "/mapped", AREA);
    uint64_t spent = touch_all(n, fd, MAP_SHARED, 0);
    close(fd);
    unlink(FOLDER "/mapped");
    return spent;
}
