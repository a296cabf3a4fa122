/*
 * Which parts of the kernel a program's calls come through: for fuzzers that are led by that.
 *
 * In a kernel built for it ("./k42 fuzz calls" builds one) there is a device /dev/coverage. Who
 * writes to it is recorded from then on, and nobody else: each piece of code that it comes through
 * is counted in one of COVERAGE_COUNTERS bytes. Reading, at any offset, tells the counters.
 */
#ifndef KERNEL_COVERAGE_H
#define KERNEL_COVERAGE_H

enum { COVERAGE_COUNTERS = 128 << 10 };

/* Registers the device, where there is one. Active callers. */
void coverage_open(void);

#endif
