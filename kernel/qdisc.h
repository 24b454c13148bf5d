/* SPDX-License-Identifier: MIT */
/*
 * Queueing disciplines, by rtnetlink.
 */
#pragma once

#include "netlink.h"

/*
 * Put into the transaction that the link @ifindex has no queueing discipline: a tap passes frames
 * on at once, and the guest has a queue. libvirt does the same by running tc.
 */
void qdisc_put_none(struct nl *nl, int ifindex);
