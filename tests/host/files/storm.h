/*
 * A storm: a thread that swaps live nodes, files, page caches, pipes, sockets and tables of
 * descriptors to their own class and to each of its alternatives, one after the other, as fast as
 * it can.
 */
#ifndef K42_TESTS_FILES_STORM_H
#define K42_TESTS_FILES_STORM_H

void storm_begin(void);
/* Returns how many swaps succeeded. */
unsigned long storm_end(void);

#endif
