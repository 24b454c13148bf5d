/* SPDX-License-Identifier: MIT */
/*
 * The file descriptors that a VMM gets: their numbers, or the socket that they are sent through.
 *
 * Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include <stddef.h>

#include "nic/nic.h"

/*
 * Reserve the fds @first to @first + @count - 1 before anything else is opened, so that tapctl's
 * own fds get other numbers. Fails when one is open already: the caller may need it.
 */
int fds_reserve(int first, unsigned count);

/* Move the queues and then the vhost fds of each nic to these numbers, open across the exec. */
int fds_place(struct nic *nics, size_t count, int first);

/*
 * A device or socket with the number of a closed standard stream would get what is printed there:
 * reserve these numbers until the exec. Writing to them fails as before.
 */
int fds_keep_streams(void);

/* Whether @fd is a Unix socket; and send @fd through it. */
int fds_check_socket(int fd);
int fds_send(int socket, int fd);
