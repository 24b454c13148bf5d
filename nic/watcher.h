/* SPDX-License-Identifier: MIT */
/*
 * The watcher: a small process that removes a macvtap when its lease ends, or the port of Open
 * vSwitch when its tap is gone.
 *
 * The kernel removes a tap with its last fd; a macvtap and a row of a database it never removes.
 * The watcher waits for one message of the kernel's. It is there before what it removes is, so that
 * killing tapctl at any instant leaves nothing behind.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/ovs.h"

/* One that has been started. */
struct watcher {
	int fd;
	pid_t child;
};

/*
 * Start a watcher in the present network namespace for the macvtap that will have @ifindex, before
 * its lease is taken: both take a while, and one need not wait for the other. 0, and the watcher is
 * to be waited for or let go, or a negative errno with a line of error.
 */
int watcher_start(struct watcher *watcher, int ifindex);

/*
 * The same for the tap @ifindex, which is there, and the port @row, which is not yet. When the tap
 * @persists, the watcher ends with this process.
 */
int watcher_start_port(struct watcher *watcher, int ifindex, const struct ovs_port *row,
		       bool persists);

/* Now there is a lease, or will be a row: until the watcher waits for their end. 0 or a negative
 * errno with a line of error. */
int watcher_wait(struct watcher *watcher);

/* There will be none: the watcher ends. */
void watcher_let_go(struct watcher *watcher);
