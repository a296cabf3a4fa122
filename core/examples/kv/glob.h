/*
 * Patterns as KEYS, SCAN and CONFIG GET take them: * ? [a-z] [^a] and \ before a character that
 * means itself. Pure; any context.
 */
#ifndef KV_GLOB_H
#define KV_GLOB_H

#include "resp.h"

enum kv_case { KV_EXACT_CASE, KV_ANY_CASE };
int kv_glob_matches(struct kv_slice pattern, struct kv_slice text, enum kv_case letters);

#endif
