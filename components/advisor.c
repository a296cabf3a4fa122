/*
 * An advisor: watches how many threads wait for a CPU, and chooses the policy of turns by that.
 *
 * While more threads wait on a CPU than are likely to be somebody's who types, long turns get more
 * done; as soon as it is quiet again, fairness counts. Each CPU is judged by itself. A choice must
 * have looked right for some time before it is made (hysteresis), and one that was held up is tried
 * again.
 *
 *     k42ctl load run_queue_batch.k42        it chooses what is there: without, nothing happens
 *     k42ctl load advisor.k42
 *
 * It works in a thread of its own, which the component's ledger ends when it is unloaded. Every
 * decision is an event and a line on the log, with its reason.
 */
#include <k42/kernel.h>

#define LOOK_NS   50000000
#define CROWD     4 /* waiting threads, on one CPU */
#define LOOKS     4 /* in a row, before something is done */
#define CPUS_MOST 256u

static const char busy_class[] = "run_queue.batch", quiet_class[] = "run_queue.fair";

K42_TRACE_EVENT(advice, "advisor:decision", (u32, object), (string, to), (u32, waiting),
                (i64, result));

/* What is known of a run queue, found again by its number. */
struct watched {
    k42_id id;
    uint32_t crowded, quiet; /* looks in a row */
    uint32_t waiting;
    bool batch;
    bool asked; /* a swap is under way, which has the request until it is done */
    struct k42_swap swap;
};

static struct watched watched[CPUS_MOST];
static uint32_t count;

static struct watched *find(k42_id id) {
    for (uint32_t i = 0; i < count; i++)
        if (watched[i].id == id)
            return &watched[i];
    if (count == CPUS_MOST)
        return NULL;
    watched[count] = (struct watched){.id = id};
    return &watched[count++];
}

/* Only those of the two classes: what else somebody has chosen is his to change. */
static long look(const struct k42_object_info *info, void *context) {
    bool batch = k42_text_equal(info->class_name, busy_class);
    (void)context;
    if (!batch && !k42_text_equal(info->class_name, quiet_class))
        return 0;
    struct watched *one = find(info->id);
    k42_enter();
    k42_result waiting = k42_call((run_queue_ref)k42_id_ref(info->id), count);
    k42_exit();
    if (!one || waiting < 0)
        return 0;
    one->waiting = (uint32_t)waiting;
    one->batch = batch;
    one->crowded = waiting >= CROWD ? one->crowded + 1 : 0;
    one->quiet = waiting < CROWD / 2 ? one->quiet + 1 : 0;
    return 0;
}

/* In the runtime's own thread. */
static void done(struct k42_swap *swap) {
    struct watched *one = swap->context;
    K42_TRACE(advice, one->id, swap->to->name, one->waiting, swap->report.result);
    print("advisor: run queue %u, where %u wait: %s", one->id, one->waiting, swap->report.text);
    __atomic_store_n(&one->asked, false, __ATOMIC_RELEASE);
}

/* Being active keeps the class from being unloaded until the swap is asked for. */
static void decide(struct watched *one) {
    if (__atomic_load_n(&one->asked, __ATOMIC_ACQUIRE) ||
        (one->batch ? one->quiet : one->crowded) < LOOKS)
        return;
    k42_enter();
    struct k42_class *to = k42_class_find(one->batch ? quiet_class : busy_class);
    one->crowded = one->quiet = 0;
    one->swap =
        (struct k42_swap){.ref = k42_id_ref(one->id), .to = to, .done = done, .context = one};
    if (to) {
        one->asked = true;
        (void)!k42_swap_submit(&one->swap);
    }
    k42_exit();
}

static void advise(void *context) {
    (void)context;
    while (!k42_thread_should_stop()) {
        (void)k42_each_object(&run_queue_interface, look, NULL);
        for (uint32_t i = 0; i < count; i++)
            decide(&watched[i]);
        k42_thread_sleep(LOOK_NS);
    }
}

static long start(void) {
    return k42_thread_start("advisor", advise, NULL) ? 0 : -ENOMEM;
}

K42_COMPONENT("advisor");
K42_COMPONENT_STARTS(start, NULL);
