/*
 * The C source of a header's interfaces: names of methods, signatures, descriptors.
 *
 * It includes the header, so that the compiler checks that both agree on how many methods there
 * are and on the descriptor's declaration.
 */
#include "interface.h"

#include <string.h>

static void emit_names(FILE *output, const struct interface *interface) {
    fprintf(output, "static const char *const %s_method_names[] = {\n", interface->name);
    for (size_t i = 0; i < interface->method_count; i++)
        fprintf(output, "    \"%s\",\n", interface->methods[i].name);
    fprintf(output, "};\n\n");
}

static void emit_signatures(FILE *output, struct header *header,
                            const struct interface *interface) {
    fprintf(output, "K42_EXPORT extern const char *const %s_signatures[];\n", interface->name);
    fprintf(output, "const char *const %s_signatures[] = {\n", interface->name);
    for (size_t i = 0; i < interface->method_count; i++)
        fprintf(output, "    \"%s\",\n", signature_text(header, &interface->methods[i]));
    fprintf(output, "};\n\n");
}

static void emit_descriptor(FILE *output, const struct interface *interface) {
    fprintf(output, "const struct k42_interface %s_interface = {\n", interface->name);
    fprintf(output, "    .name = \"%s\",\n", interface->name);
    fprintf(output, "    .version = %u,\n", interface_version(interface));
    fprintf(output, "    .methods = %zu,\n", interface->method_count);
    if (interface_is_atomic(interface))
        fprintf(output, "    .flags = K42_INTERFACE_ATOMIC,\n");
    fprintf(output, "    .method_names = %s_method_names,\n};\n", interface->name);
}

void emit_c(FILE *output, struct header *header) {
    fprintf(output, "/* Written by stubgen from %s; edit that instead. */\n", header->include);
    fprintf(output, "#include %s\n\n#include <k42/object.h>\n", header->include);
    for (size_t i = 0; i < header->interface_count; i++) {
        const struct interface *interface = &header->interfaces[i];
        fprintf(output, "\n_Static_assert(K42_METHOD_COUNT(struct %s) == %zu,\n", interface->tag,
                interface->method_count);
        fprintf(output, "               \"written for another version of the header: run stubgen "
                        "again\");\n\n");
        emit_signatures(output, header, interface);
        /* The base object has no descriptor: it is no interface of its own. */
        if (interface->has_descriptor) {
            emit_names(output, interface);
            emit_descriptor(output, interface);
        }
    }
}
