/*
 * What a message says that asks for a command: taken apart, and checked. No state.
 *
 * Fails by returning false: a text that does not end, or fewer than announced.
 */
#include "agent.h"

#include <string.h>

char *next_text(char **at, const char *end) {
    char *text = *at, *zero = memchr(text, 0, (size_t)(end - text));
    if (!zero)
        return NULL;
    *at = zero + 1;
    return text;
}

static bool next_texts(char **at, const char *end, uint32_t count, char **texts) {
    for (uint32_t i = 0; i < count; i++)
        if (!(texts[i] = next_text(at, end)))
            return false;
    return true;
}

bool command_read(char *message, size_t length, struct command *command) {
    struct run head;
    char *at = message + sizeof head, *end = message + length;
    if (length < sizeof head)
        return false;
    memcpy(&head, message, sizeof head);
    *command = (struct command){.terminal = head.terminal == 1,
                                .rows = (unsigned short)head.rows,
                                .columns = (unsigned short)head.columns,
                                .folder = next_text(&at, end)};
    if (!command->folder || !head.arguments || head.arguments > length || head.variables > length)
        return false;
    command->room = ((size_t)head.arguments + 1 + head.variables + 1) * sizeof(char *);
    command->arguments = room_take(command->room);
    if (!command->arguments)
        return false;
    command->environment = command->arguments + head.arguments + 1;
    if (next_texts(&at, end, head.arguments, command->arguments) &&
        next_texts(&at, end, head.variables, command->environment))
        return true;
    command_free(command);
    return false;
}

void command_free(struct command *command) {
    room_give(command->arguments, command->room);
}
