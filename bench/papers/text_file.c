/*
 * A file of text (text_file.h). Its FR makes each page's text of the page's number, whenever it is
 * asked for, and has no state.
 */
#include "text_file.h"
#include "measure.h"

#include <errno.h>
#include <stdio.h>

struct text_fr {
    struct k42_root root;
    struct fr rep;
};

/* Lines of 64 bytes; the word stands in the first lines of a page. */
static void write_text(char *page, uint64_t index) {
    for (unsigned line = 0; line < FRAME_BYTES / 64; line++) {
        char text[80];
        snprintf(text, sizeof text, "page %8lu line %2u %-6s lorem ipsum dolor sit amet elit",
                 index, line, line < TEXT_PER_PAGE ? TEXT_WORD : "");
        memset(page + 64 * line, ' ', 64);
        memcpy(page + 64 * line, text, strnlen(text, 63));
        page[64 * line + 63] = '\n';
    }
}

static k42_result text_fill(struct fr *self, const struct fr_page *page) {
    (void)self;
    write_text(machine_memory(page->physical), page->index);
    return 0;
}

/* Nothing else is asked of a file that is only read. */
static k42_result text_write(struct fr *self, const struct fr_page *page) {
    (void)self, (void)page;
    return -EROFS;
}

static k42_result text_resize(struct fr *self, uint64_t size) {
    (void)self, (void)size;
    return 0;
}

static k42_result text_punch(struct fr *self, uint64_t first, uint64_t pages) {
    (void)self, (void)first, (void)pages;
    return -ENOTSUP;
}

static k42_result text_flush(struct fr *self) {
    (void)self;
    return 0;
}

static k42_result text_fill_run(struct fr *self, const struct fr_run *run) {
    (void)self, (void)run;
    return -ENOTSUP;
}

static k42_result text_describe(struct k42_object *self, char *text, size_t size) {
    (void)self, (void)text, (void)size;
    return 0;
}

static const struct fr_ops text_ops = {
    .object.describe = text_describe,
    .fill = text_fill,
    .write = text_write,
    .resize = text_resize,
    .punch = text_punch,
    .flush = text_flush,
    .fill_run = text_fill_run,
};

K42_CLASS(fr_text) = {
    .name = "fr.text",
    .interface = &fr_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct text_fr),
    .rep_offset = offsetof(struct text_fr, rep),
    .ops = &text_ops,
};

/* Memory for the pages, for the trees' nodes, and for what CPUs keep at hand. */
void text_open(uint64_t pages) {
    stage_open_with(pages + pages / 32 + 4096);
}

static struct k42_class *class_of(const char *name) {
    struct k42_class *found = k42_class_find(name);
    if (!found)
        measure_fail("finding a class", name);
    return found;
}

fcm_ref text_file(const char *class_name, uint64_t pages) {
    k42_ref fr, fcm;
    measure_require(k42_create(&fr_text, NULL, &fr), "making what is behind the file");
    struct fcm_file file = {.pm = pm_machine, .fr = (fr_ref)fr, .size = pages * FRAME_BYTES};
    measure_require(k42_create(class_of(class_name), &file, &fcm), "making the file");
    char page[FRAME_BYTES];
    for (uint64_t i = 0; i < pages; i++)
        measure_require(stage_read((fcm_ref)fcm, i * FRAME_BYTES, page, sizeof page),
                        "reading the file");
    return (fcm_ref)fcm;
}

k42_result text_file_swap(fcm_ref file, const char *class_name) {
    return k42_swap((k42_ref)file, class_of(class_name), NULL);
}

uint64_t text_file_present(fcm_ref file) {
    struct fcm_usage usage;
    measure_require(CALL(file, usage, &usage), "asking for the file's usage");
    return usage.present;
}

uint64_t text_file_contended(fcm_ref file) {
    struct fcm_counts counts;
    measure_require(CALL(file, counts, &counts), "asking for the file's counts");
    return counts.contended;
}
