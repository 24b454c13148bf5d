/* SPDX-License-Identifier: MIT */
/*
 * The watcher: a small process that removes a macvtap when its lease ends.
 *
 * The kernel removes a tap with its last fd, a macvtap never. The watcher waits for one message of
 * the kernel's. It is there before the macvtap is, so that killing tapctl at any instant leaves
 * nothing behind.
 */
#pragma once

/*
 * Start a watcher in the present network namespace for the macvtap that has or will have @ifindex,
 * whose lease is taken: @lease is its descriptor, which the watcher does not keep. 0 or a negative
 * errno with a line of error.
 */
int watcher_start(int ifindex, int lease);
