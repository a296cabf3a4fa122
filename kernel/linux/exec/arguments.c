/*
 * Arguments and environment: see arguments.h.
 */
#include "arguments.h"

#include "../../arch/x86_64/user_copy.h"
#include "../../mem/heap/heap.h"
#include "../program.h"
#include "runtime.h"

#define PIECE 256u

static struct argument_block *more(struct texts *texts) {
    struct argument_block *block = heap_allocate(sizeof *block);
    if (!block)
        return NULL;
    block->next = NULL;
    block->used = 0;
    if (texts->last)
        texts->last->next = block;
    else
        texts->first = block;
    return texts->last = block;
}

/* Part of a text. */
static k42_result append(struct texts *texts, const char *bytes, size_t size) {
    while (size) {
        struct argument_block *block = texts->last;
        if (!block || block->used == sizeof block->text)
            block = more(texts);
        if (!block)
            return -ENOMEM;
        size_t room = sizeof block->text - block->used, part = size < room ? size : room;
        __builtin_memcpy(block->text + block->used, bytes, part);
        block->used += (uint32_t)part;
        texts->bytes += part;
        bytes += part;
        size -= part;
    }
    return 0;
}

static k42_result charge(struct arguments *arguments, size_t bytes) {
    arguments->used += bytes;
    return arguments->used > arguments->limit ? -E2BIG : 0;
}

k42_result texts_add(struct arguments *arguments, struct texts *texts, const char *text) {
    size_t size = k42_text_length(text) + 1;
    k42_result result = charge(arguments, size + sizeof(uintptr_t));
    if (result >= 0)
        result = append(texts, text, size);
    if (result >= 0)
        texts->count++;
    return result;
}

/* ---- instead of the first ---- */

static void texts_free(struct texts *texts) {
    while (texts->first) {
        struct argument_block *next = texts->first->next;
        heap_free(texts->first);
        texts->first = next;
    }
    *texts = (struct texts){0};
}

/* Everything behind the first text of `from`. */
static k42_result append_rest(struct texts *texts, const struct texts *from) {
    bool skipping = from->count;
    for (const struct argument_block *block = from->first; block; block = block->next) {
        size_t begin = 0;
        while (skipping && begin < block->used)
            skipping = block->text[begin++] != 0;
        k42_result result = append(texts, block->text + begin, block->used - begin);
        if (result < 0)
            return result;
    }
    texts->count += from->count ? from->count - 1 : 0;
    return 0;
}

k42_result texts_replace_first(struct arguments *arguments, const char *const *texts,
                               unsigned count) {
    struct texts changed = {0};
    k42_result result = 0;
    for (unsigned i = 0; i < count && result >= 0; i++)
        result = texts_add(arguments, &changed, texts[i]);
    if (result >= 0)
        result = append_rest(&changed, &arguments->values);
    if (result < 0) {
        texts_free(&changed);
        return result;
    }
    texts_free(&arguments->values);
    arguments->values = changed;
    return 0;
}

/* ---- from a program ---- */

static k42_result read_text(struct arguments *arguments, struct texts *texts, uintptr_t from) {
    char piece[PIECE];
    for (size_t size = 0; size < ARGUMENT_MAX;) {
        k42_result length = program_read_text(piece, from, sizeof piece);
        bool whole = length >= 0;
        if (!whole && length != -ENAMETOOLONG)
            return length;
        if (!whole)
            length = program_read(piece, from, sizeof piece);
        if (length < 0)
            return length;
        size_t part = whole ? (size_t)length + 1 : sizeof piece;
        k42_result result = charge(arguments, part);
        if (result >= 0)
            result = append(texts, piece, part);
        if (result < 0 || whole)
            return result;
        size += part;
        from += part;
    }
    return -E2BIG;
}

static k42_result read_array(struct arguments *arguments, struct texts *texts, uintptr_t from) {
    for (; from; from += sizeof(uintptr_t)) {
        uintptr_t address;
        k42_result result = program_read(&address, from, sizeof address);
        if (result < 0 || !address)
            return result;
        result = charge(arguments, sizeof address);
        if (result >= 0)
            result = read_text(arguments, texts, address);
        if (result < 0)
            return result;
        texts->count++;
    }
    return 0;
}

/* A program has at least a name, as on Linux: an empty one when none was given. */
k42_result arguments_read(struct arguments *arguments, uintptr_t values, uintptr_t environment) {
    k42_result result = read_array(arguments, &arguments->values, values);
    if (result >= 0 && !arguments->values.count)
        result = texts_add(arguments, &arguments->values, "");
    if (result >= 0)
        result = read_array(arguments, &arguments->environment, environment);
    return result;
}

void arguments_free(struct arguments *arguments) {
    texts_free(&arguments->values);
    texts_free(&arguments->environment);
}
