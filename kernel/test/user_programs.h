/* Where the programs of the checks have what, for C and assembly. */
#ifndef KERNEL_USER_PROGRAMS_H
#define KERNEL_USER_PROGRAMS_H

#define PROGRAM_TEXT    0x400000
#define PROGRAM_DATA    0x500000 /* one page, and its stack behind it */
#define PROGRAM_STACK   0x502000 /* its end */
#define PROGRAM_NOTHING 0x600000
#define PROGRAM_CHANGES 0x700000 /* a page that the check exchanges */

#endif
