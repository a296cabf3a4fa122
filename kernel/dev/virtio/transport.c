/*
 * Virtio over PCI: where a device's registers are, the order in which driver and device agree, and
 * how a queue's end is connected to an interrupt.
 *
 * The four structures are found through capabilities, each of which names a BAR, an offset and a
 * length; what lies outside its BAR is not there. Every wait for the device has an end.
 *
 * Owns: nothing but the queues' memory. The registers of one queue are behind a selector, so
 * queues are opened by one thread.
 */
#include "virtio.h"

#include "../../arch/x86_64/arch.h"
#include "../../print.h"
#include "../dma.h"
#include "runtime.h"

/* Common registers (virtio 1.2, 4.1.4.3). */
struct virtio_registers {
    uint32_t device_feature_select, device_feature;
    uint32_t driver_feature_select, driver_feature;
    uint16_t config_vector, queues;
    uint8_t status, generation;
    uint16_t queue_select, queue_size, queue_vector, queue_enable, queue_notice;
    uint32_t descriptors[2], available[2], used[2];
};
_Static_assert(sizeof(struct virtio_registers) == 56, "as the device lays them out");

enum {
    ACKNOWLEDGE = 1,
    DRIVER = 2,
    DRIVER_OK = 4,
    FEATURES_OK = 8,
    NEEDS_RESET = 64,
    FAILED = 128
};

/* A capability: its kind, BAR, offset, length, and for notices the unit. */
enum { CAP_KIND = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_UNIT = 16 };
enum { KIND_COMMON = 1, KIND_NOTICES = 2, KIND_CONFIG = 4 };

#define CAPABILITIES_MAX   48u
#define CONFIG_MAX         4096u
#define NOTICES_MAX        (1u << 20)
#define RESET_NS           1000000000ul
#define READS_MAX          100u /* of a configuration that keeps changing */
#define CONFIG_VECTOR      0u
#define FIRST_QUEUE_VECTOR 1u

unsigned virtio_kind(const struct pci_function *function) {
    if (function->vendor != VIRTIO_VENDOR || function->device < VIRTIO_FIRST ||
        function->device > VIRTIO_LAST)
        return 0;
    if (function->device >= VIRTIO_MODERN)
        return function->device - VIRTIO_MODERN;
    return function->subsystem;
}

/* ---- finding the registers ---- */

struct part {
    unsigned at; /* of its capability; 0: not found */
    uint32_t bytes;
};

/* The first capability of a kind that is long enough; devices may offer several. */
static struct part find_part(const struct pci_function *function, unsigned kind, uint32_t least) {
    for (unsigned n = 0; n < CAPABILITIES_MAX; n++) {
        unsigned at = pci_capability(function, PCI_CAP_VENDOR, n);
        if (!at)
            break;
        uint32_t bytes = pci_config_read(function->at, at + CAP_LENGTH, 4);
        if (pci_config_read(function->at, at + CAP_KIND, 1) == kind && bytes >= least)
            return (struct part){at, bytes};
    }
    return (struct part){0};
}

static volatile void *map_part(const struct pci_function *function, unsigned kind, uint32_t least,
                               uint32_t most, struct part *part) {
    *part = find_part(function, kind, least);
    if (!part->at)
        return NULL;
    if (part->bytes > most)
        part->bytes = most;
    return pci_map(function, pci_config_read(function->at, part->at + CAP_BAR, 1),
                   pci_config_read(function->at, part->at + CAP_OFFSET, 4), part->bytes);
}

static int find_registers(struct virtio_device *device) {
    const struct pci_function *function = &device->function;
    struct part part;
    device->registers = map_part(function, KIND_COMMON, sizeof *device->registers,
                                 sizeof *device->registers, &part);
    device->notices = map_part(function, KIND_NOTICES, 2, NOTICES_MAX, &part);
    device->notices_bytes = part.bytes;
    if (!device->registers || !device->notices)
        return -ENODEV;
    device->notice_unit = pci_config_read(function->at, part.at + CAP_UNIT, 4);
    device->config = map_part(function, KIND_CONFIG, 1, CONFIG_MAX, &part);
    device->config_bytes = device->config ? part.bytes : 0;
    return 0;
}

/* ---- agreeing ---- */

static void add_status(struct virtio_device *device, uint8_t bits) {
    device->registers->status = device->registers->status | bits;
}

static int reset_and_wait(struct virtio_device *device) {
    device->registers->status = 0;
    for (uint64_t end = time_ns() + RESET_NS; device->registers->status != 0;)
        if (time_ns() > end)
            return -EIO;
    return 0;
}

