/*
 * The rules of interfaces and methods; docs/interfaces.md gives the reason for each.
 *
 * Each function judges one thing and adds what it finds to the header's breaches, saying what would
 * be right; all of them run, so that one run shows every breach.
 */
#include "interface.h"

#include <string.h>

bool name_is_proper(const char *name) {
    if (*name < 'a' || *name > 'z')
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name);
}

/* ---- methods ---- */

static void check_self(struct header *header, const struct interface *interface,
                       const struct method *method) {
    const char *wanted = header_print(header, "struct %s *", interface->name);
    if (method->parameter_count == 0)
        header_breach(header, method->location,
                      "method '%s' has no parameters: the first must be '%sself'", method->name,
                      wanted);
    else if (strcmp(method->parameters[0].type->spelling, wanted) != 0 ||
             strcmp(method->parameters[0].name, "self") != 0)
        header_breach(
            header, method->parameters[0].location,
            "method '%s' begins with '%s': its first parameter must be '%sself'", method->name,
            declare(header, method->parameters[0].type, method->parameters[0].name), wanted);
}

static void check_method_form(struct header *header, const struct method *method) {
    if (!method->by_macro)
        header_breach(header, method->location,
                      "method '%s' is not declared by a macro: write K42_METHOD(%s)(...), or "
                      "K42_METHOD_PAIR(%s)(...) when it returns a word more",
                      method->name, method->name, method->name);
    if (method->result == RESULT_OTHER)
        header_breach(header, method->location,
                      "method '%s' returns '%s': methods return k42_result, or struct k42_pair",
                      method->name, method->result_spelling);
    if (method->variadic)
        header_breach(header, method->location,
                      "method '%s' takes a variable number of arguments: name each one, or pass a "
                      "buffer",
                      method->name);
    if (method->parameter_count > MAX_ARGUMENTS + 1)
        header_breach(header, method->location,
                      "method '%s' takes %zu arguments after self: at most %d are allowed; put "
                      "them into a struct and pass that with K42_IN",
                      method->name, method->parameter_count - 1, MAX_ARGUMENTS);
}

static void check_method(struct header *header, const struct interface *interface,
                         const struct method *method) {
    if (!name_is_proper(method->name))
        header_breach(header, method->location,
                      "method name '%s' is not in lower case: use a-z, 0-9 and _", method->name);
    if (!method->doc)
        header_breach(header, method->location,
                      "method '%s' has no comment: say before it what it does, and its errors",
                      method->name);
    if (!method->is_function) {
        header_breach(
            header, method->location,
            "member '%s' is not a method: operations hold nothing else; keep state in the "
            "representative",
            method->name);
        return;
    }
    check_method_form(header, method);
    if (interface->named_ops)
        check_self(header, interface, method);
    for (size_t i = 1; i < method->parameter_count; i++)
        rules_check_parameter(header, method, &method->parameters[i]);
}

/* ---- interfaces ---- */

static void check_names(struct header *header, const struct interface *interface) {
    if (!interface->named_ops)
        header_breach(header, interface->location,
                      "struct '%s' holds methods: the operations of an interface NAME are called "
                      "'struct NAME_ops'",
                      interface->tag);
    if (!name_is_proper(interface->name))
        header_breach(header, interface->location,
                      "interface name '%s' is not in lower case: use a-z, 0-9 and _",
                      interface->name);
    if (!interface->begins_common && !interface->is_base)
        header_breach(header, interface->location,
                      "'struct %s' does not begin with what every object can do: its first member "
                      "must be 'struct k42_object_ops object'",
                      interface->tag);
}

static void check_belongings(struct header *header, const struct interface *interface) {
    const char *name = interface->name;
    if (!interface->has_struct)
        header_breach(header, interface->location,
                      "interface '%s' has no representative: define 'struct %s { const struct %s "
                      "*ops; }'",
                      name, name, interface->tag);
    else if (!interface->begins_with_ops)
        header_breach(header, interface->struct_location,
                      "'struct %s' does not begin with its operations: its first member must be "
                      "'const struct %s *ops'",
                      name, interface->is_base ? "k42_ops" : interface->tag);
    if (!interface->has_ref)
        header_breach(header, interface->location,
                      "interface '%s' has no ref: write K42_DECLARE_REF(%s);", name, name);
    else if (!interface->ref_fits)
        header_breach(header, interface->location,
                      "'%s_ref' is not a ref of '%s': write K42_DECLARE_REF(%s);", name, name,
                      name);
    if (!interface->has_descriptor && !interface->is_base)
        header_breach(header, interface->location,
                      "interface '%s' has no descriptor: write 'extern const struct k42_interface "
                      "%s_interface;'",
                      name, name);
}

static void check_numbers(struct header *header, const struct interface *interface) {
    const struct constant *version = interface->version, *atomic = interface->atomic;
    if (version->state == CONSTANT_WRONG ||
        (version->state == CONSTANT_KNOWN && (version->value < 1 || version->value > 65535)))
        header_breach(header, interface->location,
                      "%s is not a version: it must be a number from 1 to 65535",
                      version->expression);
    if (atomic->state == CONSTANT_WRONG ||
        (atomic->state == CONSTANT_KNOWN && atomic->value != 0 && atomic->value != 1))
        header_breach(header, interface->location, "%s must be 0 or 1", atomic->expression);
    if ((long long)interface->method_count > header->max_methods)
        header_breach(header, interface->location,
                      "interface '%s' has %zu methods, the common ones included: at most %lld "
                      "(K42_MAX_METHODS) are allowed; split it",
                      interface->name, interface->method_count, header->max_methods);
}

void rules_check(struct header *header) {
    if (header->interface_count == 0)
        header_breach(header, (struct location){header->path, 1},
                      "no interface found: one is a 'struct NAME_ops' whose first member is "
                      "'struct k42_object_ops object'");
    for (size_t i = 0; i < header->interface_count; i++) {
        const struct interface *interface = &header->interfaces[i];
        check_names(header, interface);
        if (interface->named_ops)
            check_belongings(header, interface);
        check_numbers(header, interface);
        for (size_t m = 0; m < interface->method_count; m++)
            if (!interface->methods[m].inherited)
                check_method(header, interface, &interface->methods[m]);
    }
}
