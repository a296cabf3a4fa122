/*
 * The reference page of a header's interfaces, in Markdown, from their comments.
 *
 * A sentence that begins with "Errors:" ends a method's text and stands by itself on the page.
 * Lines indented by four blanks or more in a comment are code, and stay as they are.
 */
#include "interface.h"

#include <string.h>

/* Writes text so that Markdown shows it as it is; what stands in `backquotes` is code already. */
static void emit_escaped(FILE *output, const char *text, size_t length) {
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        quoted ^= c == '`';
        if (!quoted && c == '<')
            fputs("&lt;", output);
        else if (!quoted && strchr("*|\\", c))
            fprintf(output, "\\%c", c);
        else
            fputc(c, output);
    }
}

static void emit_lines(FILE *output, const char *text, size_t length) {
    const char *stop = text + length;
    while (text < stop) {
        const char *next = memchr(text, '\n', (size_t)(stop - text));
        const char *end = next ? next : stop;
        if (strncmp(text, "    ", 4) == 0)
            fwrite(text, 1, (size_t)(end - text), output);
        else
            emit_escaped(output, text, (size_t)(end - text));
        fputc('\n', output);
        text = next ? next + 1 : stop;
    }
}

/* Where "Errors:" begins a sentence; NULL: nowhere. */
static const char *find_errors(const char *text) {
    const char *found = text;
    while ((found = strstr(found, "Errors:"))) {
        if (found == text || found[-1] == ' ' || found[-1] == '\n')
            return found;
        found++;
    }
    return NULL;
}

static void emit_doc(FILE *output, const char *text) {
    const char *errors = find_errors(text);
    size_t length = errors ? (size_t)(errors - text) : strlen(text);
    while (length > 0 && strchr(" \n", text[length - 1]))
        length--;
    emit_lines(output, text, length);
    if (!errors)
        return;
    const char *list = errors + strlen("Errors:");
    fprintf(output, "%s**Errors:**", length ? "\n" : "");
    emit_lines(output, list, strlen(list));
}

/* What a parameter's annotations say beyond its direction. */
static void emit_extent(FILE *output, const struct parameter *parameter) {
    if (parameter->notes & NOTE_LOCAL)
        fprintf(output, "does not cross address spaces");
    else if (parameter->notes & NOTE_BUF)
        fprintf(output, "`%s` bytes, at most %lld", parameter->length, parameter->limit->value);
    else if (parameter->notes & NOTE_STRING)
        fprintf(output, "a string, at most %lld bytes", parameter->limit->value);
}

static void emit_parameters(FILE *output, const struct method *method) {
    if (method->parameter_count <= 1)
        return;
    fprintf(output, "\n| parameter | type | direction | |\n|---|---|---|---|\n");
    for (size_t i = 1; i < method->parameter_count; i++) {
        const struct parameter *parameter = &method->parameters[i];
        fprintf(output, "| `%s` | `%s` | %s | ", parameter->name, parameter->type->spelling,
                parameter_direction(parameter));
        emit_extent(output, parameter);
        fprintf(output, " |\n");
    }
}

static void emit_prototype(FILE *output, struct header *header, const struct method *method) {
    fprintf(output, "```c\n%s %s(", method->result_spelling, method->name);
    for (size_t i = 0; i < method->parameter_count; i++) {
        const struct parameter *parameter = &method->parameters[i];
        fprintf(output, "%s%s", i ? ", " : "", declare(header, parameter->type, parameter->name));
    }
    fprintf(output, ")\n```\n");
}

static void emit_method(FILE *output, struct header *header, const struct method *method,
                        size_t number) {
    fprintf(output, "\n## %zu: `%s`\n\n", number, method->name);
    emit_prototype(output, header, method);
    if (method->doc) {
        fputc('\n', output);
        emit_doc(output, method->doc);
    }
    emit_parameters(output, method);
    if (method_is_local(method))
        fprintf(output, "\nLocal: this method has no proxy in other address spaces.\n");
}

static void emit_interface(FILE *output, struct header *header, const struct interface *interface) {
    fprintf(output, "# Interface `%s`\n\n", interface->name);
    fprintf(output, "Version %u%s, `#include %s`, ref type `%s_ref`.\n",
            interface_version(interface), interface_is_atomic(interface) ? ", atomic" : "",
            header->include, interface->name);
    const char *doc = interface->doc ? interface->doc : header->doc;
    if (doc) {
        fputc('\n', output);
        emit_lines(output, doc, strlen(doc));
    }
    for (size_t i = 0; i < interface->method_count; i++)
        emit_method(output, header, &interface->methods[i], i);
}

void emit_docs(FILE *output, struct header *header) {
    fprintf(output, "<!-- Written by stubgen from %s; edit that instead. -->\n\n", header->include);
    for (size_t i = 0; i < header->interface_count; i++) {
        if (i)
            fputc('\n', output);
        emit_interface(output, header, &header->interfaces[i]);
    }
}
