/*
 * Clustered root: one representative per `class->cluster` CPUs, made when the first of them calls.
 *
 * The array of representatives is in chunks that never move, found through a small directory that
 * is replaced when it grows; readers are misses, which take the root's lock. Fails: -ENOMEM, and
 * what the class's init_rep returns; the miss then reports it to the caller and the next call tries
 * again.
 */
#include "runtime.h"

#define CHUNK 64u

static struct k42_lock *lock_of(struct k42_clustered_root *root) {
    return (struct k42_lock *)&root->lock;
}

static uint32_t cluster_size(const struct k42_root *root) {
    return root->class_->cluster ? root->class_->cluster : 1;
}

/* The place of a cluster's representative; NULL: no memory. Called with the lock held. */
static void **place(struct k42_clustered_root *root, uint32_t cluster) {
    uint32_t chunk = cluster / CHUNK;
    if (chunk >= root->chunks) {
        void **longer = k42_platform_alloc((chunk + 1) * sizeof(void *));
        if (!longer)
            return NULL;
        for (uint32_t i = 0; i < root->chunks; i++)
            longer[i] = root->reps[i];
        k42_platform_free(root->reps);
        root->reps = longer;
        root->chunks = chunk + 1;
    }
    if (!root->reps[chunk])
        root->reps[chunk] = k42_platform_alloc(CHUNK * sizeof(void *));
    return root->reps[chunk] ? (void **)root->reps[chunk] + cluster % CHUNK : NULL;
}

static k42_result rep_make(struct k42_root *root, uint32_t cluster, void **rep) {
    const struct k42_class *class_ = root->class_;
    const void **made = k42_platform_alloc(class_->rep_size);
    if (!made)
        return -ENOMEM;
    *made = class_->ops;
    k42_result result = 0;
    if (class_->init_rep)
        result = class_->init_rep(root, made, cluster * cluster_size(root));
    if (result < 0) {
        k42_platform_free(made);
        return result;
    }
    /* Pairs with k42_each_rep(), which looks without the lock. */
    k42_store_release(rep, (void *)made);
    return 0;
}

static k42_result clustered_find(struct k42_root *base, uint32_t cpu, void **rep) {
    struct k42_clustered_root *root = (struct k42_clustered_root *)base;
    uint32_t cluster = cpu / cluster_size(base);
    k42_result result = 0;
    k42_lock(lock_of(root));
    void **found = place(root, cluster);
    if (!found)
        result = -ENOMEM;
    else if (!*found)
        result = rep_make(base, cluster, found);
    if (!result)
        *rep = *found;
    k42_unlock(lock_of(root));
    return result;
}

void k42_each_rep(struct k42_clustered_root *root,
                  void (*visit)(void *rep, unsigned first_cpu, void *context), void *context) {
    uint32_t size = cluster_size(&root->root);
    for (uint32_t chunk = 0;; chunk++) {
        k42_lock(lock_of(root));
        void **reps = chunk < root->chunks ? root->reps[chunk] : NULL;
        bool end = chunk >= root->chunks;
        k42_unlock(lock_of(root));
        if (end)
            return;
        /* Chunks do not move and representatives stay until the end: no lock over the visits. */
        for (uint32_t i = 0; reps && i < CHUNK; i++) {
            void *rep = k42_load_acquire(&reps[i]);
            if (rep)
                visit(rep, (chunk * CHUNK + i) * size, context);
        }
    }
}

static void rep_end(void *rep, unsigned first_cpu, void *context) {
    struct k42_root *root = context;
    if (root->class_->fini_rep)
        root->class_->fini_rep(root, rep, first_cpu);
    k42_platform_free(rep);
}

static void clustered_end(struct k42_root *base) {
    struct k42_clustered_root *root = (struct k42_clustered_root *)base;
    k42_each_rep(root, rep_end, base);
    if (base->class_->fini)
        base->class_->fini(base);
    for (uint32_t i = 0; i < root->chunks; i++)
        k42_platform_free(root->reps[i]);
    k42_platform_free(root->reps);
    k42_platform_free(base);
}

const struct k42_root_kind k42_clustered = {"clustered", clustered_find, clustered_end};
