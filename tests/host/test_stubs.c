/*
 * The miss and intercept stubs do what their model in C does, for each of the entries.
 */
#include <execinfo.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../core/stubs.h"

typedef struct k42_pair (*any_method)(void *self, uintptr_t, uintptr_t, uintptr_t, uintptr_t,
                                      uintptr_t);

struct any_object {
    const void *const *ops;
};

/* What one call did, as k42_miss, k42_intercept and the method called saw it. */
struct sighting {
    void *entry, *self;
    unsigned method;
    int handled, called, misaligned;
    uintptr_t args[K42_MAX_ARGS];
    struct k42_pair answer;
};
static struct sighting seen;
static struct k42_pair answer; /* what k42_miss and k42_intercept answer */
static void *caller_to_find;   /* set: look for it in the backtrace */
static int caller_found;

static const uintptr_t some_args[K42_MAX_ARGS] = {
    0x1111111111111111, 0x2222222222222222, 0x3333333333333333,
    0x4444444444444444, 0xfffffffffffffffe,
};

/* Inside any C function rbp is a multiple of 16 if rsp was 8 modulo 16 at its entry. */
#define STACK_IS_MISALIGNED() ((uintptr_t)__builtin_frame_address(0) % 16 != 0)

static void look_for_caller(void) {
    void *frames[16];
    int count = caller_to_find ? backtrace(frames, 16) : 0;
    for (int at = 0; at < count; at++)
        caller_found |= frames[at] == caller_to_find;
}

