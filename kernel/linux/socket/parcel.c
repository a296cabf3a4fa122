/*
 * Parcels. See parcel.h.
 */
#include "parcel.h"

#include "../../fs/file.h"
#include "../../mem/heap/heap.h"
#include "../process/users.h"
#include "flight.h"

#include <errno.h>

k42_result parcel_make(struct copy *copy, size_t length, struct parcel **made) {
    struct parcel *parcel = heap_allocate(sizeof *parcel + length);
    if (!parcel)
        return -ENOMEM;
    *parcel = (struct parcel){.length = length};
    while (parcel->taken < length) {
        k42_result result = copy_in(copy, parcel->bytes + parcel->taken, length - parcel->taken);
        if (result < 0) {
            heap_free(parcel);
            return result;
        }
        parcel->taken += (size_t)result;
    }
    parcel->taken = 0;
    *made = parcel;
    return 0;
}

void parcel_free(struct parcel *parcel) {
    if (parcel && parcel->files)
        flight_throw_away(parcel->files);
    heap_free(parcel);
}

/* ---- files ---- */

struct parcel_files *parcel_files_make(unsigned room) {
    struct parcel_files *files = heap_allocate(sizeof *files + room * sizeof *files->file);
    if (files)
        *files = (struct parcel_files){.count = 0};
    return files;
}

void parcel_files_free(struct parcel_files *files) {
    for (unsigned i = 0; files && i < files->count; i++)
        (void)!k42_call((file_ref)files->file[i].ref, release);
    if (files && files->charged)
        user_remove_files(files->uid, files->charged);
    heap_free(files);
}

struct parcel_files *parcel_files_copy(const struct parcel_files *files) {
    struct parcel_files *copy = parcel_files_make(files->count);
    for (unsigned i = 0; copy && i < files->count; i++)
        if (k42_call((file_ref)files->file[i].ref, hold) >= 0)
            copy->file[copy->count++] = (struct parcel_file){.ref = files->file[i].ref};
    return copy;
}
