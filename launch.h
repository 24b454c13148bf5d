/* SPDX-License-Identifier: MIT */
/*
 * The way into COMMAND: its file descriptors, its environment and the exec.
 */
#ifndef TAPCTL_LAUNCH_H
#define TAPCTL_LAUNCH_H

#include "nic.h"
#include "report.h"

/*
 * Take the fds @first to @first + @count - 1 before anything else is opened, so that nothing of
 * tapctl's own gets one of these numbers. Fails when one is open: it is somebody's.
 */
int launch_reserve(int first, unsigned count, struct report *report);

/* Put the queues and then the vhost fds of each nic in their places from @first upwards, open
 * across the exec. */
int launch_place(struct nic *nics, size_t count, int first, struct report *report);

/* Tell COMMAND what it got: TAPCTL_FD and so on, with _2 behind for the second nic. */
int launch_environment(const struct nic *nics, size_t count, struct report *report);

/* Become COMMAND. Returns only when that failed: -ENOENT not found, else it cannot be run. */
int launch_exec(char *const command[], struct report *report);

#endif
