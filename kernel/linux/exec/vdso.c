/*
 * The vDSO in every program: a page of clocks and, behind it, the image that reads them
 * (kernel/vdso). Both are the kernel's own frames, mapped like a device's memory, just above the
 * stack, where they share its page tables.
 *
 * Owns the two page caches, made at boot and never changed.
 */
#include "vdso.h"

#include "../../arch/x86_64/arch.h"
#include "../../mem/fcm/file_pages.h"
#include "../../print.h"
#include "../../vdso/wall_clock.h"

#include <k42/k42.h>

#define VDSO_SPREAD 15u /* pages that may stay free above the stack */

static k42_ref clocks, code;

static void make(uint64_t physical, size_t pages, k42_ref *fcm) {
    struct fcm_registers registers = {.physical = physical, .pages = pages};
    if (k42_create(&fcm_device, &registers, fcm) < 0)
        panic("linux: no memory for the vDSO");
}

void vdso_open(void) {
    make(vdso_data_frame(), 1, &clocks);
    make(vdso_image_frame(0), vdso_image_pages(), &code);
}

static k42_result map(struct image *image, uint64_t at, k42_ref fcm, size_t pages,
                      unsigned protection) {
    struct space_request request = {
        .address = at,
        .length = pages * FRAME_SIZE,
        .protection = protection,
        .most = protection,
        .flags = SPACE_FIXED | SPACE_KEEP | SPACE_SHARED,
        .fcm = fcm,
    };
    return image_map_range(image, &request);
}

k42_result image_map_vdso(struct image *image) {
    uint64_t at = image->stack_top + (1 + (image_random(image) & VDSO_SPREAD)) * FRAME_SIZE;
    image->vdso = at + FRAME_SIZE;
    k42_result result = map(image, at, clocks, 1, SPACE_READ);
    return result < 0
               ? result
               : map(image, image->vdso, code, vdso_image_pages(), SPACE_READ | SPACE_EXECUTE);
}
