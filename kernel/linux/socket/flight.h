/*
 * Files on their way: which of them are sockets, whose they count as, and the end of those that
 * nobody can receive any more.
 *
 * A file on its way is held by the parcel it is in. A socket on its way may have parcels itself,
 * and so two sockets, each on its way in the other, would hold each other for ever. So sockets on
 * their way are listed, and when one is closed somewhere meanwhile, it is looked for such rings
 * (collect.c). While that is done no socket sets out or arrives: whoever wants that waits a moment
 * at the gate. Files that are no sockets, and messages without files, never come by here.
 */
#ifndef KERNEL_LINUX_FLIGHT_H
#define KERNEL_LINUX_FLIGHT_H

#include "parcel.h"

/* Through the gate, for whoever puts files on their way that have sockets among them: 0, or
 * -K42_WAIT; and out again. */
K42_MUST_CHECK
k42_result flight_enter(void);
void flight_leave(void);

/* Within the gate, if there are sockets: the files are on their way; or were not put after all. */
void flight_begin(struct parcel_files *files);
void flight_end(struct parcel_files *files);

/* They have come: from now on they are whoever's who says so. -K42_WAIT. */
K42_MUST_CHECK
k42_result flight_land(struct parcel_files *files);

/* Nobody will receive them: lets them go, at once or soon. Any context that may allocate. */
void flight_throw_away(struct parcel_files *files);

/* A socket was closed: whoever is on its way and cannot be received is looked for, soon. */
void flight_closed(void);

/* ---- for collect.c ---- */

/* Closes the gate; false: somebody is still within. Opens it. */
bool flight_close_gate(void);
void flight_open_gate(void);
/* How many sockets are on their way; calls fn for each, as often as it is. With the gate closed. */
unsigned flight_count(void);
void flight_each(void (*fn)(k42_id file, void *argument), void *argument);

/* Looks for rings. Never twice at the same time, which flight.c sees to; says collect_ended(). */
void collect_begin(void);
void collect_ended(void);

#endif
