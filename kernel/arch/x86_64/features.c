/*
 * What the processor can do, by CPUID, less what the command line switches off with no-NAME.
 *
 * Found once by the boot CPU; every CPU then switches on the same things. The machine is assumed
 * to have CPUs of one kind.
 */
#include "../../kernel.h"
#include "../../print.h"
#include "cpu.h"
#include "runtime.h"
#include "user.h"
#include "user_pages.h"

#define CR4_DE         (1ul << 3)
#define CR4_MCE        (1ul << 6)
#define CR4_PGE        (1ul << 7)
#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP       (1ul << 11)
#define CR4_FSGSBASE   (1ul << 16)
#define CR4_PCIDE      (1ul << 17)
#define CR4_SMEP       (1ul << 20)
#define CR4_SMAP       (1ul << 21)

#define CR0_TS (1ul << 3)
#define CR0_AM (1ul << 18)
#define CLAC   0xca /* the last of three bytes */
#define STAC   0xcb

struct features features;

/* Where the flag that lifts SMAP is set and cleared (access.inc). */
extern uint8_t *const access_on_begin[], *const access_on_end[];
extern uint8_t *const access_off_begin[], *const access_off_end[];

static bool wanted(const char *off_switch, uint32_t found) {
    return found && !boot_option_set(off_switch);
}

static void fill_in(uint8_t *const *site, uint8_t *const *end, uint8_t last) {
    for (; site < end; site++) {
        (*site)[0] = 0x0f;
        (*site)[1] = 0x01;
        (*site)[2] = last;
    }
}

void features_find(void) {
    uint32_t leaves = cpuid(0, 0).eax, extended = cpuid(0x80000000, 0).eax;
    struct cpuid basic = cpuid(1, 0), none = {0};
    struct cpuid more = leaves >= 7 ? cpuid(7, 0) : none;
    struct cpuid wide = extended >= 0x80000001 ? cpuid(0x80000001, 0) : none;
    struct cpuid power = extended >= 0x80000007 ? cpuid(0x80000007, 0) : none;
    features = (struct features){
        .nx = wanted("no-nx", wide.edx & 1u << 20),
        .smep = wanted("no-smep", more.ebx & 1u << 7),
        .smap = wanted("no-smap", more.ebx & 1u << 20),
        .umip = wanted("no-umip", more.ecx & 1u << 2),
        .fsgsbase = wanted("no-fsgsbase", more.ebx & 1u << 0),
        .pcid = wanted("no-pcid", basic.ecx & 1u << 17),
        .x2apic = wanted("no-x2apic", basic.ecx & 1u << 21),
        .tsc_deadline = wanted("no-tsc-deadline", basic.ecx & 1u << 24),
        .huge_pages = wanted("no-huge-pages", wide.edx & 1u << 26),
        .xsave = wanted("no-xsave", basic.ecx & 1u << 26),
        .steady_tsc = power.edx & 1u << 8,
    };
    string_moves = wanted("no-string-moves", more.ebx & 1u << 9);
    user_state_find();
    user_entry_nx = features.nx ? ENTRY_NX : 0;
    if (features.smap) {
        fill_in(access_on_begin, access_on_end, STAC);
        fill_in(access_off_begin, access_off_end, CLAC);
    }
}

void features_enable(void) {
    uint64_t cr4 = read_cr4() | CR4_DE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    cr4 |= features.smep ? CR4_SMEP : 0;
    cr4 |= features.smap ? CR4_SMAP : 0;
    cr4 |= features.umip ? CR4_UMIP : 0;
    cr4 |= features.fsgsbase ? CR4_FSGSBASE : 0;
    cr4 |= features.pcid ? CR4_PCIDE : 0;
    if (features.nx)
        msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_NXE);
    write_cr4(cr4);
    write_cr0((read_cr0() & ~CR0_TS) | CR0_AM);
    user_state_enable();
}

bool user_has(enum user_protection protection) {
    switch (protection) {
    case USER_HAS_NX:
        return features.nx;
    case USER_HAS_SMEP:
        return features.smep;
    case USER_HAS_SMAP:
        return features.smap;
    case USER_HAS_UMIP:
        return features.umip;
    }
    return false;
}

void boot_print_machine(void) {
    const struct {
        const char *name;
        bool on;
    } named[] = {
        {"nx", features.nx},
        {"smep", features.smep},
        {"smap", features.smap},
        {"umip", features.umip},
        {"fsgsbase", features.fsgsbase},
        {"pcid", features.pcid},
        {"x2apic", features.x2apic},
        {"tsc-deadline", features.tsc_deadline},
        {"huge-pages", features.huge_pages},
        {"xsave", features.xsave},
        {"steady-tsc", features.steady_tsc},
        {"string-moves", string_moves},
    };
    char line[256];
    uint64_t ram = 0;
    for (unsigned i = 0; i < ram_range_count; i++)
        ram += ram_ranges[i].size;
    size_t used = k42_format_text(line, sizeof line, "machine: %u CPUs, %lu MiB, clock %lu MHz",
                                  cpu_count(), ram >> 20, clock_rate() / 1000000);
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (named[i].on)
            used += k42_format_text(line + used, sizeof line - used, ", %s", named[i].name);
    print_line(line);
}
