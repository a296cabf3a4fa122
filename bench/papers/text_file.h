/*
 * A file for the experiments on the host: pages of text, all in the kernel's page cache, of any
 * class, with the stage of the page caches' tests around it.
 */
#ifndef BENCH_TEXT_FILE_H
#define BENCH_TEXT_FILE_H

#include "../../tests/host/pages/stage.h"

/* What searches look for; each page has it so often. */
#define TEXT_WORD     "needle"
#define TEXT_PER_PAGE 3u

/* Opens the stage with memory for so many pages, and attaches this thread; once in a program. */
void text_open(uint64_t pages);
/* Makes the file, of a class, and brings all of it into memory. Ends the program if it cannot. */
fcm_ref text_file(const char *class_name, uint64_t pages);
/* It becomes one of that class; the runtime's answer. The thread is inactive. */
k42_result text_file_swap(fcm_ref file, const char *class_name);
/* Pages that are in memory; how often CPUs have met at a page or a lock of it. */
uint64_t text_file_present(fcm_ref file);
uint64_t text_file_contended(fcm_ref file);

#endif