static uint64_t offered_features(struct virtio_device *device) {
    uint64_t features = 0;
    for (uint32_t half = 0; half < 2; half++) {
        device->registers->device_feature_select = half;
        features |= (uint64_t)device->registers->device_feature << (32 * half);
    }
    return features;
}

static int agree(struct virtio_device *device, uint64_t wanted) {
    uint64_t general = VIRTIO_F_INDIRECT | VIRTIO_F_EVENT | VIRTIO_F_VERSION_1 | VIRTIO_F_PLATFORM |
                       VIRTIO_F_ORDER;
    add_status(device, ACKNOWLEDGE);
    add_status(device, DRIVER);
    device->features = offered_features(device) & (wanted | general);
    if (!(device->features & VIRTIO_F_VERSION_1))
        return -ENODEV;
    for (uint32_t half = 0; half < 2; half++) {
        device->registers->driver_feature_select = half;
        device->registers->driver_feature = (uint32_t)(device->features >> (32 * half));
    }
    add_status(device, FEATURES_OK);
    return device->registers->status & FEATURES_OK ? 0 : -EIO;
}

int virtio_open(const struct pci_function *function, uint64_t wanted,
                struct virtio_device *device) {
    *device = (struct virtio_device){.function = *function};
    pci_name(function->at, device->name);
    int error = find_registers(device);
    if (error)
        return error;
    pci_enable(function);
    error = reset_and_wait(device);
    if (!error)
        error = agree(device, wanted);
    if (!error) {
        int count =
            pci_interrupts_open(function, device->registers->queues + 1u, &device->interrupts);
        device->interrupt_count = count > 0 ? (unsigned)count : 0;
        error = count < 0 ? count : count < 2 ? -ENOTSUP : 0;
    }
    if (error)
        virtio_close(device);
    return error;
}

static unsigned virtio_queue_count(const struct virtio_device *device) {
    return device->registers->queues;
}

int virtio_watch(struct virtio_device *device, void (*fn)(void *), void *argument) {
    int error = pci_interrupt(device->interrupts, CONFIG_VECTOR, 0, fn, argument);
    if (error)
        return error;
    device->registers->config_vector = CONFIG_VECTOR;
    return device->registers->config_vector == CONFIG_VECTOR ? 0 : -EIO;
}

int virtio_ready(struct virtio_device *device) {
    add_status(device, DRIVER_OK);
    return virtio_needs_reset(device) ? -EIO : 0;
}

void virtio_reset(struct virtio_device *device) {
    if (reset_and_wait(device)) {
        print("virtio %s: does not answer to a reset; it is taken off the bus", device->name);
        pci_disable(&device->function);
    }
}

void virtio_close(struct virtio_device *device) {
    virtio_reset(device);
    pci_disable(&device->function);
    if (device->interrupts)
        pci_interrupts_close(device->interrupts);
    device->interrupts = NULL;
}

bool virtio_needs_reset(const struct virtio_device *device) {
    return device->registers->status & NEEDS_RESET;
}

/* ---- queues ---- */

/* Interrupt context. */
static void queue_interrupt(void *argument) {
    for (struct virtio_queue *queue = argument; queue; queue = k42_load_acquire(&queue->beside)) {
        queue->interrupts++;
        work_raise(&queue->work);
    }
}

static void run_reap(struct work *work) {
    struct virtio_queue *queue = k42_container(work, struct virtio_queue, work);
    queue->reap(queue);
}

/* In two halves, as every device takes them. */
static void write_address(volatile uint32_t halves[2], uint64_t address) {
    halves[0] = (uint32_t)address;
    halves[1] = (uint32_t)(address >> 32);
}

static unsigned power_below(unsigned value) {
    unsigned power = 1;
    while (power * 2 <= value)
        power *= 2;
    return power;
}

static int make_ring(struct virtio_device *device, struct virtio_queue *queue, unsigned size,
                     unsigned table_pieces) {
    uint64_t physical;
    if (!(device->features & VIRTIO_F_INDIRECT))
        table_pieces = 0;
    queue->shared = dma_allocate(ring_shared_bytes(size, table_pieces), &physical);
    queue->own = k42_platform_alloc(ring_own_bytes(size));
    if (!queue->shared || !queue->own)
        return -ENOMEM;
    ring_open(&queue->ring, size, table_pieces, device->features & VIRTIO_F_EVENT, queue->shared,
              physical, queue->own);
    return 0;
}

static struct virtio_queue *first_with(struct virtio_device *device, uint16_t vector) {
    struct virtio_queue *queue = device->queues;
    while (queue && queue->vector != vector)
        queue = queue->opened_before;
    return queue && queue->beside_of ? queue->beside_of : queue;
}

