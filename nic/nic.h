/* SPDX-License-Identifier: MIT */
/*
 * One guest's network device as a whole: check what is wanted, make it, open it, read it back,
 * unmake it.
 *
 * The rules of the house are here: which address the device gets, and when a device of the same
 * name is the right one. Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "macutil.h"
#include "netlink.h"
#include "lib/report.h"

#define TAP_MTU_MAX 65521 /* MAX_TAP_MTU of drivers/net/tun.c */

enum nic_kind { NIC_NOWHERE, NIC_BRIDGED, NIC_UNATTACHED, NIC_MACVTAP };

enum vhost_mode { VHOST_OFF, VHOST_ON, VHOST_AUTO };

/* What the user wants. All zeros but queues, owner and group is a valid beginning. */
struct nic_options {
	enum nic_kind kind;
	char parent[IFNAMSIZ]; /* the bridge, or the lower device of a macvtap */
	enum macvtap_mode mode;
	bool has_mode; /* it was said, and is not just the default */
	uint8_t guest[MAC_LEN];
	char name[IFNAMSIZ]; /* "": derived from the guest's address */
	bool for_host; /* no macvtap but a macvlan; @guest may be zeros: derived from the lower
			  one's */
	bool anonymous; /* @guest was only drawn for the host's address: a tap without name or alias
			 */
	uint32_t mtu; /* 0: the bridge's or the lower device's */
	unsigned queues; /* from 1 */
	enum vhost_mode vhost;
	bool no_vnet_hdr;
	struct port_policy policy;
	uid_t owner; /* (uid_t)-1 and (gid_t)-1: not said */
	gid_t group;
};

/* A device: what was wanted and what came of it. */
struct nic {
	struct nic_options want;
	char name[IFNAMSIZ];
	uint8_t host[MAC_LEN]; /* the address of the device on this side */
	struct link parent; /* the bridge or lower device, before the device was there */
	struct link link; /* the device as the kernel has it; of a new tap only ifindex, name and
			     MTU until nic_verify() */
	bool made; /* it is ours to unmake */
	bool reused;
	bool persistent;
	dev_t rdev; /* of a macvtap, once somebody looked for it; else 0 */
	int *fds; /* want.queues of them, -1 where not open */
	int *vhost_fds; /* the same, or all -1 */
};

/* Whether anything is wanted of the port of a bridge. */
bool nic_has_policy(const struct nic_options *want);

/* Begin a device: derive its name and address. -ENOMEM. Every nic ends with nic_free(), which
 * closes its fds. */
int nic_init(struct nic *nic, const struct nic_options *want);
void nic_free(struct nic *nic);

/* Whose the device is to be when its options name nobody. */
void nic_set_owner(struct nic *nic, uid_t owner);

/*
 * Look up the bridge or lower device and check everything that can be known before making anything.
 * @previous, unless NULL, is a nic that was prepared just before: its answer is used again.
 */
int nic_prepare(struct nl *nl, struct nic *nic, const struct nic *previous);

/*
 * Whether there is a device of that name and it is what was wanted: then nic->reused is set and
 * nic->link filled. One that is different is an error.
 */
int nic_find_existing(struct nl *nl, struct nic *nic);

/* An ifindex that no link here has, high enough to meet no other namespace's /dev/tapN. */
int nic_draw_ifindex(struct nl *nl, int *ifindex);

/*
 * Make a tap with all its queues (@one_queue: only one, and without carrier, as nobody will hold
 * it), or attach to the existing one; it lives until its fds are closed. Protections that were
 * asked for are read back. Or make a macvtap, with the index @ifindex; it stays.
 */
int nic_make_tap(struct nl *nl, struct nic *nic, bool one_queue);
int nic_make_macvtap(struct nl *nl, struct nic *nic, int ifindex);

/* Open the queues of a macvtap, watched by @inotify unless that is -1. */
int nic_open_macvtap(struct nic *nic, int inotify);

/* Open a vhost fd for each queue, as far as nic->want.vhost asks for it. */
int nic_open_vhost(struct nic *nic);

/* Give the device to its owner. */
int nic_give(struct nic *nic);

/* Make a tap outlive this process. The very last step. */
int nic_persist(struct nic *nic);

/* Read the device back and compare it with what was wanted. */
int nic_verify(struct nl *nl, struct nic *nic);

/* Close the fds, and remove the device if this process made it. Never fails loudly. */
void nic_unmake(struct nl *nl, struct nic *nic);
