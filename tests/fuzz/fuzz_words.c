/*
 * Fuzzes the reader of what programs ask of components (finit_module()'s parameters).
 *
 * Whatever it accepts is one thing, with all that belongs to it: texts end and are words, numbers
 * are there where they must be. Each input is read with a file and without one.
 */
#include "../../kernel/component/words.h"
#include "fuzz.h"

#include <k42/class.h>
#include <string.h>

static void expect_word(const char *word) {
    size_t length = strnlen(word, COMPONENT_WORD);
    expect(length < COMPONENT_WORD, "a text does not end");
    expect(!memchr(word, ' ', length), "a text is of several words");
}

static void read_words(const char *text, bool has_file) {
    struct component_words words;
    int error = component_words_read(&words, text, has_file);
    expect(error == 0 || error == -22, "an error is no EINVAL");
    if (error)
        return;
    expect_word(words.file);
    expect_word(words.component);
    expect_word(words.class_);
    expect_word(words.unload);
    expect_word(words.to);
    expect(!words.to[0] || words.unload[0], "what becomes of a class is not unloaded");
    expect(has_file + !!words.component[0] + !!words.class_[0] + !!words.unload[0] == 1,
           "several things are asked for, or none");
    expect(!words.class_[0] == !words.version, "a class without a version, or the reverse");
    expect(words.mode >= -1 && words.mode <= K42_UPGRADE_NEW_ONLY, "there is no such mode");
    expect(words.version <= 999999999, "a version is too long");
    expect(!words.unload[0] || words.mode < 0, "what is unloaded is upgraded");
    expect(has_file || words.unload[0] || words.mode >= 0, "nothing is done");
    expect(has_file || !words.file[0], "a file's name without a file");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = malloc(size + 1);
    if (!text)
        abort();
    memcpy(text, data, size);
    text[size] = 0;
    read_words(text, true);
    read_words(text, false);
    free(text);
    return 0;
}
