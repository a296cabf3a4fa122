/*
 * Fuzzes the kernel's reader of requests to /dev/k42: the bytes are what a program wrote.
 *
 * Whatever is said to be well formed must lie inside the request, its texts must end, and numbers
 * must be within their limits; everything is summed up so that a sanitizer sees each byte. Each
 * input is tried as it is, and once more with its head made right, or hardly any damage would get
 * past that.
 */
#include "fuzz.h"
#include "request.h"

#include <string.h>

static void expect_text(const char *text, size_t size) {
    expect(strnlen(text, size) < size, "a text does not end");
}

static void look_at_body(const struct control_request *request) {
    const struct k42_control_filter *filter = request->body;
    const struct k42_control_swap *swap = request->body;
    const struct k42_control_interpose *hook = request->body;
    const struct k42_control_piece *piece = request->body;
    const struct k42_control_policy *policy = request->body;
    const struct k42_control_advise *advise = request->body;
    switch (request->kind) {
    case K42_CONTROL_OBJECTS:
    case K42_CONTROL_CLASSES:
    case K42_CONTROL_OWNERS:
        expect_text(filter->name, sizeof filter->name);
        expect(filter->pid >= 0, "a process has a number below 0");
        break;
    case K42_CONTROL_DECISIONS:
        expect_text(filter->name, sizeof filter->name);
        break;
    case K42_CONTROL_ADVISE:
        expect_text(advise->name, sizeof advise->name);
        expect(advise->mode >= K42_CONTROL_MODE_OFF && advise->mode <= K42_CONTROL_MODE_ON,
               "there is no such mode");
        break;
    case K42_CONTROL_SWAP:
        expect_text(swap->to, sizeof swap->to);
        expect_text(swap->from, sizeof swap->from);
        expect_text(swap->traits, sizeof swap->traits);
        expect(swap->deadline_ns <= CONTROL_DEADLINE_MOST, "a deadline is too late");
        expect(swap->attempts <= CONTROL_ATTEMPTS_MOST, "there are too many attempts");
        break;
    case K42_CONTROL_INTERPOSE:
        expect_text(hook->method, sizeof hook->method);
        expect(hook->delay_ns <= CONTROL_DELAY_MOST, "a delay is too long");
        expect(hook->error >= 0 && hook->error < 4096, "an error is no errno");
        break;
    case K42_CONTROL_COMPONENT:
        expect(piece->length && piece->length <= sizeof piece->bytes, "a piece is too long");
        expect(piece->size <= K42_CONTROL_IMAGE && piece->at < piece->size &&
                   (uint64_t)piece->at + piece->length <= piece->size,
               "a piece lies outside the file");
        break;
    case K42_CONTROL_POLICY:
        expect_text(policy->class_, sizeof policy->class_);
        expect_text(policy->scope, sizeof policy->scope);
        expect_text(policy->metric, sizeof policy->metric);
        expect(policy->window_ns <= CONTROL_WINDOW_MOST, "a window is too long");
        expect(policy->stall_ns <= CONTROL_WINDOW_MOST, "a call may last too long");
        expect(policy->errors <= 100 && policy->worse <= CONTROL_WORSE_MOST, "not a percentage");
        break;
    default:
        break;
    }
}

static int changes(enum k42_control_kind kind) {
    return kind == K42_CONTROL_SWAP || kind == K42_CONTROL_INTERPOSE ||
           kind == K42_CONTROL_COMPONENT || kind == K42_CONTROL_POLICY ||
           kind == K42_CONTROL_ADVISE;
}

static void read_request(const uint8_t *bytes, size_t size) {
    struct control_request request;
    int error = control_request_read(bytes, size, &request);
    expect(error <= 0 && error >= -4095, "an error is no errno");
    if (error)
        return;
    const uint8_t *end = bytes + size;
    expect(request.kind < K42_CONTROL_KINDS, "there is no such kind");
    expect((const uint8_t *)request.body <= end, "the body lies outside the request");
    expect((const uint8_t *)(request.ids + request.count) <= end, "ids lie outside the request");
    unsigned sum = 0;
    for (uint32_t i = 0; i < request.count; i++)
        sum += request.ids[i];
    __asm__ volatile("" : : "r"(sum)); /* all are read */
    expect(request.changes == changes(request.kind), "a change is taken for a look");
    look_at_body(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct k42_control_head head;
    uint8_t *bytes = malloc(size ? size : 1);
    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    read_request(bytes, size);
    if (size >= sizeof head) {
        memcpy(&head, bytes, sizeof head);
        head.length = (uint32_t)size;
        head.version = K42_CONTROL_VERSION;
        head.kind %= K42_CONTROL_KINDS;
        head.spare = 0;
        head.next = 0;
        memcpy(bytes, &head, sizeof head);
        read_request(bytes, size);
    }
    free(bytes);
    return 0;
}
