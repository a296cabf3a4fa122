/*
 * FPU and vector registers: what there is of them, where a thread keeps them, and how they look in
 * a signal's frame.
 *
 * With XSAVE the components in `components` are saved, in the format that is not compacted, which
 * is the one in signal frames; otherwise FXSAVE's 512 bytes. Saving and loading are eager: the
 * kernel uses none of them, so they are a program's from one switch to the next.
 *
 * In a signal's frame the processor writes and reads a program's memory itself (user_copy.S), and
 * it is the processor that refuses what is no state: whatever it takes is harmless.
 *
 * Owns: what was found at boot, read by all afterwards.
 */
#include "../../kernel.h"
#include "cpu.h"
#include "user.h"

#include <errno.h>

#define CR4_OSXSAVE  (1ul << 18)
#define XSAVE_LEAF   0xd
#define LEGACY_BYTES 512u
#define HEADER_BYTES 64u
#define LEGACY       3u    /* x87 and SSE */
#define KNOWN        0xe7u /* and AVX, AVX-512 */

#define FX_CONTROL      0x37fu
#define FX_MXCSR        0x1f80u
#define FX_CONTROL_AT   0
#define FX_MXCSR_AT     24
#define FX_RESERVED_AT  464
#define HEADER_AT       LEGACY_BYTES
#define FRAME_MAGIC     0x46505853u
#define FRAME_END_MAGIC 0x46505845u
#define FRAME_END_BYTES 4u

/* What Linux puts into the last bytes of the FXSAVE area in a signal's frame. */
struct frame_note {
    uint32_t magic, extended_size;
    uint64_t components;
    uint32_t state_size, unused[7];
};
_Static_assert(sizeof(struct frame_note) == LEGACY_BYTES - FX_RESERVED_AT, "it fills them");

static uint32_t components; /* 0: FXSAVE */
static uint32_t state_size = LEGACY_BYTES;

/* user_copy.S; `at` is a program's, aligned to 64 and in range. 0 or -EFAULT. */
int user_xsave(uintptr_t at, uint32_t components);
int user_xrstor(uintptr_t at, uint32_t components);
int user_fxsave(uintptr_t at);
int user_fxrstor(uintptr_t at);

void user_state_find(void) {
    if (features.xsave)
        components = cpuid(XSAVE_LEAF, 0).eax & KNOWN;
    features.xsaveopt = components && cpuid(XSAVE_LEAF, 1).eax & 1;
}

void user_state_enable(void) {
    if (!components)
        return;
    write_cr4(read_cr4() | CR4_OSXSAVE);
    __asm__ volatile("xsetbv" ::"c"(0), "a"(components), "d"(0));
    /* Of what is switched on. */
    state_size = cpuid(XSAVE_LEAF, 0).ebx;
}

/* Behind what the processor saves. */
static uint32_t seldom_at(void) {
    return (state_size + 7) & ~7u;
}

size_t user_state_size(void) {
    return seldom_at() + sizeof(struct user_seldom);
}

size_t user_vectors_size(void) {
    return state_size;
}

struct user_seldom *user_state_seldom(void *state) {
    return (struct user_seldom *)(void *)((char *)state + seldom_at());
}

void user_state_save(void *state) {
    if (features.xsaveopt)
        __asm__ volatile("xsaveopt64 (%0)" ::"r"(state), "a"(components), "d"(0) : "memory");
    else if (components)
        __asm__ volatile("xsave64 (%0)" ::"r"(state), "a"(components), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(state) : "memory");
}

