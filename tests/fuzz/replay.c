/*
 * Runs a libFuzzer target without libFuzzer: over the files of a corpus, and over damaged copies of
 * them, the same ones each time.
 *
 * usage: TARGET FOLDER [COPIES]     200 damaged copies of each file unless said otherwise
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t next_random(uint64_t *random) {
    *random = *random * 6364136223846793005 + 1442695040888963407;
    return *random >> 33;
}

/* Changes, inserts, removes or repeats some bytes. Returns the new size. */
static size_t damage(uint8_t *data, size_t size, uint64_t *random) {
    static const char telling[] = "*$\r\n-0123456789\"'\\ x";
    for (uint64_t n = next_random(random) % 4 + 1; n > 0 && size > 0; n--) {
        size_t at = next_random(random) % size, length = next_random(random) % 8 + 1;
        switch (next_random(random) % 4) {
        case 0:
            data[at] = (uint8_t)next_random(random);
            break;
        case 1:
            data[at] = (uint8_t)telling[next_random(random) % (sizeof(telling) - 1)];
            break;
        case 2:
            length = length < size - at ? length : size - at;
            memmove(data + at, data + at + length, size - at - length);
            size -= length;
            break;
        default:
            length = length < size - at ? length : size - at;
            memmove(data + at + length, data + at, size - at);
            size += length;
        }
    }
    return size;
}

/* Hands over a copy in memory of exactly its size. */
static void run_target(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int replay_file(const char *path, unsigned long copies) {
    static uint8_t original[LONGEST], copy[LONGEST + 64];
    uint64_t random = 42;
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return -1;
    }
    size_t size = fread(original, 1, sizeof(original), file);
    fclose(file);
    run_target(original, size);
    for (unsigned long n = 0; n < copies; n++) {
        memcpy(copy, original, size);
        run_target(copy, damage(copy, size, &random));
    }
    return 0;
}

int main(int argc, char **argv) {
    unsigned long copies = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
    unsigned files = 0;
    DIR *folder = argc > 1 ? opendir(argv[1]) : NULL;
    if (!folder) {
        fprintf(stderr, "usage: %s FOLDER [COPIES]; FOLDER holds the corpus\n", argv[0]);
        return 2;
    }
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
        if (replay_file(path, copies) < 0)
            return 1;
        files++;
    }
    closedir(folder);
    printf("%u files, each with %lu damaged copies\n", files, copies);
    return files ? 0 : 1;
}
