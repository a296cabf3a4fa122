/*
 * stubgen: checks an interface header, keeps its method numbers, writes what is made from it.
 *
 * In order: read the header, judge it by the rules, compare or update the record of its numbers,
 * write the outputs. A breach ends the run after the step that found it, so that nothing is written
 * from a header that is wrong. Exit: 0 fine, 1 the header breaks a rule, 2 it cannot be read, an
 * output cannot be written, or the command is wrong.
 */
#include "interface.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: stubgen [OPTION]... HEADER [-- CLANG-OPTION...]\n"
    "Checks an interface header and writes what is made from it.\n"
    "\n"
    "  --check             compare methods with the record NAME.ids beside the header\n"
    "  --update            record new methods, or a new version, in NAME.ids\n"
    "  --emit-c FILE       method names, signatures and descriptors\n"
    "  --emit-docs FILE    reference page (Markdown)\n"
    "  --emit-json FILE    everything, for tools\n"
    "  --depfile FILE      what the first output depends on, for make and ninja\n"
    "  --include TEXT      how outputs include it: '<k42/class.h>'; otherwise its base name\n"
    "  --resource-dir DIR  where clang's own headers are\n"
    "  -I DIR, -D NAME     as for a compiler; other options of clang's follow '--'\n"
    "\n"
    "FILE may be '-' for standard output.\n";

struct output {
    const char *path;
    void (*emit)(FILE *, struct header *);
};

struct command {
    struct header header;
    struct parse_options parse;
    const char **arguments; /* for clang */
    struct output outputs[3];
    size_t output_count;
    const char *depfile;
    bool check, update, help;
};

static int misuse(const char *what, const char *which) {
    return fail("%s%s; 'stubgen --help' shows how", what, which);
}

static void add_argument(struct command *command, const char *argument) {
    const char **place = header_append(&command->header, &command->arguments,
                                       &command->parse.argument_count, sizeof(*place));
    *place = argument;
    command->parse.arguments = command->arguments;
}

static int add_output(struct command *command, const char *path,
                      void (*emit)(FILE *, struct header *)) {
    for (size_t i = 0; i < command->output_count; i++)
        if (command->outputs[i].emit == emit)
            return misuse("an output is asked for twice: ", path);
    command->outputs[command->output_count++] = (struct output){path, emit};
    return STATUS_FINE;
}

static int take_option(struct command *command, int option, char *const arguments[]) {
    switch (option) {
    case 'k':
        command->check = true;
        return STATUS_FINE;
    case 'u':
        command->update = true;
        return STATUS_FINE;
    case 'c':
        return add_output(command, optarg, emit_c);
    case 'd':
        return add_output(command, optarg, emit_docs);
    case 'j':
        return add_output(command, optarg, emit_json);
    case 'm':
        command->depfile = optarg;
        return STATUS_FINE;
    case 'i':
        command->header.include = optarg;
        return STATUS_FINE;
    case 'r':
        command->parse.resource_dir = optarg;
        return STATUS_FINE;
    case 'I':
    case 'D':
        add_argument(command, header_print(&command->header, "-%c%s", option, optarg));
        return STATUS_FINE;
    case 'h':
        command->help = true;
        return STATUS_FINE;
    case ':':
        return misuse("an argument is missing after ", arguments[optind - 1]);
    default:
        return misuse("unknown option ", arguments[optind - 1]);
    }
}

static int take_header(struct command *command, const char *path) {
    struct header *header = &command->header;
    size_t size;
    int error = 0;
    if (!file_read(header, path, &size, &error))
        return fail("cannot read '%s': %s", path, strerror(error));
    const char *slash = strrchr(path, '/');
    header->path = path;
    if (!header->include)
        header->include = header_print(header, "\"%s\"", slash ? slash + 1 : path);
    return STATUS_FINE;
}

static int read_command(struct command *command, int count, char *arguments[]) {
    static const struct option options[] = {
        {"check", no_argument, NULL, 'k'},
        {"update", no_argument, NULL, 'u'},
        {"emit-c", required_argument, NULL, 'c'},
        {"emit-docs", required_argument, NULL, 'd'},
        {"emit-json", required_argument, NULL, 'j'},
        {"depfile", required_argument, NULL, 'm'},
        {"include", required_argument, NULL, 'i'},
        {"resource-dir", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    /* Clang's options are cut off first: getopt would move them about. */
    int own = 1;
    while (own < count && strcmp(arguments[own], "--") != 0)
        own++;
    for (int option; (option = getopt_long(own, arguments, ":I:D:", options, NULL)) != -1;)
        if (take_option(command, option, arguments) != STATUS_FINE)
            return STATUS_FAILED;
    if (command->help)
        return STATUS_FINE;
    for (int i = own + 1; i < count; i++)
        add_argument(command, arguments[i]);
    if (command->check && command->update)
        return misuse("--check and --update exclude each other", "");
    if (command->depfile && command->output_count == 0)
        return misuse("--depfile is about an output, and none is asked for", "");
    if (optind + 1 != own)
        return misuse(optind < own ? "one header at a time, not also " : "no header given",
                      optind < own ? arguments[optind + 1] : "");
    return take_header(command, arguments[optind]);
}

static int write_output(struct header *header, const struct output *output) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return fail("out of memory");
    output->emit(stream, header);
    int status = fclose(stream) == 0 ? file_write(output->path, text, size) : fail("out of memory");
    free(text);
    return status;
}

static int write_depfile(struct header *header, const char *path, const char *target) {
    char *text = NULL;
    size_t size;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return fail("out of memory");
    fprintf(stream, "%s:", target);
    for (size_t i = 0; i < header->included_count; i++) {
        fputs(" \\\n  ", stream);
        for (const char *c = header->included[i]; *c; c++)
            fprintf(stream, *c == ' ' ? "\\%c" : "%c", *c);
    }
    fputc('\n', stream);
    int status = fclose(stream) == 0 ? file_write(path, text, size) : fail("out of memory");
    free(text);
    return status;
}

static int perform(struct command *command) {
    struct header *header = &command->header;
    int status = header_parse(header, &command->parse);
    if (status != STATUS_FINE)
        return status;
    rules_check(header);
    if ((status = header_report(header)) != STATUS_FINE)
        return status;
    if (command->update)
        status = ids_update(header);
    else if (command->check)
        status = ids_check(header);
    if (status != STATUS_FINE || (status = header_report(header)) != STATUS_FINE)
        return status;
    for (size_t i = 0; i < command->output_count; i++)
        if ((status = write_output(header, &command->outputs[i])) != STATUS_FINE)
            return status;
    if (command->depfile)
        return write_depfile(header, command->depfile, command->outputs[0].path);
    return STATUS_FINE;
}

int main(int count, char *arguments[]) {
    struct command command = {.check = false};
    opterr = 0;
    int status = read_command(&command, count, arguments);
    if (status == STATUS_FINE && command.help)
        fputs(usage, stdout);
    else if (status == STATUS_FINE)
        status = perform(&command);
    header_free(&command.header);
    return status;
}
