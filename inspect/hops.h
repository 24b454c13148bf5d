/* SPDX-License-Identifier: MIT */
/*
 * The hops of a guest's frames: which devices they pass, and a packet socket on each.
 *
 * Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include "inspect/trace.h"
#include "netlink.h"

/*
 * Find the guest of the tap or macvtap @device and all that its frames pass, and listen there. Free
 * with hops_close(), also when it failed.
 */
int hops_open(struct trace *trace, struct nl *nl, const struct link *device);
void hops_close(struct trace *trace);

/* Wait for frames, at most so long. Returns 1 when the descriptor @stop can be read, else 0. */
int hops_wait(const struct trace *trace, int stop, int milliseconds);

/*
 * Read and count all that has come at every hop. A tap on no bridge gets the device that the host
 * routes to as one more hop, as soon as its guest sends to somebody else than the host.
 */
int hops_read(struct trace *trace, struct nl *nl);

/* Ask once, at the end, how much was not seen. */
void hops_ask_missed(struct trace *trace);

/* Whether all are there still: else that no frame came says nothing. -ENODEV: one is not. */
int hops_check(const struct trace *trace, struct nl *nl);
