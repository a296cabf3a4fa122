/*
 * What the loader handed over, PVH's start-of-day structure or Multiboot2's list, read once into
 * the kernel's own memory: ranges of RAM, modules, the command line, where ACPI's tables are.
 *
 * Runs on the boot tables, which reach the first 4 GiB; loaders put all of this below that.
 */
#include "boot_info.h"
#include "../../print.h"
#include "cpu.h"

#define RSDP_BYTES      36
#define MULTIBOOT_MAGIC 0x36d76289

struct boot_module boot_modules[BOOT_MODULES_MAX];
unsigned boot_module_count;
uint64_t boot_rsdp;
static char command_line[COMMAND_LINE_SIZE];

static void copy_command_line(const char *from) {
    size_t i = 0;
    for (; from[i] && i + 1 < sizeof command_line; i++)
        command_line[i] = from[i];
    command_line[i] = 0;
}

static void add_module(uint64_t base, uint64_t size) {
    if (boot_module_count == BOOT_MODULES_MAX) {
        print("boot: more than %d modules; the one at 0x%lx is ignored", BOOT_MODULES_MAX, base);
        return;
    }
    boot_modules[boot_module_count++] = (struct boot_module){base, size};
}

static void read_pvh(const struct pvh_info *info) {
    if (info->magic != PVH_MAGIC || info->version < 1)
        panic("boot: the loader's PVH information has magic 0x%x and version %u; version 1 or "
              "later is needed, for its map of memory",
              info->magic, info->version);
    if (info->command_line_at)
        copy_command_line(phys_to_virt(info->command_line_at));
    boot_rsdp = info->rsdp;
    const struct pvh_memory *memory = phys_to_virt(info->memory_at);
    for (uint32_t i = 0; i < info->memory_entries; i++)
        memory_map_add(memory[i].base, memory[i].size, memory[i].type == PVH_RAM);
    const struct pvh_module *module = phys_to_virt(info->modules_at);
    for (uint32_t i = 0; i < info->modules; i++)
        add_module(module[i].base, module[i].size);
}

/* Tags of Multiboot2's list, each aligned to eight bytes. */
struct tag {
    uint32_t type, size;
};

enum {
    TAG_END = 0,
    TAG_COMMAND_LINE = 1,
    TAG_MODULE = 3,
    TAG_MEMORY = 6,
    TAG_RSDP_1 = 14,
    TAG_RSDP_2 = 15,
    TAG_EFI_MEMORY = 17,
};

/* Types of UEFI's map that are nobody's once its boot services have ended. */
enum {
    EFI_LOADER_CODE = 1,
    EFI_BOOT_DATA = 4, /* and what is between them */
    EFI_FREE = 7,
};

struct module_tag {
    struct tag tag;
    uint32_t begin, end;
};

struct memory_tag {
    struct tag tag;
    uint32_t entry_size, version;
    char entries[];
};

static void read_memory_tag(const struct memory_tag *tag) {
    size_t bytes = tag->tag.size - sizeof *tag;
    for (size_t at = 0; at + sizeof(struct pvh_memory) <= bytes; at += tag->entry_size) {
        const struct pvh_memory *memory = (const void *)(tag->entries + at);
        memory_map_add(memory->base, memory->size, memory->type == PVH_RAM);
        if (!tag->entry_size)
            return;
    }
}

struct efi_memory {
    uint32_t type, unused;
    uint64_t base, virtual, pages, attributes;
};

/* Laid out like the other map. It tells neighbours of different types apart, which are one here. */
static void read_efi_tag(const struct memory_tag *tag) {
    size_t bytes = tag->tag.size - sizeof *tag;
    uint64_t begin = 0, end = 0;
    for (size_t at = 0; tag->entry_size && at + sizeof(struct efi_memory) <= bytes;
         at += tag->entry_size) {
        const struct efi_memory *memory = (const void *)(tag->entries + at);
        if ((memory->type < EFI_LOADER_CODE || memory->type > EFI_BOOT_DATA) &&
            memory->type != EFI_FREE)
            continue;
        if (memory->base != end) {
            memory_map_add(begin, end - begin, true);
            begin = memory->base;
        }
        end = memory->base + memory->pages * FRAME_SIZE;
    }
    memory_map_add(begin, end - begin, true);
}

static const struct tag *next_tag(const struct tag *tag) {
    return (const void *)((const char *)tag + ((tag->size + 7) & ~7u));
}

static const struct tag *find_tag(const void *list, uint32_t type) {
    const struct tag *tag = (const void *)((const char *)list + 8);
    while (tag->type != type && tag->type != TAG_END)
        tag = next_tag(tag);
    return tag->type == type ? tag : NULL;
}

static void read_multiboot(const void *list) {
    const struct tag *efi = find_tag(list, TAG_EFI_MEMORY);
    const struct tag *rsdp = find_tag(list, TAG_RSDP_2);
    if (!rsdp)
        rsdp = find_tag(list, TAG_RSDP_1);
    boot_rsdp = rsdp ? virt_to_phys(rsdp + 1) : 0;
    /* UEFI's own map, where there is one: loaders make the other from it. */
    if (efi)
        read_efi_tag((const void *)efi);
    for (const struct tag *tag = (const void *)((const char *)list + 8); tag->type != TAG_END;
         tag = next_tag(tag)) {
        const struct module_tag *module = (const void *)tag;
        switch (tag->type) {
        case TAG_COMMAND_LINE:
            copy_command_line((const char *)(tag + 1));
            break;
        case TAG_MODULE:
            add_module(module->begin, module->end - module->begin);
            break;
        case TAG_MEMORY:
            if (!efi)
                read_memory_tag((const void *)tag);
            break;
        }
    }
}

void boot_info_read(uint32_t magic, uint32_t information) {
    if (magic == MULTIBOOT_MAGIC) {
        read_multiboot(phys_to_virt(information));
        /* A copy of ACPI's RSDP lies inside; the list begins with its size. */
        memory_map_take(information, *(const uint32_t *)phys_to_virt(information));
    } else {
        read_pvh(phys_to_virt(information));
        /* Everything was copied but this, which may lie in memory that is handed out next. */
        if (boot_rsdp)
            memory_map_take(boot_rsdp, RSDP_BYTES);
    }
    for (unsigned i = 0; i < boot_module_count; i++)
        memory_map_take(boot_modules[i].base, boot_modules[i].size);
}

/* The length of `name` when `word` is NAME or begins with NAME=, else 0. */
static size_t named(const char *word, const char *name) {
    size_t i = 0;
    while (name[i] && word[i] == name[i])
        i++;
    bool ended = !word[i] || word[i] == ' ' || word[i] == '=';
    return !name[i] && ended ? i : 0;
}

bool boot_option(const char *name, char *value, size_t size) {
    const char *at = command_line;
    while (*at) {
        size_t length = named(at, name);
        if (length) {
            at += length + (at[length] == '=');
            size_t i = 0;
            for (; i + 1 < size && at[i] && at[i] != ' '; i++)
                value[i] = at[i];
            value[i] = 0;
            return true;
        }
        while (*at && *at != ' ')
            at++;
        while (*at == ' ')
            at++;
    }
    return false;
}

const char *boot_options(void) {
    return command_line;
}

bool boot_option_set(const char *name) {
    char value[2];
    return boot_option(name, value, sizeof value);
}
