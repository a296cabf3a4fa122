/*
 * What the parts of the program of local sockets share.
 *
 *   sockets.c           what two ends carry; options
 *   sockets_names.c     names, who calls and who listens, datagrams
 *   sockets_passing.c   files and credentials that go with messages
 *   sockets_many.c      many messages, bytes and callers
 */
#ifndef SOCKETS_H
#define SOCKETS_H

#include "say.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>

extern int ends[2];                /* of the pair that is looked at */
extern struct sockaddr_un address; /* made last, or told last */

int ready(int fd);
void pair(int kind);
void done(void);
void get(const char *what, int fd, size_t size, int flags);
void put(const char *what, int fd, const char *text, int flags);
/* Length of the address that they make. */
socklen_t path(const char *name);
socklen_t abstract(const char *name);

void listening(int kind, const char *what);
void naming(void);
void datagrams(void);

void passing(void);
void chain(void);
void rings(void);

void several(void);
void order(int kind, const char *what);
void server(void);

#endif
