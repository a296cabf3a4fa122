/*
 * Everything known of a header's interfaces as JSON, for tools that are not C.
 */
#include "interface.h"

static void emit_text(FILE *output, const char *text) {
    if (!text) {
        fputs("null", output);
        return;
    }
    fputc('"', output);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(output, "\\%c", c);
        else if (c == '\n')
            fputs("\\n", output);
        else if (c < 0x20)
            fprintf(output, "\\u%04x", c);
        else
            fputc(c, output);
    }
    fputc('"', output);
}

static void emit_member(FILE *output, const char *indent, const char *name, const char *text) {
    fprintf(output, "%s\"%s\": ", indent, name);
    emit_text(output, text);
}

static void emit_parameter(FILE *output, const struct parameter *parameter) {
    fprintf(output, "            {");
    emit_member(output, "", "name", parameter->name);
    emit_member(output, ", ", "type", parameter->type->spelling);
    emit_member(output, ", ", "direction", parameter_direction(parameter));
    if (parameter->notes & NOTE_BUF)
        emit_member(output, ", ", "length", parameter->length);
    if (parameter->limit)
        fprintf(output, ", \"limit\": %lld", parameter->limit->value);
    if (parameter->notes & NOTE_STRING)
        fprintf(output, ", \"string\": true");
    fputc('}', output);
}

static void emit_method(FILE *output, struct header *header, const struct method *method,
                        size_t number) {
    fprintf(output, "        {\n          \"number\": %zu,\n", number);
    emit_member(output, "          ", "name", method->name);
    emit_member(output, ",\n          ", "signature", signature_text(header, method));
    emit_member(output, ",\n          ", "shape", signature_shape(header, method));
    fprintf(output, ",\n          \"pair\": %s,\n          \"local\": %s,\n",
            method->result == RESULT_PAIR ? "true" : "false",
            method_is_local(method) ? "true" : "false");
    fprintf(output, "          \"inherited\": %s", method->inherited ? "true" : "false");
    emit_member(output, ",\n          ", "doc", method->doc);
    fprintf(output, ",\n          \"parameters\": [");
    for (size_t i = 1; i < method->parameter_count; i++) {
        fputs(i > 1 ? ",\n" : "\n", output);
        emit_parameter(output, &method->parameters[i]);
    }
    fprintf(output, "%s]\n        }", method->parameter_count > 1 ? "\n          " : "");
}

static void emit_interface(FILE *output, struct header *header, const struct interface *interface) {
    fprintf(output, "    {\n");
    emit_member(output, "      ", "name", interface->name);
    fprintf(output, ",\n      \"version\": %u,\n      \"atomic\": %s", interface_version(interface),
            interface_is_atomic(interface) ? "true" : "false");
    emit_member(output, ",\n      ", "doc", interface->doc ? interface->doc : header->doc);
    fprintf(output, ",\n      \"methods\": [");
    for (size_t i = 0; i < interface->method_count; i++) {
        fputs(i ? ",\n" : "\n", output);
        emit_method(output, header, &interface->methods[i], i);
    }
    fprintf(output, "\n      ]\n    }");
}

void emit_json(FILE *output, struct header *header) {
    fprintf(output, "{\n");
    emit_member(output, "  ", "header", header->include);
    fprintf(output, ",\n  \"interfaces\": [");
    for (size_t i = 0; i < header->interface_count; i++) {
        fputs(i ? ",\n" : "\n", output);
        emit_interface(output, header, &header->interfaces[i]);
    }
    fprintf(output, "\n  ]\n}\n");
}
