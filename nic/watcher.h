/* SPDX-License-Identifier: MIT */
/*
 * The watcher: a small process that removes a macvtap when its last queue is closed.
 *
 * The kernel removes a tap with its last fd, a macvtap never. The watcher is there before the
 * macvtap is, so that killing tapctl at any instant leaves nothing behind. It watches the device's
 * nodes by inotify: fds that were passed on or inherited count, processes do not.
 */
#pragma once

#include "netlink.h"
#include "lib/report.h"

/* Both are -1 where there is none. */
struct watcher {
	int inotify; /* watch every node with it before opening it */
	int control; /* close-on-exec: its end tells the watcher that COMMAND runs, or that we died
		      */
};

/*
 * Start a watcher in the present network namespace for the macvtap that will have @ifindex, @name
 * (may hold %d) and the address @mac. It removes the device as soon as this process has let go of
 * @control and no queue is open, and only a device that has all of these and an alias of tapctl's.
 */
int watcher_start(struct watcher *watcher, int ifindex, const char *name,
		  const uint8_t mac[static MAC_LEN]);

/* Let go, and wait until the watcher has removed the device, whose queues are closed. */
void watcher_finish(struct watcher *watcher);
