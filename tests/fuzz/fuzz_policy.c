/*
 * Fuzzes the reader of the policy of updates: whatever the bytes, it comes to an end; a wrong line
 * has a number, and changes nothing.
 */
#include "fuzz.h"
#include "updates.h"

static bool read_bytes(const void *bytes, size_t size, unsigned *wrong) {
    FILE *file = fmemopen((void *)(uintptr_t)bytes, size, "r");
    expect(file != NULL, "no file in memory");
    bool right = policy_read(file, wrong);
    fclose(file);
    return right;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char before[] = "kept.* lazy\n";
    unsigned wrong = 0;
    if (!size)
        return 0;
    policy_forget();
    expect(policy_mode("kept.one") == UPDATE_EAGER, "what no line fits is not eager");
    expect(read_bytes(before, sizeof before - 1, &wrong), "a right policy is refused");
    if (!read_bytes(data, size, &wrong)) {
        expect(wrong != 0, "a wrong line has no number");
        expect(policy_mode("kept.one") == UPDATE_LAZY, "a wrong policy has changed something");
    }
    expect(update_mode_name(policy_mode("pipe.spsc")) != NULL, "a mode has no name");
    return 0;
}
