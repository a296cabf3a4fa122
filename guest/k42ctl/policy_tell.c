/*
 * What is told of a policy that this program runs: in sentences, or as JSON.
 */
#include "policy_run.h"

#include <stdio.h>

static const char *state_name(const struct k42_control_run *run) {
    static const char *const names[] = {
        [K42_RUN_RUNS] = "runs",         [K42_RUN_REFUSED] = "refused", [K42_RUN_ASKED] = "ended",
        [K42_RUN_REPLACED] = "replaced", [K42_RUN_STALLED] = "stalled", [K42_RUN_FAILED] = "failed",
        [K42_RUN_WORSE] = "worse",
    };
    return run->why < sizeof names / sizeof *names ? names[run->why] : "?";
}

static void tell(const struct k42_control_run *run) {
    json_object(NULL);
    json_text("component", run->component);
    json_text("class", run->class_);
    json_text("state", state_name(run));
    json_number("objects", run->objects);
    json_number("taken", run->taken);
    json_number("returned", run->returned);
    json_number("left", run->left);
    json_number("held", run->held);
    json_number("calls", run->calls);
    json_number("failed", run->failed);
    json_text("text", run->text);
    json_end();
    fflush(stdout);
}

void policy_tell_active(const struct k42_control_run *run, bool by_itself) {
    if (as_json) {
        tell(run);
        return;
    }
    printf("%s (%s) serves %lu objects%s\n", run->component, run->class_, run->objects,
           by_itself ? "" : " until this is ended");
    if (run->taken)
        printf("%lu of them had another policy that was run\n", run->taken);
    if (run->text[0])
        printf("not all: %s\n", run->text);
    fflush(stdout);
}

int policy_tell_end(const struct k42_control_run *run) {
    if (as_json)
        tell(run);
    switch (run->why) {
    case K42_RUN_REFUSED:
        return refused("%s", run->text);
    case K42_RUN_ASKED:
        if (!as_json && run->state == K42_RUN_OVER)
            printf("what was before is back: %lu objects; %lu were gone or changed by others\n",
                   run->returned, run->left);
        return DONE;
    case K42_RUN_REPLACED:
        if (!as_json)
            printf("another policy has replaced this one\n");
        return DONE;
    default:
        refused("the policy %s%s: %s; what was before is back: %lu objects",
                run->why == K42_RUN_WORSE ? "is " : "", state_name(run), run->text, run->returned);
        return ROLLED_BACK;
    }
}