/* Each queue has a vector of its own as far as there are enough; then they share. */
static int connect_interrupt(struct virtio_device *device, struct virtio_queue *queue,
                             uint32_t cpu) {
    uint16_t vector =
        (uint16_t)(FIRST_QUEUE_VECTOR + device->queues_opened++ % (device->interrupt_count - 1));
    struct virtio_queue *first = first_with(device, vector);
    if (first) {
        queue->beside_of = first;
        queue->beside = first->beside;
        k42_store_release(&first->beside, queue);
    } else {
        int error = pci_interrupt(device->interrupts, vector, cpu, queue_interrupt, queue);
        if (error)
            return error;
    }
    queue->vector = vector;
    queue->opened_before = device->queues;
    device->queues = queue;
    device->registers->queue_vector = vector;
    return device->registers->queue_vector == vector ? 0 : -EIO;
}

static int fill_in(struct virtio_device *device, struct virtio_queue *queue, unsigned most,
                   unsigned table_pieces, uint32_t cpu) {
    volatile struct virtio_registers *registers = device->registers;
    registers->queue_select = queue->number;
    unsigned offered = registers->queue_size;
    if (!offered)
        return -ENODEV;
    unsigned size = power_below(offered < most ? offered : most);
    uint64_t notice = (uint64_t)registers->queue_notice * device->notice_unit;
    if (notice + sizeof(uint16_t) > device->notices_bytes)
        return -EIO;
    queue->notice = (volatile uint16_t *)(volatile void *)(device->notices + notice);
    int error = make_ring(device, queue, size, table_pieces);
    if (error)
        return error;
    error = connect_interrupt(device, queue, cpu);
    if (error)
        return error;
    registers->queue_size = (uint16_t)size;
    write_address(registers->descriptors, ring_descriptors_at(&queue->ring));
    write_address(registers->available, ring_available_at(&queue->ring));
    write_address(registers->used, ring_used_at(&queue->ring));
    registers->queue_enable = 1;
    return 0;
}

int virtio_queue_open(struct virtio_device *device, struct virtio_queue *queue, unsigned number,
                      unsigned most, unsigned table_pieces, uint32_t cpu,
                      void (*reap)(struct virtio_queue *queue)) {
    *queue = (struct virtio_queue){.device = device, .number = (uint16_t)number, .reap = reap};
    work_init(&queue->work, cpu, run_reap);
    if (number >= virtio_queue_count(device))
        return -ENODEV;
    int error = fill_in(device, queue, most, table_pieces, cpu);
    if (error)
        virtio_queue_close(queue);
    return error;
}

void virtio_queue_close(struct virtio_queue *queue) {
    dma_free(queue->shared);
    k42_platform_free(queue->own);
    queue->shared = queue->own = NULL;
}

void virtio_kick(struct virtio_queue *queue) {
    if (!ring_publish(&queue->ring))
        return;
    queue->notices++;
    *queue->notice = queue->number;
}

/* ---- the device's own configuration ---- */

uint32_t virtio_config_read(const struct virtio_device *device, unsigned offset, unsigned width) {
    if (offset > device->config_bytes || width > device->config_bytes - offset)
        return 0;
    if (width == 1)
        return device->config[offset];
    if (width == 2)
        return *(volatile uint16_t *)(volatile void *)(device->config + offset);
    return *(volatile uint32_t *)(volatile void *)(device->config + offset);
}

/* Until the configuration did not change while it was read, or it does nothing else. */
static bool changed_since(const struct virtio_device *device, uint8_t *generation,
                          unsigned *reads) {
    uint8_t now = device->registers->generation;
    bool again = (*reads == 0 || now != *generation) && *reads < READS_MAX;
    *generation = now;
    ++*reads;
    return again;
}

uint64_t virtio_config_read64(const struct virtio_device *device, unsigned offset) {
    uint64_t value = 0;
    uint8_t generation = 0;
    for (unsigned reads = 0; changed_since(device, &generation, &reads);)
        value = virtio_config_read(device, offset, 4) |
                (uint64_t)virtio_config_read(device, offset + 4, 4) << 32;
    return value;
}

void virtio_config_bytes(const struct virtio_device *device, unsigned offset, void *bytes,
                         unsigned count) {
    uint8_t generation = 0;
    for (unsigned reads = 0; changed_since(device, &generation, &reads);)
        for (unsigned i = 0; i < count; i++)
            ((uint8_t *)bytes)[i] = (uint8_t)virtio_config_read(device, offset + i, 1);
}
