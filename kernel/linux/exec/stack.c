/*
 * A new program's stack, from the top down, as Linux lays it out:
 *
 *     8 zero bytes
 *     the path it was called by
 *     environment texts, above argument texts, each in order
 *     "x86_64", 16 random bytes
 *     (alignment)
 *     auxiliary vector, environment pointers, argument pointers, their number   <- stack pointer
 *
 * Texts are written from the blocks they are kept in, pointers through one small buffer, so the
 * cost in memory does not grow with their number.
 */
#include "image.h"

#include "../../arch/x86_64/user.h"
#include "../../fs/random.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "runtime.h"

#include <k42/k42.h>

#define STACK_SPREAD 0x3fffffu /* pages: 16 GiB */
#define FIRST_SIZE   (132ul << 10)
#define WORDS        64u
#define ROOM_ABOVE   (64 * FRAME_SIZE)

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

/* Words on their way to rising addresses. */
struct writer {
    struct image *image;
    uint64_t at;
    k42_result result;
    unsigned count;
    uint64_t words[WORDS];
};

static void flush(struct writer *writer) {
    if (writer->result >= 0 && writer->count)
        writer->result =
            image_write(writer->image, writer->at, writer->words, writer->count * sizeof(uint64_t));
    writer->at += writer->count * sizeof(uint64_t);
    writer->count = 0;
}

static void put(struct writer *writer, uint64_t word) {
    writer->words[writer->count++] = word;
    if (writer->count == WORDS)
        flush(writer);
}

static void put_pair(struct writer *writer, uint64_t tag, uint64_t value) {
    put(writer, tag);
    put(writer, value);
}

/* Where each text begins, by their terminating zeros. */
static void put_pointers(struct writer *writer, const struct texts *texts, uint64_t start) {
    uint64_t at = start;
    bool begins = true;
    for (const struct argument_block *block = texts->first; block; block = block->next)
        for (uint32_t i = 0; i < block->used; i++, at++) {
            if (begins)
                put(writer, at);
            begins = !block->text[i];
        }
    put(writer, 0);
}

static k42_result write_texts(struct image *image, const struct texts *texts, uint64_t to) {
    for (const struct argument_block *block = texts->first; block; block = block->next) {
        k42_result result = image_write(image, to, block->text, block->used);
        if (result < 0)
            return result;
        to += block->used;
    }
    return 0;
}

/* ---- the auxiliary vector ---- */

struct extras {
    uint64_t path, platform, random; /* addresses of texts */
};

#define AUXILIARY_PAIRS 21u

static void put_auxiliary(struct writer *writer, const struct extras *extras) {
    const struct image *image = writer->image;
    const struct elf_program *elf = &image->program.elf;
    const struct credentials *who = image->credentials;
    put_pair(writer, AT_SYSINFO_EHDR, image->vdso);
    put_pair(writer, AT_MINSIGSTKSZ, user_state_frame_size() + 1024);
    put_pair(writer, AT_HWCAP, 0);
    put_pair(writer, AT_PAGESZ, FRAME_SIZE);
    put_pair(writer, AT_CLKTCK, 100);
    put_pair(writer, AT_PHDR, elf->table_address ? image->program_base + elf->table_address : 0);
    put_pair(writer, AT_PHENT, ELF_PROGRAM_SIZE);
    put_pair(writer, AT_PHNUM, elf->table_count);
    put_pair(writer, AT_BASE, image->interpreter_base);
    put_pair(writer, AT_FLAGS, 0);
    put_pair(writer, AT_ENTRY, image->program_base + elf->entry);
    put_pair(writer, AT_UID, who->uid);
    put_pair(writer, AT_EUID, who->euid);
    put_pair(writer, AT_GID, who->gid);
    put_pair(writer, AT_EGID, who->egid);
    put_pair(writer, AT_SECURE, image->secure);
    put_pair(writer, AT_RANDOM, extras->random);
    put_pair(writer, AT_HWCAP2, 2); /* programs may use the FSGSBASE instructions */
    put_pair(writer, AT_EXECFN, extras->path);
    put_pair(writer, AT_PLATFORM, extras->platform);
    put_pair(writer, AT_NULL, 0);
}

/* ---- the mapping ---- */

static k42_result map_stack(struct image *image, uint64_t top, uint64_t size, uint64_t limit) {
    bool executable = image->program.elf.stack == ELF_STACK_EXECUTABLE;
    struct space_request request = {
        .address = top - size,
        .length = size,
        .protection = SPACE_READ | SPACE_WRITE | (executable ? SPACE_EXECUTE : 0),
        .most = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE,
        .flags = SPACE_FIXED | SPACE_GROWS_DOWN,
        .limit = limit > size ? limit : size,
    };
    return image_map_range(image, &request);
}

static k42_result write_extras(struct image *image, const struct extras *extras) {
    uint64_t random[2];
    random_bytes(random, sizeof random);
    k42_result result =
        image_write(image, extras->path, image->path, k42_text_length(image->path) + 1);
    if (result >= 0)
        result = image_write(image, extras->platform, "x86_64", 7);
    return result < 0 ? result : image_write(image, extras->random, random, sizeof random);
}

void image_place_stack(struct image *image) {
    image->stack_top = USER_END - ROOM_ABOVE - (image_random(image) & STACK_SPREAD) * FRAME_SIZE;
}

k42_result image_make_stack(struct image *image, uint64_t limit) {
    const struct texts *values = &image->arguments.values;
    const struct texts *environment = &image->arguments.environment;
    struct space_marks *marks = &image->marks;
    uint64_t top = image->stack_top;
    struct extras extras = {.path = top - 8 - (k42_text_length(image->path) + 1)};
    marks->environment_end = extras.path;
    marks->environment_start = marks->arguments_end = extras.path - environment->bytes;
    marks->arguments_start = marks->arguments_end - values->bytes;
    uint64_t at = (marks->arguments_start & ~15ul) - (image_random(image) & 0x1ff0);
    extras.platform = at - 16;
    extras.random = at - 32;
    uint64_t words = 1 + values->count + 1 + environment->count + 1 + 2 * AUXILIARY_PAIRS;
    image->stack = marks->stack_start = (extras.random - words * sizeof(uint64_t)) & ~15ul;
    uint64_t used = top - image->stack;
    k42_result result =
        map_stack(image, top, (used + FIRST_SIZE + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1), limit);
    if (result >= 0)
        result = write_extras(image, &extras);
    if (result >= 0)
        result = write_texts(image, values, marks->arguments_start);
    if (result >= 0)
        result = write_texts(image, environment, marks->environment_start);
    if (result < 0)
        return result;
    struct writer writer = {.image = image, .at = image->stack};
    put(&writer, values->count);
    put_pointers(&writer, values, marks->arguments_start);
    put_pointers(&writer, environment, marks->environment_start);
    put_auxiliary(&writer, &extras);
    flush(&writer);
    return writer.result;
}