/* Spoils every register that a call may change, so that the stubs must have saved what they use. */
static void spoil_registers(void) {
    __asm__ volatile("mov $-1, %%rcx\n\t"
                     "mov %%rcx, %%rdx\n\t"
                     "mov %%rcx, %%rsi\n\t"
                     "mov %%rcx, %%rdi\n\t"
                     "mov %%rcx, %%r8\n\t"
                     "mov %%rcx, %%r9\n\t"
                     "mov %%rcx, %%r10\n\t"
                     "mov %%rcx, %%r11"
                     :
                     :
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
}

struct k42_pair k42_miss(void *entry, unsigned method) {
    seen.entry = entry;
    seen.method = method;
    seen.handled++;
    seen.misaligned |= STACK_IS_MISALIGNED();
    look_for_caller();
    spoil_registers();
    return answer;
}

struct k42_pair k42_intercept(struct k42_frame_registers *frame) {
    seen.self = (void *)frame->self;
    seen.method = (unsigned)frame->method;
    memcpy(seen.args, frame->args, sizeof(seen.args));
    seen.handled++;
    seen.misaligned |= STACK_IS_MISALIGNED();
    look_for_caller();
    spoil_registers();
    return answer;
}

static struct k42_pair right_method(void *self, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
                                    uintptr_t e) {
    const uintptr_t args[K42_MAX_ARGS] = {a, b, c, d, e};
    seen.self = self;
    memcpy(seen.args, args, sizeof(args));
    seen.called++;
    seen.misaligned |= STACK_IS_MISALIGNED();
    look_for_caller();
    return (struct k42_pair){.result = 77, .word = 0x8877665544332211};
}

static struct k42_pair wrong_method(void *self, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d,
                                    uintptr_t e) {
    seen.called += 1000;
    (void)self, (void)a, (void)b, (void)c, (void)d, (void)e;
    return (struct k42_pair){.result = -1, .word = 0};
}

static const void *one_right_method[K42_MAX_METHODS];
static struct any_object representative = {.ops = one_right_method};

static void put_right_method_at(unsigned method) {
    for (unsigned at = 0; at < K42_MAX_METHODS; at++)
        one_right_method[at] = __extension__(const void *) wrong_method;
    one_right_method[method] = __extension__(const void *) right_method;
}

/* A call as a program makes it: operations, entry, method. */
static struct k42_pair call_entry(struct any_object *object, unsigned method) {
    any_method entry = __extension__(any_method)(uintptr_t) object->ops[method];
    return entry(object, some_args[0], some_args[1], some_args[2], some_args[3], some_args[4]);
}

static struct sighting sight_stub(const void *const *ops, unsigned method) {
    static struct any_object object;
    object.ops = ops;
    memset(&seen, 0, sizeof(seen));
    struct k42_pair got = call_entry(&object, method);
    seen.answer = got;
    return seen;
}

static struct sighting sight_model(int miss, unsigned method) {
    static struct any_object object;
    memset(&seen, 0, sizeof(seen));
    struct k42_pair got = miss ? k42_miss_model(method, &object, some_args)
                               : k42_intercept_model(method, &object, some_args);
    seen.answer = got;
    return seen;
}

static void assert_like_model(const struct sighting *stub, const struct sighting *model) {
    assert_int_equal(stub->method, model->method);
    assert_int_equal(stub->handled, model->handled);
    assert_int_equal(stub->called, model->called);
    assert_int_equal(stub->answer.result, model->answer.result);
    assert_int_equal(stub->answer.word, model->answer.word);
    assert_memory_equal(stub->args, model->args, sizeof(stub->args));
    assert_int_equal(stub->misaligned, 0);
}

static void miss_stub_enters_the_method_of_its_number(void **state) {
    (void)state;
    answer = (struct k42_pair){.result = 0, .word = (uintptr_t)&representative};
    for (unsigned method = 0; method < K42_MAX_METHODS; method++) {
        put_right_method_at(method);
        struct sighting stub = sight_stub(k42_miss_ops, method);
        struct sighting model = sight_model(1, method);
        assert_int_equal(stub.called, 1);
        assert_int_equal(stub.method, method);
        assert_ptr_equal(stub.self, &representative);
        assert_memory_equal(stub.args, some_args, sizeof(some_args));
        assert_like_model(&stub, &model);
    }
}

static void miss_stub_returns_the_error_instead_of_calling(void **state) {
    (void)state;
    answer = (struct k42_pair){.result = -K42_STALE, .word = 0xdead};
    put_right_method_at(0);
    for (unsigned method = 0; method < K42_MAX_METHODS; method++) {
        struct sighting stub = sight_stub(k42_miss_ops, method);
        struct sighting model = sight_model(1, method);
        assert_int_equal(stub.called, 0);
        assert_int_equal(stub.answer.result, -K42_STALE);
        assert_int_equal(stub.answer.word, 0);
        assert_like_model(&stub, &model);
    }
}

static void intercept_stub_hands_over_the_call_and_returns_the_answer(void **state) {
    (void)state;
    answer = (struct k42_pair){.result = -5, .word = 0x1234567890abcdef};
    for (unsigned method = 0; method < K42_MAX_METHODS; method++) {
        struct sighting stub = sight_stub(k42_intercept_ops, method);
        struct sighting model = sight_model(0, method);
        assert_int_equal(stub.method, method);
        assert_memory_equal(stub.args, some_args, sizeof(some_args));
        assert_int_equal(stub.answer.result, -5);
        assert_int_equal(stub.answer.word, 0x1234567890abcdef);
        assert_like_model(&stub, &model);
    }
}

static void handler_is_told_on_which_object_it_was(void **state) {
    (void)state;
    static struct any_object object = {.ops = k42_miss_ops};
    answer = (struct k42_pair){.result = -K42_STALE, .word = 0};
    (void)call_entry(&object, 3);
    assert_ptr_equal(seen.entry, &object);
    object.ops = k42_intercept_ops;
    (void)call_entry(&object, 3);
    assert_ptr_equal(seen.self, &object);
}

/*
 * Calls entry 5 with a known value in each register that a callee must keep; returns how many came
 * back changed.
 */
static int registers_lost(struct any_object *object) {
    uintptr_t lost;
    const void *entry = object->ops[5];
    void *self = object;
    __asm__ volatile("push %%rbp\n\t"
                     "mov %%rsp, %%rbp\n\t"
                     "and $-16, %%rsp\n\t"
                     "push %%rbp\n\t"
                     "push %%rbp\n\t"
                     "mov $0x1b, %%ebx\n\t"
                     "mov $0x12c, %%r12d\n\t"
                     "mov $0x13d, %%r13d\n\t"
                     "mov $0x14e, %%r14d\n\t"
                     "mov $0x15f, %%r15d\n\t"
                     "call *%%rax\n\t"
                     "xor $0x1b, %%rbx\n\t"
                     "xor $0x12c, %%r12\n\t"
                     "xor $0x13d, %%r13\n\t"
                     "xor $0x14e, %%r14\n\t"
                     "xor $0x15f, %%r15\n\t"
                     "xor (%%rsp), %%rbp\n\t"
                     "mov %%rbp, %%rax\n\t"
                     "or %%rbx, %%rax\n\t"
                     "or %%r12, %%rax\n\t"
                     "or %%r13, %%rax\n\t"
                     "or %%r14, %%rax\n\t"
                     "or %%r15, %%rax\n\t"
                     "pop %%rbp\n\t"
                     "mov %%rbp, %%rsp\n\t"
                     "pop %%rbp"
                     : "=&a"(lost), "+D"(self)
                     : "0"(entry)
                     : "rbx", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
                       "r15", "memory", "cc");
    return lost != 0;
}

static void stubs_keep_the_registers_a_callee_must_keep(void **state) {
    (void)state;
    struct any_object object = {.ops = k42_miss_ops};
    put_right_method_at(5);
    answer = (struct k42_pair){.result = 0, .word = (uintptr_t)&representative};
    assert_int_equal(registers_lost(&object), 0);
    answer = (struct k42_pair){.result = -K42_STALE, .word = 0};
    assert_int_equal(registers_lost(&object), 0);
    object.ops = k42_intercept_ops;
    assert_int_equal(registers_lost(&object), 0);
}

/* Its own caller must appear in the backtrace that is taken below the stub. */
static __attribute__((noinline)) int caller_is_found(struct any_object *object) {
    caller_found = 0;
    caller_to_find = __builtin_return_address(0);
    struct k42_pair got = call_entry(object, 9);
    caller_to_find = NULL;
    return caller_found && got.result != -1;
}

static void backtrace_walks_through_the_stubs(void **state) {
    (void)state;
    struct any_object object = {.ops = k42_miss_ops};
    answer = (struct k42_pair){.result = -K42_STALE, .word = 0};
    assert_true(caller_is_found(&object));
    answer = (struct k42_pair){.result = 0, .word = (uintptr_t)&representative};
    put_right_method_at(9);
    assert_true(caller_is_found(&object));
    object.ops = k42_intercept_ops;
    assert_true(caller_is_found(&object));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(miss_stub_enters_the_method_of_its_number),
        cmocka_unit_test(miss_stub_returns_the_error_instead_of_calling),
        cmocka_unit_test(intercept_stub_hands_over_the_call_and_returns_the_answer),
        cmocka_unit_test(handler_is_told_on_which_object_it_was),
        cmocka_unit_test(stubs_keep_the_registers_a_callee_must_keep),
        cmocka_unit_test(backtrace_walks_through_the_stubs),
    };
    return cmocka_run_group_tests_name("stubs", tests, NULL, NULL);
}
