/*
 * k42ctl advisors: what the advisors saw, did and gained; their decisions; what they may do.
 */
#include "k42ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const modes[] = {"?", "off", "advise", "on"};
static const char *const deeds[] = {"would change", "changed", "could not swap",
                                    "settled",      "undone",  "taken back"};

static const char *mode_name(uint32_t mode) {
    return modes[mode < sizeof modes / sizeof *modes ? mode : 0];
}

static const char *deed_name(uint32_t deed) {
    return deed < sizeof deeds / sizeof *deeds ? deeds[deed] : "?";
}

/* Thousandths, as people write them. */
static const char *thousandths(uint64_t number) {
    static char texts[4][32];
    static unsigned turn;
    char *text = texts[turn++ % 4];
    snprintf(text, sizeof texts[0], "%lu.%03lu", number / 1000, number % 1000);
    return text;
}

static int no_answer(const char *name) {
    switch (errno) {
    case EPERM:
        return refused("only root may tell advisors what to do (CAP_SYS_ADMIN)");
    case ENOENT:
        return refused("there is no advisor %s; 'k42ctl advisors' lists them", name);
    case EOPNOTSUPP:
        return refused("this kernel is built without advisors");
    default:
        return refused("the kernel does not tell: %s", strerror(errno));
    }
}

/* ---- the advisors ---- */

static void advisor_json(const struct k42_control_advisor *one) {
    json_object(NULL);
    json_text("name", one->name);
    json_text("about", one->about);
    json_text("mode", mode_name(one->mode));
    json_number("saw", one->saw);
    json_number("watched", one->watched);
    json_number("advised", one->advised);
    json_number("changed", one->changed);
    json_number("settled", one->settled);
    json_number("undone", one->undone);
    json_number("returned", one->returned);
    json_number("failed", one->failed);
    json_text("unit", one->unit);
    json_number("measured", one->measured);
    json_number("before_thousandths", one->before);
    json_number("after_thousandths", one->after);
    json_end();
}

static void advisor_row(const struct k42_control_advisor *one) {
    table_cell("%s", one->name);
    table_cell("%s", mode_name(one->mode));
    table_cell("%lu", one->saw);
    table_cell("%lu", one->watched);
    table_cell("%lu", one->advised);
    table_cell("%lu", one->changed);
    table_cell("%lu", one->settled);
    table_cell("%lu", one->undone);
    table_cell("%lu", one->returned);
    if (one->measured)
        table_cell("%s, from %s to %s", one->unit, thousandths(one->before / one->measured),
                   thousandths(one->after / one->measured));
    else
        table_cell("-");
}

static int show(const struct answer *answer) {
    static const char *const titles[] = {"ADVISOR",  ">MODE",    ">SAW",    ">WATCHED", ">ADVISED",
                                         ">CHANGED", ">SETTLED", ">UNDONE", ">BACK",    "GAINED"};
    const struct k42_control_advisor *list = answer->records;
    if (as_json) {
        json_object(NULL);
        json_array("advisors");
    } else {
        table_begin(titles, sizeof titles / sizeof *titles);
    }
    for (uint32_t i = 0; i < answer->head->count; i++)
        (as_json ? advisor_json : advisor_row)(&list[i]);
    if (as_json) {
        json_end();
        json_end();
    } else {
        table_end();
        putchar('\n');
        for (uint32_t i = 0; i < answer->head->count; i++)
            printf("%-12s %s\n", list[i].name, list[i].about);
    }
    return DONE;
}

/* ---- decisions ---- */

/* A name by which somebody has the object now, or nothing. */
static const char *file_of(uint32_t object) {
    struct owner owner;
    return owner_of(object, 0, &owner) && owner.owned->name[0] ? file_text(owner.owned) : "";
}

static void decision_json(const struct k42_control_decision *one) {
    json_object(NULL);
    json_number("number", one->number);
    json_number("age_ns", one->age_ns);
    json_text("advisor", one->advisor);
    json_text("deed", deed_name(one->deed));
    json_number("object", one->object);
    json_text("file", file_of(one->object));
    json_text("from", one->from);
    json_text("to", one->to);
    json_text("reason", one->reason);
    json_number("times", one->times);
    json_number("error", (uint64_t)-one->result);
    json_number("before_thousandths", one->before);
    json_number("after_thousandths", one->after);
    json_end();
}

static void decision_line(const struct k42_control_decision *one) {
    const char *file = file_of(one->object);
    printf("%8s ago  %s: object %u%s%s %s, %s to %s: %s", time_text(one->age_ns), one->advisor,
           one->object, *file ? ", " : "", file, deed_name(one->deed), one->from, one->to,
           one->reason);
    if (one->before || one->after)
        printf("; %s before, %s after", thousandths(one->before), thousandths(one->after));
    if (one->result)
        printf("; %s", strerror(-one->result));
    if (one->times > 1)
        printf("; %u times", one->times);
    putchar('\n');
}

static int show_log(void) {
    struct k42_control_filter filter = {.from = 0};
    struct answer answer;
    if (!ask(K42_CONTROL_DECISIONS, &filter, sizeof filter, NULL, 0, &answer))
        return no_answer("");
    uint32_t count = answer.head->count;
    struct k42_control_decision *list = allocate((count + 1) * sizeof *list);
    memcpy(list, answer.records, count * sizeof *list);
    owners_load(0);
    if (as_json) {
        json_object(NULL);
        json_array("decisions");
    }
    for (uint32_t i = 0; i < count; i++)
        (as_json ? decision_json : decision_line)(&list[i]);
    if (as_json) {
        json_end();
        json_end();
    }
    return DONE;
}

/* ---- words ---- */

static uint32_t mode_of(const char *word) {
    for (uint32_t mode = K42_CONTROL_MODE_OFF; mode <= K42_CONTROL_MODE_ON; mode++)
        if (!strcmp(word, modes[mode]))
            return mode;
    return 0;
}

int advisors_command(char **words) {
    struct k42_control_advise advise = {0};
    struct answer answer;
    if (option(&words, "--log"))
        return *words ? wrong_words("advisors --log does not know %s", *words) : show_log();
    if (!*words)
        return ask(K42_CONTROL_ADVISORS, NULL, 0, NULL, 0, &answer) ? show(&answer) : no_answer("");
    advise.mode = mode_of(*words);
    if (!advise.mode)
        return wrong_words("advisors are 'on', 'advise' or 'off', not %s", *words);
    if (*++words) {
        if (strlen(*words) >= sizeof advise.name)
            return refused("there is no advisor %s; 'k42ctl advisors' lists them", *words);
        strcpy(advise.name, *words++);
    }
    if (*words)
        return wrong_words("advisors does not know %s", *words);
    return ask(K42_CONTROL_ADVISE, &advise, sizeof advise, NULL, 0, &answer)
               ? show(&answer)
               : no_answer(advise.name);
}
