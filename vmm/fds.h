/* SPDX-License-Identifier: MIT */
/*
 * The file descriptors that a VMM gets: their numbers, or the socket that they are sent through.
 *
 * Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include <stddef.h>

#include "nic/nic.h"

/* How many places a NIC has: for its queues, and for their vhost fds when these are wanted. */
unsigned fds_count(const struct nic_options *want);

/*
 * Reserve the fds @first to @first + @count - 1 before anything else is opened, so that tapctl's
 * own fds get other numbers. Fails when one is open already: the caller may need it.
 */
int fds_reserve(int first, unsigned count);

/*
 * Put the queues and then the vhost fds of each nic in their places, open across the exec. A vhost
 * fd that could not be opened leaves its place empty: those behind it have the same number either
 * way.
 */
int fds_place(struct nic *nics, size_t count, int first);

/*
 * A device or socket with the number of a closed standard stream would get what is printed there:
 * reserve these numbers until the exec. Writing to them fails as before.
 */
int fds_keep_streams(void);

/* Whether @fd is a Unix socket; and send @fd through it. */
int fds_check_socket(int fd);
int fds_send(int socket, int fd);
