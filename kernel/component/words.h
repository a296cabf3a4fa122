/*
 * What a program asks of components, as the words that k42/modules.h describes. Pure: tested and
 * fuzzed on the host.
 */
#ifndef KERNEL_COMPONENT_WORDS_H
#define KERNEL_COMPONENT_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#define COMPONENT_WORD 64u

/* Texts that are not there are empty. */
struct component_words {
    char file[COMPONENT_WORD], component[COMPONENT_WORD], class_[COMPONENT_WORD];
    char unload[COMPONENT_WORD], to[COMPONENT_WORD];
    int mode; /* enum k42_upgrade_mode, or -1: no upgrade */
    uint32_t version;
    uintptr_t answer; /* 0: none is wanted */
};

/*
 * 0, or -EINVAL: a word that is not known, too long or said twice, or words that do not go
 * together: with a file nothing may be named that is there already, without one something must.
 */
int component_words_read(struct component_words *words, const char *text, bool has_file);

#endif
