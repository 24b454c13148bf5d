/* SPDX-License-Identifier: MIT */
/*
 * Make a NIC's device, open it, and give it to its owner.
 *
 * Functions return 0 or a negative errno, with a line of error or with nic->refusal. What was made
 * is unmade by nic_unmake().
 */
#pragma once

#include "nic/nic.h"

/* Refuse a tap for whose address the bridge has a port already. */
int nic_check_address(struct nl *nl, const struct nic *nic);

/* A random, high ifindex that no link here has: /dev/tapN of another namespace hardly has it. */
int nic_draw_ifindex(struct nl *nl, int *ifindex);

/*
 * Make a tap with all its queues (@one_queue: only one, and without carrier, as no process will
 * have it open), or open the existing one; it lives until its fds are closed.
 */
int nic_make_tap(struct nl *nl, struct nic *nic, bool one_queue);

/*
 * Set the address of a new device once more: udev may have set one of its own meanwhile, for which
 * it had made up its mind before (MACAddressPolicy=). It does so once.
 */
int nic_set_address_again(struct nl *nl, struct nic *nic);

/* Make a macvtap, or the host's macvlan, with the index @ifindex; it is persistent. */
int nic_make_macvtap(struct nl *nl, struct nic *nic, int ifindex);

/*
 * Take the lease of the macvtap that has or will have @ifindex, before the link is made; @watched:
 * start the watcher that removes the device in the end.
 */
int nic_take_lease(struct nl *nl, struct nic *nic, int ifindex, bool watched);

/* Open the queues of a macvtap in its lease, which they hold from then on. */
int nic_open_macvtap(struct nl *nl, struct nic *nic);

/* Open a vhost fd for each queue, as --vhost asks. */
int nic_open_vhost(struct nic *nic);

/* Set the owner where the options name neither owner nor group; and give the device to it. */
void nic_set_owner(struct nic *nic, uid_t owner);
int nic_give(struct nl *nl, struct nic *nic);

/* Make a tap outlive this process. The very last step. */
int nic_persist(struct nic *nic);
