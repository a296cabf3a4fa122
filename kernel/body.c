/*
 * Passing a body on. See body.h.
 *
 * The new object has the body before the old one forgets it, and can be called and destroyed in
 * between. Its end runs after a grace period, the old one's too; by then the old one has forgotten.
 */
#include "body.h"

k42_result body_init(struct k42_root *root, const void *args) {
    k42_container(root, struct body_object, root)->body = (void *)(uintptr_t)args;
    return 0;
}

k42_result body_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)body_of_root(from);
    return 0;
}

k42_result body_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    k42_container(to, struct body_object, root)->body = (void *)state->word[0];
    return 0;
}

void body_handed_over(struct k42_root *from, struct k42_state *state) {
    (void)state;
    k42_container(from, struct body_object, root)->body = NULL;
}
