/*
 * Components, as programs ask the kernel for them: Linux's finit_module() with parameters.
 *
 *     finit_module(descriptor, "", 0)                        loads the file
 *     finit_module(descriptor, "upgrade=eager", 0)           loads it, and upgrades to its classes
 *     finit_module(-1, "component=NAME upgrade=lazy", 0)     the same with what is loaded already
 *     finit_module(-1, "class=NAME version=N upgrade=new", 0)    turns one class to a version
 *     finit_module(-1, "unload=NAME", 0)                     as delete_module(NAME, 0)
 *     finit_module(-1, "unload=NAME to=CLASS", 0)            its instances become of that class
 *
 * Words are separated by spaces. "file=NAME" says how messages call the file; "answer=ADDRESS", a
 * number in base 16, where the kernel writes a struct k42_modules_answer, whatever comes of it. The
 * caller needs CAP_SYS_MODULE (EPERM). Errors: ENOEXEC, EKEYREJECTED, ENOKEY (no component, or not
 * signed as it should be); ENOENT (not there, or needs what this kernel does not offer); EEXIST;
 * EBUSY (something keeps it); EIO (some instances would not convert); EINVAL (the parameters).
 */
#ifndef K42_MODULES_H
#define K42_MODULES_H

#include <stdint.h>

struct k42_modules_answer {
    char component[32];                          /* its name, once loaded */
    char why[256];                               /* a sentence, when it failed */
    uint64_t load_ns;                            /* from the file in memory to registered classes */
    uint64_t total, converted, failed, vanished; /* instances, of an upgrade */
};

#endif
