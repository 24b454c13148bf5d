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

#include "kernel/ovs.h"

/*
 * Start a watcher in the present network namespace for the macvtap that has or will have @ifindex,
 * whose lease is taken: @lease is its descriptor, which the watcher does not keep. 0 or a negative
 * errno with a line of error.
 */
int watcher_start(int ifindex, int lease);

/*
 * The same for the tap @ifindex, which is there, and the port @row, which is not yet. When the tap
 * @persists, the watcher ends with this process.
 */
int watcher_start_port(int ifindex, const struct ovs_port *row, bool persists);
