/* SPDX-License-Identifier: MIT */
/*
 * Queueing disciplines, by rtnetlink.
 */
#pragma once

#include "netlink.h"

/*
 * Put into the transaction that the link @ifindex has no queue: a tap hands its frames on at once,
 * the queue is in the guest. libvirt does the same by running tc.
 */
void qdisc_put_none(struct nl *nl, int ifindex);
