/*
 * Memory, breaches and files of one run.
 *
 * The arena belongs to the header; strings and arrays in it are never freed singly. A grown array
 * leaves its old copy behind, which for headers of some hundred methods is nothing. Files are
 * written beside their place and renamed, so that a build never sees half of one.
 */
#include "interface.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct block {
    struct block *next;
    max_align_t memory[];
};

int fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("stubgen: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return STATUS_FAILED;
}

void *header_alloc(struct header *header, size_t bytes) {
    struct block *block = calloc(1, sizeof(*block) + bytes);
    if (!block)
        exit(fail("out of memory: %zu bytes more were wanted", bytes));
    block->next = header->blocks;
    header->blocks = block;
    return block->memory;
}

char *header_copy(struct header *header, const char *text) {
    size_t bytes = strlen(text) + 1;
    return memcpy(header_alloc(header, bytes), text, bytes);
}

__attribute__((format(printf, 2, 0), nonnull)) static char *
header_print_list(struct header *header, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    size_t bytes = (size_t)(length < 0 ? 0 : length) + 1;
    char *text = header_alloc(header, bytes);
    vsnprintf(text, bytes, format, arguments);
    return text;
}

char *header_print(struct header *header, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = header_print_list(header, format, arguments);
    va_end(arguments);
    return text;
}

void *header_append(struct header *header, void *array_pointer, size_t *count, size_t size) {
    void **array = array_pointer;
    /* Room doubles at each power of two. */
    if ((*count & (*count - 1)) == 0) {
        void *grown = header_alloc(header, (*count ? *count * 2 : 1) * size);
        if (*count)
            memcpy(grown, *array, *count * size);
        *array = grown;
    }
    return (char *)*array + (*count)++ * size;
}

void header_free(struct header *header) {
    while (header->blocks) {
        struct block *block = header->blocks;
        header->blocks = block->next;
        free(block);
    }
}

void header_breach(struct header *header, struct location location, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    struct breach breach = {location, header_print_list(header, format, arguments)};
    va_end(arguments);
    struct breach *place =
        header_append(header, &header->breaches, &header->breach_count, sizeof(breach));
    *place = breach;
}

int header_report(struct header *header) {
    /* By insertion: stable, so that breaches of one line stay in the order of the rules. */
    for (size_t i = 1; i < header->breach_count; i++) {
        struct breach moved = header->breaches[i];
        size_t place = i;
        for (; place > 0 && header->breaches[place - 1].location.line > moved.location.line;
             place--)
            header->breaches[place] = header->breaches[place - 1];
        header->breaches[place] = moved;
    }
    for (size_t i = 0; i < header->breach_count; i++) {
        const struct breach *breach = &header->breaches[i];
        fprintf(stderr, "%s:%u: error: %s\n", breach->location.file, breach->location.line,
                breach->text);
    }
    return header->breach_count ? STATUS_BREACH : STATUS_FINE;
}

char *file_read(struct header *header, const char *path, size_t *size, int *error) {
    char *text = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) {
        *error = errno;
        return NULL;
    }
    struct stat about;
    if (fstat(fileno(file), &about) != 0) {
        *error = errno;
    } else if (!S_ISREG(about.st_mode)) {
        *error = S_ISDIR(about.st_mode) ? EISDIR : EINVAL;
    } else {
        text = header_alloc(header, (size_t)about.st_size + 1);
        *size = fread(text, 1, (size_t)about.st_size, file);
        if (ferror(file)) {
            *error = EIO;
            text = NULL;
        }
    }
    fclose(file);
    return text;
}

static int write_standard_output(const char *text, size_t size) {
    if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
        return fail("cannot write to standard output: %s", strerror(errno));
    return STATUS_FINE;
}

int file_write(const char *path, const char *text, size_t size) {
    if (strcmp(path, "-") == 0)
        return write_standard_output(text, size);

    size_t bytes = strlen(path) + sizeof(".new");
    char *beside = malloc(bytes);
    if (!beside)
        return fail("out of memory");
    snprintf(beside, bytes, "%s.new", path);

    FILE *file = fopen(beside, "wb");
    bool fine = file && fwrite(text, 1, size, file) == size;
    int error = errno;
    if (file && fclose(file) != 0 && fine) {
        fine = false;
        error = errno;
    }
    if (fine && rename(beside, path) != 0) {
        fine = false;
        error = errno;
    }
    if (!fine && file)
        unlink(beside);
    free(beside);
    return fine ? STATUS_FINE : fail("cannot write '%s': %s", path, strerror(error));
}
