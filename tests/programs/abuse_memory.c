/*
 * What abuse uses of memory that others bring, that others do not reach, and that has a name.
 */
#include "abuse.h"

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

enum { PAGE = 4096 };

static uint64_t *watched, *secret, *named, brought;

/* Brings each page that is lacking, with a word of its own in it. */
static void *bring(void *of) {
    static uint64_t page[PAGE / 8];
    int file = (int)(long)of;
    struct uffd_msg lacking;
    while (read(file, &lacking, sizeof lacking) == sizeof lacking) {
        struct uffdio_copy copy = {.dst = lacking.arg.pagefault.address & ~(PAGE - 1ul),
                                   .src = (uint64_t)page,
                                   .len = PAGE};
        page[0] = ++brought;
        if (ioctl(file, UFFDIO_COPY, &copy))
            say("a page cannot be brought");
    }
    return NULL;
}

static void name_it(uint64_t turn) {
    char name[32];
    snprintf(name, sizeof name, "turn %lu", (unsigned long)turn);
    fail_if(prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, named, PAGE, name), "PR_SET_VMA");
}

static void look_at_name(uint64_t turn) {
    char line[256], wanted[48], *found = NULL;
    FILE *maps = fopen("/proc/self/maps", "r");
    fail_if(!maps, "maps");
    snprintf(wanted, sizeof wanted, "[anon:turn %lu]", (unsigned long)turn);
    while (!found && fgets(line, sizeof line, maps))
        found = strstr(line, wanted);
    fclose(maps);
    if (!found)
        say("a name is lost");
}

void open_memory(void) {
    struct uffdio_api api = {.api = UFFD_API};
    pthread_t one;
    int file = (int)syscall(SYS_userfaultfd, 0), hidden = (int)syscall(SYS_memfd_secret, 0);
    watched = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register what = {.range = {(uint64_t)watched, PAGE},
                                   .mode = UFFDIO_REGISTER_MODE_MISSING};
    fail_if(file < 0 || ioctl(file, UFFDIO_API, &api) || ioctl(file, UFFDIO_REGISTER, &what),
            "userfaultfd");
    fail_if(pthread_create(&one, NULL, bring, (void *)(long)file), "pthread_create");
    fail_if(hidden < 0 || ftruncate(hidden, PAGE), "memfd_secret");
    secret = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, hidden, 0);
    fail_if(secret == MAP_FAILED, "mmap");
    named = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    name_it(0);
}

void use_memory(uint64_t turn) {
    uint64_t before = brought;
    madvise(watched, PAGE, MADV_DONTNEED);
    if (*(volatile uint64_t *)watched != before + 1)
        say("%lu is brought, not %lu", (unsigned long)*watched, (unsigned long)before + 1);
    if (*secret != turn)
        say("a secret is lost");
    *secret = turn + 1;
    look_at_name(turn);
    name_it(turn + 1);
}
