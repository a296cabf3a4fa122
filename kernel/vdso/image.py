"""Writes the vDSO as assembly, to be linked into the kernel: image.py ELF > image.S

It begins on a page of its own and ends with one, since its pages are mapped into programs.
"""
import sys

with open(sys.argv[1], "rb") as file:
    image = file.read()

print('    .section .rodata.vdso, "a"\n    .balign 4096\n    .globl vdso_image, vdso_image_end')
print("vdso_image:")
for at in range(0, len(image), 16):
    print("    .byte " + ",".join(str(byte) for byte in image[at:at + 16]))
print("    .balign 4096\nvdso_image_end:")
print('    .section .note.GNU-stack, "", @progbits')
