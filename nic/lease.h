/* SPDX-License-Identifier: MIT */
/*
 * The lease of a macvtap: a network namespace that lives as long as any queue that was opened in
 * it.
 *
 * A queue is a socket, which holds the namespace that was current when it was opened
 * (drivers/net/tap.c, tap_open): wherever it is passed on or sent to, nobody has to count. In the
 * macvtap's own namespace the lease has a number that follows from the macvtap's ifindex: so it is
 * found by anybody, there is only one, and the kernel tells when it ends.
 */
#pragma once

#include "kernel/holders.h"
#include "kernel/macvtap.h"
#include "netlink.h"

#define IFINDEX_HIGH 0x40000000 /* from here on tapctl draws its own; the kernel counts from 1 */

/* The number of the lease: the ifindex itself, where tapctl drew it; small ones are the kernel's.
 */
int lease_number(int ifindex);

/*
 * Take the lease of the macvtap that has or will have @ifindex: its namespace, a descriptor, which
 * is to be closed once the queues are open. A negative errno with a line of error; -EBUSY without
 * one: somebody has it.
 */
int lease_take(struct nl *nl, int ifindex);

/* Open @queues in a lease, for macvtap_open(): @lessee is a struct lessee. */
struct lessee {
	const struct nl *nl;
	int lease;
};
int lease_open_queues(struct macvtap_queues *queues, void *lessee);

/* Whether a device is in use, and whether that can be known. */
enum use { USE_NONE, USE_HELD, USE_UNKNOWN };

/*
 * The kernel is asked: for a lease, a tap's carrier and queues. The owner of a macvtap of add's may
 * have opened it by its name, without a lease: that only /proc tells, by @holders (NULL: not read).
 */
enum use lease_find_use(struct nl *nl, const struct link *link, const struct holders *holders);

/*
 * Wait a moment for a device that is not persistent and that only another tapctl has open, to look
 * at it or to remove it. True: it is gone, or nobody has it any more.
 */
bool lease_wait_passing(struct nl *nl, const char *name);

/* Whether it is a macvtap of exec's without a lease, which nothing will remove any more: 1, 0 or a
 * negative errno. */
int lease_is_stale(struct nl *nl, const struct link *link);
