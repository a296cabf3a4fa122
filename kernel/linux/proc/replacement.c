/*
 * /proc/k42/replacement: who chooses the pages that leave, and of how many.
 *
 * Written there by root, "DESCRIPTOR CLASS FRAMES" gives the pages of the file that is open in the
 * writer as DESCRIPTOR a PM of that class, of its own, with so many frames at most ("max": as many
 * as there are). Frames that its pages have already are not counted. The PM ends with the file's
 * cache, or when the file gets another one. With "any" instead of a class the advisors choose it
 * (../../advisor/advisor_paging.c), and begin with the clock; a class that is named stays.
 *
 * "next CLASS FRAMES" gives a PM of its own to the program that the writer runs next, and to all
 * that descend from it, all together: it has their private memory. What does not fit goes to the
 * swap; when there is no room, who wants more is killed, as Linux does with a group at its limit.
 *
 * What is read has a line for each PM that there is, as the first line says.
 *
 * Owns nothing; no locks. Errors: -EBADF, -ENOENT (no such class), -EINVAL, -ENODEV (nothing of
 * the file is cached), -ENOTSUP (its pages do not leave), -ENOMEM.
 */
#include "../../advisor/advisor.h"
#include "../../fs/file.h"
#include "../../fs/values.h"
#include "../../mem/fcm/fcm.h"
#include "../../mem/pm/pm.h"
#include "../files/descriptors.h"
#include "../process/charge.h"
#include "../task.h"
#include "proc.h"
#include "runtime.h"

#include <k42/k42.h>
#include <string.h>

#define LONGEST_LINE 80

/* ---- reading ---- */

static long print_pm(const struct k42_object_info *info, void *context) {
    pm_ref pm = (pm_ref)k42_id_ref(info->id);
    struct pm_usage usage;
    struct pm_pages pages;
    if (k42_call(pm, usage, &usage) < 0 || k42_call(pm, pages, &pages) < 0)
        return 0;
    proc_print(context, "%u %s %lu %ld %lu %lu %lu %lu %lu %lu %lu %lu %lu\n", (unsigned)info->id,
               info->class_name, usage.used, (long)usage.limit, usage.fcms, usage.given_back,
               pages.present, pages.often, pages.remembered, pages.target, pages.came,
               pages.came_back, pages.left);
    return 0;
}

static k42_result print_pms(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "id class used limit caches given-back present often remembered target came "
                     "came-back left\n");
    k42_each_object(&pm_interface, print_pm, text);
    return 0;
}

/* ---- writing ---- */

static bool is_space(char letter) {
    return letter == ' ' || letter == '\n';
}

/* A word of a line, cut off; empty when there is none. */
static char *next_word(char **text) {
    char *word = *text, *end;
    while (is_space(*word))
        word++;
    for (end = word; *end && !is_space(*end);)
        end++;
    *text = *end ? end + 1 : end;
    *end = 0;
    return word;
}

static bool read_number(const char *word, uint64_t *number) {
    *number = 0;
    for (const char *at = word; *at; at++) {
        if (*at < '0' || *at > '9' || *number > UINT64_MAX / 16)
            return false;
        *number = *number * 10 + (uint64_t)(*at - '0');
    }
    return *word != 0;
}

struct wish {
    bool next;      /* the next program's; otherwise: */
    int descriptor; /* a file's */
    struct k42_class *class_;
    bool any; /* that class is only to begin with */
    uint64_t frames;
};

static k42_result parse(const char *bytes, size_t size, struct wish *wish) {
    char line[LONGEST_LINE], *at = line;
    uint64_t descriptor;
    if (size >= sizeof line)
        return -EINVAL;
    memcpy(line, bytes, size);
    line[size] = 0;
    char *number = next_word(&at), *class_ = next_word(&at), *frames = next_word(&at);
    wish->any = k42_text_equal(class_, "any");
    wish->class_ = k42_class_find(wish->any ? pm_clock.name : class_);
    wish->next = k42_text_equal(number, "next");
    if (wish->next)
        descriptor = 0;
    else if (!read_number(number, &descriptor) || descriptor > INT32_MAX)
        return -EINVAL;
    if (*next_word(&at))
        return -EINVAL;
    if (!wish->class_ || wish->class_->interface != &pm_interface)
        return -ENOENT;
    wish->descriptor = (int)descriptor;
    wish->frames = ~0ul;
    if (!k42_text_equal(frames, "max") && (!read_number(frames, &wish->frames) || !wish->frames))
        return -EINVAL;
    return 0;
}

static k42_result find_pages(int descriptor, fcm_ref *fcm) {
    struct file_map map;
    struct k42_pair file = k42_call(task_self()->descriptors, get, descriptor);
    if (file.result < 0)
        return file.result;
    k42_result result = k42_call((file_ref)(k42_ref)file.word, map, &map);
    *fcm = (fcm_ref)map.fcm;
    return result < 0 ? result : 0;
}

static k42_result manage(fcm_ref fcm, const struct wish *wish) {
    pm_ref pm;
    k42_result result = advisor_chosen(k42_id_of(fcm));
    if (result >= 0)
        result = pm_create(wish->class_, wish->frames, &pm);
    if (result < 0)
        return result;
    if (!wish->any)
        result = advisor_chosen(k42_id_of(pm));
    if (result >= 0)
        result = k42_call(fcm, manage, (k42_ref)pm);
    if (result >= 0)
        result = k42_call(pm, end_when_unused);
    else
        (void)!k42_destroy((k42_ref)pm);
    return result < 0 ? result : 0;
}

static k42_result charge_programs(const struct wish *wish) {
    struct charge *charge;
    k42_result result = charge_make(wish->class_, wish->frames, &charge);
    if (result < 0)
        return result;
    if (!wish->any)
        result = advisor_chosen(k42_id_of(charge->pm));
    if (result >= 0)
        charge_next(charge);
    else
        charge_release(charge);
    return result < 0 ? result : 0;
}

static k42_result write_wish(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    struct wish wish;
    fcm_ref fcm;
    k42_result result = parse(bytes, size, &wish);
    if (!result && wish.next)
        return charge_programs(&wish);
    if (!result)
        result = find_pages(wish.descriptor, &fcm);
    return result ? result : manage(fcm, &wish);
}

void proc_replacement_register(struct proc_entry *k42) {
    static struct proc_entry file = {.name = "replacement",
                                     .mode = MODE_REGULAR | 0600,
                                     .print = print_pms,
                                     .write = write_wish};
    proc_add(k42, &file);
}
