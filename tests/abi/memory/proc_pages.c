/* /proc/PID/smaps, smaps_rollup, pagemap: what there is of pages that are touched, shared, locked.
 */
#include "abi.h"

#define PAGES 16

static char *at, text[1 << 20];

static void read_all(const char *path) {
    int file = open(path, O_RDONLY);
    size_t length = 0;
    ssize_t got;
    while (length < sizeof text - 1 &&
           (got = read(file, text + length, sizeof text - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = 0;
    close(file);
}

/* A number behind a name, from a place in the text on. */
static long number(const char *from, const char *name) {
    char line[64];
    snprintf(line, sizeof line, "\n%s:", name);
    const char *found = strstr(from, line);
    return found ? strtol(found + strlen(line), NULL, 10) : -1;
}

/* Where the mapping's lines begin. */
static const char *lines(void) {
    char head[64];
    snprintf(head, sizeof head, "%lx-", (long)at);
    read_all("/proc/self/smaps");
    const char *found = strstr(text, head);
    if (!found)
        give_up("smaps");
    return found;
}

static void tell(const char *what) {
    static const char *const names[] = {
        "Size",          "KernelPageSize", "Rss",           "Shared_Clean",
        "Shared_Dirty",  "Private_Clean",  "Private_Dirty", "Anonymous",
        "AnonHugePages", "Swap",           "Locked",
    };
    const char *from = lines();
    say("%s:", what);
    for (size_t n = 0; n < sizeof names / sizeof *names; n++)
        say("  %s %ld", names[n], number(from, names[n]));
}

static int has_flag(const char *flag) {
    const char *line = strstr(lines(), "\nVmFlags:"), *end = strchr(line + 1, '\n');
    const char *found = strstr(line, flag);
    return found && found < end;
}

static void touch(int count) {
    for (int n = 0; n < count; n++)
        at[n * 4096] = 1;
}

static void child(void) {
    tell("the child's");
    touch(3);
    tell("the child's, partly its own");
}

static unsigned long word_of(char *page) {
    unsigned long word = 0;
    int file = open("/proc/self/pagemap", O_RDONLY);
    is("a word", pread(file, &word, 8, (unsigned long)page / 4096 * 8), 8);
    close(file);
    return word;
}

static void rolled_up(void) {
    long sum = 0, all;
    read_all("/proc/self/smaps");
    for (const char *line = text; (line = strstr(line, "\nSize:")); line++)
        sum += number(line, "Anonymous") >= 0;
    read_all("/proc/self/smaps_rollup");
    char *end = strchr(text, '\n');
    is("[rollup]", !strncmp(end - 8, "[rollup]", 8), 1);
    all = number(text, "Rss");
    is("all of it",
       all >= 16 && all == number(text, "Shared_Clean") + number(text, "Shared_Dirty") +
                               number(text, "Private_Clean") + number(text, "Private_Dirty"),
       1);
    is("each", sum > 3, 1);
    is("anonymous", number(text, "Pss_Anon") > 0 && number(text, "Anonymous") >= 16, 1);
}

int main(void) {
    at = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    /* Apart from what lies beside it. */
    mprotect(at, 4096, PROT_NONE);
    mprotect(at + (PAGES - 1) * 4096, 4096, PROT_NONE);
    at += 4096;
    tell("untouched");
    touch(5);
    tell("touched");
    is("read", has_flag(" rd "), 1);
    is("written", has_flag(" wr "), 1);
    is("shared", has_flag(" sh "), 0);
    is("locked", has_flag(" lo "), 0);
    is("there", word_of(at + 4 * 4096) >> 63, 1);
    is("an object's", word_of(at + 4 * 4096) >> 61 & 3, 0);
    is("not there", word_of(at + 5 * 4096) >> 63, 0);
    in_child("a child", child);
    touch(5);
    tell("its parent's");
    mlock(at, (PAGES - 2) * 4096);
    tell("locked");
    is("locked", has_flag(" lo "), 1);
    munlock(at, (PAGES - 2) * 4096);
    madvise(at, 2 * 4096, MADV_DONTNEED);
    tell("less");
    rolled_up();
    long file = open("/proc/self/pagemap", O_RDONLY);
    fails(EINVAL, pread64, file, text, 4, 0);
    fails(EINVAL, pread64, file, text, 8, 4);
    gives(0, pread64, file, text, 8, 1ul << 60);
}
