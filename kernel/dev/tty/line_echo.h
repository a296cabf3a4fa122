/*
 * What the files of the line discipline share; nothing outside includes this.
 */
#ifndef KERNEL_LINE_ECHO_H
#define KERNEL_LINE_ECHO_H

#include "line.h"

enum line_erase { LINE_ERASE_CHARACTER, LINE_ERASE_WORD, LINE_ERASE_ALL };

/* Echoes a character as it is shown: control characters as ^X where asked for. */
void line_echo(struct line *line, uint8_t byte);
/* Echoes a byte, through output processing. */
void line_echo_plain(struct line *line, uint8_t byte);
/* Ends what ECHOPRT began, if it did. */
void line_echo_ended(struct line *line);
/* Takes characters off the line being edited, on the terminal too. */
void line_erase(struct line *line, enum line_erase what);

uint8_t line_lower(uint8_t byte);

#endif