void user_state_load(const void *state) {
    if (components)
        __asm__ volatile("xrstor64 (%0)" ::"r"(state), "a"(components), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" ::"r"(state) : "memory");
}

void user_state_init(void *state) {
    uint16_t control = FX_CONTROL;
    uint32_t mxcsr = FX_MXCSR;
    __builtin_memset(state, 0, user_state_size());
    __builtin_memcpy((char *)state + FX_CONTROL_AT, &control, sizeof control);
    __builtin_memcpy((char *)state + FX_MXCSR_AT, &mxcsr, sizeof mxcsr);
}

/* ---- debuggers ---- */

#define MXCSR_MASK_AT   28
#define MXCSR_MASK_LESS 0xffbfu /* where the processor says 0 */

/* All of it is written, also what is as in a new program and the optimised way leaves out. */
void user_state_read(void *to) {
    if (components)
        __asm__ volatile("xsave64 (%0)" ::"r"(to), "a"(components), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" ::"r"(to) : "memory");
}

/* The thread's own from here on, wherever it goes on. */
void user_state_write(const void *from) {
    user_state_load(from);
}

/* What of MXCSR this processor takes. */
static uint32_t mxcsr_mask(void) {
    char area[LEGACY_BYTES] __attribute__((aligned(64)));
    uint32_t mask;
    __asm__ volatile("fxsave64 %0" : "=m"(area));
    __builtin_memcpy(&mask, area + MXCSR_MASK_AT, sizeof mask);
    return mask ? mask : MXCSR_MASK_LESS;
}

bool user_state_accept(void *state, bool legacy) {
    char *at = state;
    uint32_t mxcsr;
    uint64_t header[HEADER_BYTES / 8];
    __builtin_memcpy(&mxcsr, at + FX_MXCSR_AT, sizeof mxcsr);
    if (mxcsr & ~mxcsr_mask())
        return false;
    if (!components)
        return true;
    __builtin_memcpy(header, at + HEADER_AT, sizeof header);
    if (legacy)
        header[0] |= LEGACY;
    __builtin_memcpy(at + HEADER_AT, header, sizeof header[0]);
    for (unsigned i = 1; i < HEADER_BYTES / 8; i++)
        if (header[i])
            return false;
    return !(header[0] & ~(uint64_t)components);
}

void user_state_note(uint64_t note[6]) {
    __builtin_memset(note, 0, 6 * sizeof note[0]);
    note[0] = components ? components : LEGACY;
}

/* ---- signal frames ---- */

size_t user_state_frame_size(void) {
    return components ? state_size + FRAME_END_BYTES : LEGACY_BYTES;
}

static bool frame_ok(uintptr_t at) {
    return !(at & 63) && user_range_ok(at, user_state_frame_size());
}

static int put_note(uintptr_t at) {
    struct frame_note note = {.magic = FRAME_MAGIC,
                              .extended_size = state_size + FRAME_END_BYTES,
                              .components = components,
                              .state_size = state_size};
    uint64_t present;
    if (user_copy_out(at + FX_RESERVED_AT, &note, sizeof note) ||
        user_put32(at + state_size, FRAME_END_MAGIC) || user_get64(&present, at + HEADER_AT))
        return -EFAULT;
    /* A handler that changes the FXSAVE part and knows of no other wants it back. */
    return user_put64(at + HEADER_AT, present | LEGACY);
}

int user_state_put(uintptr_t at) {
    if (!frame_ok(at))
        return -EFAULT;
    if (!components)
        return user_zero(at + FX_RESERVED_AT, sizeof(struct frame_note)) ? -EFAULT
                                                                         : user_fxsave(at);
    if (user_zero(at + HEADER_AT, HEADER_BYTES) || user_xsave(at, components))
        return -EFAULT;
    return put_note(at);
}

/* What of the frame is there; 0: the FXSAVE part only. */
static uint32_t components_of(uintptr_t at) {
    struct frame_note note;
    uint32_t end;
    if (!components || user_copy_in(&note, at + FX_RESERVED_AT, sizeof note) ||
        note.magic != FRAME_MAGIC || note.state_size < LEGACY_BYTES + HEADER_BYTES ||
        note.state_size > state_size || note.extended_size != note.state_size + FRAME_END_BYTES ||
        user_get32(&end, at + note.state_size) || end != FRAME_END_MAGIC)
        return 0;
    return components & (uint32_t)note.components;
}

static void load_new(uint32_t which) {
    static const struct {
        uint16_t control;
        char unused[FX_MXCSR_AT - 2];
        uint32_t mxcsr;
        char zero[LEGACY_BYTES + HEADER_BYTES - FX_MXCSR_AT - 4];
    } new __attribute__((aligned(64))) = {.control = FX_CONTROL, .mxcsr = FX_MXCSR};
    if (components)
        __asm__ volatile("xrstor64 %0" ::"m"(new), "a"(which), "d"(0));
    else
        __asm__ volatile("fxrstor64 %0" ::"m"(new));
}

int user_state_take(uintptr_t at) {
    load_new(components);
    if (!at)
        return 0;
    int error = -EFAULT;
    if (frame_ok(at)) {
        uint32_t there = components_of(at);
        error = there ? user_xrstor(at, there) : user_fxrstor(at);
    }
    if (error)
        load_new(components);
    return error;
}
