/*
 * Stands in for the platform and the runtime below the kernel's sources that fuzzers read with.
 */
#include <stdlib.h>

struct k42_module;

void k42_module_register(struct k42_module *module);
void k42_platform_log(const char *line);
_Noreturn void k42_platform_panic(const char *line);

/* Including the runtime's headers makes a program a module; nobody asks for it. */
void k42_module_register(struct k42_module *module) {
    (void)module;
}

/* Nothing here speaks. */
void k42_platform_log(const char *line) {
    (void)line;
}

void k42_platform_panic(const char *line) {
    (void)line;
    abort();
}
