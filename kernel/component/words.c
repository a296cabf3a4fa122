/*
 * Reading what a program asks of components: see words.h.
 */
#include "words.h"

#include "runtime.h"

#include <errno.h>
#include <k42/class.h>

/* Of a text up to the next space. */
struct piece {
    const char *at;
    size_t length;
};

static bool equals(struct piece piece, const char *text) {
    return piece.length == k42_text_length(text) && !__builtin_memcmp(piece.at, text, piece.length);
}

static bool take_text(char *to, struct piece value) {
    if (to[0] || !value.length || value.length >= COMPONENT_WORD)
        return false;
    __builtin_memcpy(to, value.at, value.length);
    to[value.length] = 0;
    return true;
}

static bool take_number(uint64_t *to, struct piece value, unsigned base, unsigned digits) {
    uint64_t number = 0;
    if (*to || !value.length || value.length > digits)
        return false;
    for (size_t i = 0; i < value.length; i++) {
        char c = value.at[i];
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit >= base)
            return false;
        number = number * base + digit;
    }
    *to = number;
    return true;
}

static bool take_mode(int *mode, struct piece value) {
    static const char *const names[] = {
        [K42_UPGRADE_EAGER] = "eager", [K42_UPGRADE_LAZY] = "lazy", [K42_UPGRADE_NEW_ONLY] = "new"};
    for (int i = 0; *mode < 0 && i < 3; i++)
        if (equals(value, names[i])) {
            *mode = i;
            return true;
        }
    return false;
}

struct numbers {
    uint64_t version, answer;
};

static bool take(struct component_words *words, struct numbers *numbers, struct piece name,
                 struct piece value) {
    if (equals(name, "file"))
        return take_text(words->file, value);
    if (equals(name, "component"))
        return take_text(words->component, value);
    if (equals(name, "class"))
        return take_text(words->class_, value);
    if (equals(name, "unload"))
        return take_text(words->unload, value);
    if (equals(name, "to"))
        return take_text(words->to, value);
    if (equals(name, "upgrade"))
        return take_mode(&words->mode, value);
    if (equals(name, "version"))
        return take_number(&numbers->version, value, 10, 9);
    if (equals(name, "answer"))
        return take_number(&numbers->answer, value, 16, 16);
    return false;
}

/* One thing is asked for, and all that belongs to it is said. */
static bool go_together(const struct component_words *words, bool has_file) {
    bool class_ = words->class_[0], upgrade = words->mode >= 0;
    unsigned things = has_file + !!words->component[0] + class_ + !!words->unload[0];
    if (things != 1 || class_ != !!words->version || (words->file[0] && !has_file) ||
        (words->to[0] && !words->unload[0]))
        return false;
    return has_file || upgrade != !!words->unload[0];
}

int component_words_read(struct component_words *words, const char *text, bool has_file) {
    struct numbers numbers = {0};
    *words = (struct component_words){.mode = -1};
    while (*text) {
        struct piece name = {text, 0}, value;
        while (text[name.length] && text[name.length] != ' ' && text[name.length] != '=')
            name.length++;
        text += name.length;
        if (!name.length && *text == ' ') {
            text++;
            continue;
        }
        if (*text++ != '=')
            return -EINVAL;
        value = (struct piece){text, 0};
        while (text[value.length] && text[value.length] != ' ')
            value.length++;
        text += value.length;
        if (!take(words, &numbers, name, value))
            return -EINVAL;
    }
    words->version = (uint32_t)numbers.version;
    words->answer = numbers.answer;
    return go_together(words, has_file) ? 0 : -EINVAL;
}
