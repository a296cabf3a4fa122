"""Writes the names of Linux's calls by number as C: call_names.py calls.txt > call_names.c"""
import sys

with open(sys.argv[1]) as file:
    lines = [line.split() for line in file if not line.startswith("#")]
print('#include "linux/call.h"\n\nconst char *const linux_call_names[LINUX_CALL_NUMBERS] = {')
print("\n".join(f'    [{words[0]}] = "{words[1]}",' for words in lines))
print("};")
