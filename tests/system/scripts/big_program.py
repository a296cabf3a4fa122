"""Writes the sources of a program in C as a tar file: big_program.py FILES FUNCTIONS > sources.tar

FILES files of FUNCTIONS functions each, which compute with whole numbers, floating point, text and
tables, call each other, and differ; main() prints a sum for each file. Beside them a Makefile and a
CMakeLists.txt. Nothing depends on where or when it runs.
"""
import io
import sys
import tarfile

HEAD = """/* Part {file} of {files}. */
#include "program.h"

static struct record table_{file}[SIZE];
"""
FUNCTION = """
/* Function {number} of part {file}: what it does depends on both. */
static word work_{file}_{number}(struct state *state, word seed) {{
    word sum = seed ^ {salt}u;
    struct record *one = &table_{file}[(seed + {number}) % SIZE];
    for (unsigned i = 0; i < {rounds}; i++) {{
        switch ((sum + i) % {cases}) {{
        case 0: sum = sum * {factor}u + {number}; break;
        case 1: sum ^= sum >> {shift}; state->hits[i % HITS]++; break;
        case 2: sum += (word)(state->scale * (double)(i + {number})); break;
        default: one->value += (int)(sum & 0xff) - {number}; break;
        }}
    }}
    one->key = (unsigned)sum;
    snprintf(one->name, sizeof(one->name), "{file}.{number}.%x", one->key);
    for (const char *at = one->name; *at; at++)
        sum = (sum << 5) - sum + (unsigned char)*at;
    state->scale = state->scale / 2 + (double)(sum % 1000) / {factor};
    return {call};
}}
"""
TAIL = """
static word (*const all_{file}[])(struct state *, word) = {{
{names}
}};

word part_{file}(struct state *state, word seed) {{
    for (unsigned i = 0; i < sizeof(all_{file}) / sizeof(*all_{file}); i++)
        seed = all_{file}[i](state, seed);
    qsort(table_{file}, SIZE, sizeof(*table_{file}), record_compare);
    for (unsigned i = 0; i < SIZE; i++)
        seed = seed * 31 + table_{file}[i].key + (word)table_{file}[i].value;
    return seed;
}}
"""
HEADER = """#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {{ SIZE = 61, HITS = 16 }};
typedef uint64_t word;
struct record {{ char name[32]; unsigned key; int value; }};
struct state {{ double scale; word hits[HITS]; }};
int record_compare(const void *, const void *);
{declared}
"""
MAIN = """#include "program.h"

int record_compare(const void *one, const void *other) {{
    const struct record *a = one, *b = other;
    return a->key == b->key ? strcmp(a->name, b->name) : a->key < b->key ? -1 : 1;
}}

static word (*const parts[])(struct state *, word) = {{{names}}};

int main(void) {{
    struct state state = {{.scale = 1}};
    word sum = 1;
    for (unsigned round = 0; round < 20; round++) {{
        for (unsigned i = 0; i < sizeof(parts) / sizeof(*parts); i++) {{
            sum = parts[i](&state, sum);
            if (round == 19)
                printf("part %u: %016lx %.12g\\n", i, sum, state.scale);
        }}
    }}
    for (unsigned i = 0; i < HITS; i++)
        printf("%lu%c", state.hits[i], i == HITS - 1 ? '\\n' : ' ');
    return 0;
}}
"""
MAKEFILE = """CFLAGS = -O1 -Wall -Werror
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
program: $(OBJECTS)
\t$(CC) -o $@ $^
$(OBJECTS): program.h
"""
CMAKE = """cmake_minimum_required(VERSION 3.20)
project(big C)
file(GLOB sources part_*.c)
add_library(parts STATIC ${sources})
add_executable(program main.c)
target_compile_options(parts PRIVATE -O1 -Wall -Werror)
target_link_libraries(program parts)
"""


def function(file, number):
    call = f"work_{file}_{number - 1 - file % 3}(state, sum)" if number > 4 and number % 5 == 0 else "sum"
    return FUNCTION.format(file=file, number=number, salt=file * 7919 + number * 104729, call=call,
                           rounds=3 + (file + number) % 11, cases=4 + number % 4,
                           factor=2 * (file * 31 + number * 17) + 3, shift=1 + number % 31)


def sources(files, functions):
    """The files by their names."""
    result = {"Makefile": MAKEFILE, "CMakeLists.txt": CMAKE}
    parts = range(files)
    result["program.h"] = HEADER.format(
        declared="\n".join(f"word part_{file}(struct state *, word);" for file in parts))
    result["main.c"] = MAIN.format(names=", ".join(f"part_{file}" for file in parts))
    for file in parts:
        names = "\n".join(f"    work_{file}_{number}," for number in range(functions))
        result[f"part_{file}.c"] = (
            HEAD.format(file=file, files=files)
            + "".join(function(file, number) for number in range(functions))
            + TAIL.format(file=file, names=names))
    return result


def tar(files, functions):
    """The sources as the bytes of a tar file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, text in sources(files, functions).items():
            data = text.encode()
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1_000_000_000
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


if __name__ == "__main__":
    sys.stdout.buffer.write(tar(int(sys.argv[1]), int(sys.argv[2])))
