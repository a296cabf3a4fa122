/*
 * /proc/cpuinfo: what the processor says of itself, under the names that Linux gives its features.
 *
 * All processors are taken to be as the one that answers. Nothing here has state or can fail.
 */
#include "../../arch/x86_64/arch.h"
#include "../../arch/x86_64/ports.h"
#include "../../fs/values.h"
#include "proc.h"

enum { EAX, EBX, ECX, EDX, REGISTERS };

/* Names of a register's bits from bit 0 on, each followed by a blank; `-` where there is none. */
struct feature_names {
    uint32_t leaf, subleaf;
    unsigned in;
    const char *names;
};

static const struct feature_names features[] = {
    {1, 0, EDX,
     "fpu vme de pse tsc msr pae mce cx8 apic - sep mtrr pge mca cmov pat pse36 pn clflush - dts "
     "acpi mmx fxsr sse sse2 ss ht tm - pbe "},
    {0x80000001, 0, EDX,
     "- - - - - - - - - - - syscall - - - - - - - mp nx - mmxext - - fxsr_opt pdpe1gb rdtscp - lm "
     "3dnowext 3dnow "},
    {1, 0, ECX,
     "pni pclmulqdq dtes64 monitor ds_cpl vmx smx est tm2 ssse3 cid sdbg fma cx16 xtpr pdcm - pcid "
     "dca sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave - avx f16c rdrand "
     "hypervisor "},
    {0x80000001, 0, ECX,
     "lahf_lm cmp_legacy svm extapic cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw ibs xop "
     "skinit wdt - lwp fma4 tce - nodeid_msr - tbm topoext "},
    {7, 0, EBX,
     "fsgsbase tsc_adjust - bmi1 hle avx2 - smep bmi2 erms invpcid rtm - - mpx - avx512f avx512dq "
     "rdseed adx smap avx512ifma - clflushopt clwb - avx512pf avx512er avx512cd sha_ni avx512bw "
     "avx512vl "},
    {7, 0, ECX,
     "- avx512vbmi umip pku ospke waitpkg avx512_vbmi2 - gfni vaes vpclmulqdq avx512_vnni "
     "avx512_bitalg - avx512_vpopcntdq - la57 - - - - - rdpid "},
    {7, 0, EDX, "- - - - fsrm "},
    {0xd, 1, EAX, "xsaveopt xsavec xgetbv1 xsaves "},
};

static uint32_t register_of(struct cpuid id, unsigned which) {
    const uint32_t values[REGISTERS] = {id.eax, id.ebx, id.ecx, id.edx};
    return values[which];
}

static bool has_leaf(uint32_t leaf) {
    return leaf <= cpuid(leaf & 0x80000000, 0).eax;
}

static void print_features(struct proc_text *text, const struct feature_names *feature) {
    if (!has_leaf(feature->leaf))
        return;
    uint32_t bits = register_of(cpuid(feature->leaf, feature->subleaf), feature->in);
    const char *name = feature->names;
    for (; *name; bits >>= 1) {
        size_t length = 0;
        while (name[length] != ' ')
            length++;
        if ((bits & 1) && *name != '-') {
            proc_put(text, " ", 1);
            proc_put(text, name, length);
        }
        name += length + 1;
    }
}

static void print_registers(struct proc_text *text, const uint32_t *registers, unsigned count) {
    for (unsigned i = 0; i < count * sizeof *registers; i++) {
        char letter = (char)(registers[i / 4] >> i % 4 * 8);
        if (letter)
            proc_put(text, &letter, 1);
    }
}

static void print_names(struct proc_text *text) {
    struct cpuid id = cpuid(0, 0);
    const uint32_t vendor[] = {id.ebx, id.edx, id.ecx};
    proc_print(text, "vendor_id\t: ");
    print_registers(text, vendor, 3);
    uint32_t version = cpuid(1, 0).eax, family = version >> 8 & 15, model = version >> 4 & 15;
    if (family == 6 || family == 15)
        model |= version >> 12 & 0xf0;
    if (family == 15)
        family += version >> 20 & 0xff;
    proc_print(text, "\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: ", family, model);
    for (uint32_t leaf = 0x80000002; leaf <= 0x80000004 && has_leaf(leaf); leaf++) {
        id = cpuid(leaf, 0);
        const uint32_t part[] = {id.eax, id.ebx, id.ecx, id.edx};
        print_registers(text, part, 4);
    }
    proc_print(text, "\nstepping\t: %u\n", version & 15);
}

static void print_sizes(struct proc_text *text) {
    uint32_t sizes = has_leaf(0x80000008) ? cpuid(0x80000008, 0).eax : 36 | 48 << 8;
    uint32_t line = (cpuid(1, 0).ebx >> 8 & 0xff) * 8;
    proc_print(text, "clflush size\t: %u\ncache_alignment\t: %u\n", line, line);
    proc_print(text, "address sizes\t: %u bits physical, %u bits virtual\n", sizes & 0xff,
               sizes >> 8 & 0xff);
}

k42_result proc_print_cpuinfo(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    for (unsigned i = 0; i < cpu_count(); i++) {
        proc_print(text, "processor\t: %u\n", i);
        print_names(text);
        proc_print(text,
                   "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n"
                   "apicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\n"
                   "cpuid level\t: %u\nwp\t\t: yes\nflags\t\t:",
                   cpu_count(), i, cpu_count(), cpu_apic_id(i), cpu_apic_id(i), cpuid(0, 0).eax);
        for (unsigned n = 0; n < sizeof features / sizeof *features; n++)
            print_features(text, &features[n]);
        proc_print(text, "\n");
        print_sizes(text);
        proc_print(text, "\n");
    }
    return 0;
}
