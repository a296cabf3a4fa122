/*
 * /proc/keys and /proc/key-users: the keys that the reader may see, and what each user has.
 *
 * Owns nothing. Printed with the lock, into memory of the text's own.
 */
#include "../proc/proc.h"
#include "../../fs/procfs/procfs.h"
#include "../../fs/values.h"
#include "../clocks.h"
#include "keys_inner.h"
#include "runtime.h"

static void print_right(struct proc_text *text, const char *word, unsigned width) {
    for (size_t length = k42_text_length(word); length < width; length++)
        proc_put(text, " ", 1);
    proc_print(text, "%s", word);
}

static void print_number(struct proc_text *text, uint32_t number, unsigned width) {
    char digits[12];
    k42_format_text(digits, sizeof digits, "%u", number);
    print_right(text, digits, width);
}

static void print_flags(struct proc_text *text, const struct key *key) {
    char flags[] = "I------ ";
    flags[1] = key->flags & KEY_REVOKED ? 'R' : '-';
    flags[3] = key->flags & KEY_COUNTED ? 'Q' : '-';
    flags[5] = key->flags & KEY_NEGATIVE ? 'N' : '-';
    flags[6] = key->flags & KEY_INVALID ? 'i' : '-';
    proc_put(text, flags, sizeof flags - 1);
}

/* How long it lasts, in the largest unit that there is at least one of. */
static void print_time(struct proc_text *text, const struct key *key) {
    static const struct {
        uint32_t seconds;
        char name;
    } units[] = {{604800, 'w'}, {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    uint64_t now = time_ns(), left = (key->expires_ns - now) / NS_PER_SECOND;
    char word[16] = "perm";
    if (key->expires_ns && now >= key->expires_ns)
        k42_copy_text(word, sizeof word, "expd");
    for (unsigned n = 0; key->expires_ns > now && n < 5; n++)
        if (left >= units[n].seconds || n == 4) {
            k42_format_text(word, sizeof word, "%lu%s", left / units[n].seconds,
                            (const char[]){units[n].name, 0});
            break;
        }
    proc_put(text, " ", 1);
    print_right(text, word, 4);
    proc_put(text, " ", 1);
}

static void print_type(struct proc_text *text, const struct key *key) {
    size_t length = k42_text_length(key->type->name);
    proc_put(text, " ", 1);
    proc_put(text, key->type->name, length);
    for (; length < 10; length++)
        proc_put(text, " ", 1);
}

static void print_key(struct proc_text *text, const struct key *key) {
    proc_print_hex(text, (uint32_t)key->number, 8);
    proc_put(text, " ", 1);
    print_flags(text, key);
    print_number(text, __atomic_load_n(&key->references, __ATOMIC_RELAXED), 5);
    print_time(text, key);
    proc_print_hex(text, key->rights, 8);
    proc_put(text, " ", 1);
    print_number(text, key->uid, 5);
    proc_put(text, " ", 1);
    print_number(text, key->gid == ~0u ? 65534u : key->gid, 5);
    print_type(text, key);
    proc_print(text, "%s", key->text);
    if (key->flags & (KEY_NEGATIVE | KEY_REVOKED))
        proc_put(text, "\n", 1);
    else if (key->type->is_ring && !key->count)
        proc_print(text, ": empty\n");
    else
        proc_print(text, ": %u\n", key->type->is_ring ? key->count : key->length);
}

static bool may_see(struct key *key) {
    struct key_found found;
    if (key_allows(key, false, KEY_VIEW) >= 0)
        return true;
    if (key_allows(key, true, KEY_VIEW) < 0 ||
        key_lookup(key->number, KEY_ANY, KEY_VIEW, &found) < 0)
        return false;
    key_release_locked(found.key);
    return found.possessed;
}

static k42_result print_keys(const struct proc_key *about, struct proc_text *text) {
    (void)about;
    k42_lock(&keys_lock);
    for (struct key *key = key_next(NULL); key; key = key_next(key))
        if (may_see(key))
            print_key(text, key);
    k42_unlock(&keys_lock);
    return 0;
}

static k42_result print_users(const struct proc_key *about, struct proc_text *text) {
    (void)about;
    k42_lock(&keys_lock);
    for (struct key_user *user = key_user_next(NULL); user; user = key_user_next(user)) {
        print_number(text, user->uid, 5);
        proc_put(text, ": ", 2);
        print_number(text, user->keys + 1, 5);
        proc_print(text, " %u/%u %u/%u %u/%u\n", user->keys, user->keys, user->counted,
                   key_user_keys_most(user->uid), user->cost, key_user_cost_most(user->uid));
    }
    k42_unlock(&keys_lock);
    return 0;
}

void keys_proc_register(void) {
    static struct proc_entry files[] = {
        {.name = "keys", .mode = MODE_REGULAR | 0444, .print = print_keys},
        {.name = "key-users", .mode = MODE_REGULAR | 0444, .print = print_users}};
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        proc_add(NULL, &files[i]);
}
