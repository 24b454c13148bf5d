/* SPDX-License-Identifier: MIT */
/*
 * Macvtaps, and the macvlan through which the host talks to them, made by rtnetlink; and the
 * character devices of macvtaps, each fd of which is a queue.
 *
 * Every descriptor is close-on-exec and the caller's to close. Functions that do not return a
 * struct nl_result return 0 or a negative errno, with a line of error where they open something.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "kernel/qdisc.h"
#include "kernel/tap.h"
#include "netlink.h"

/* How a macvtap is to be made. */
struct macvtap_setup {
	int ifindex; /* chosen by the caller, which then knows what was made */
	const char *name; /* may hold one %d */
	const uint8_t *address;
	const char *alias;
	uint32_t mtu; /* 0: the lower device's */
	int lower;
	enum macvtap_mode mode;
	bool for_host; /* a macvlan: no character device, and the host's own IPv6 */
	const struct traffic *traffic; /* NULL: nothing of it */
};

/*
 * Make a macvtap, complete and up, in one transaction, and read it into @link. On failure the
 * caller deletes what may have been made, unless it failed at NL_CREATE: then nothing was.
 */
struct nl_result macvtap_create(struct nl *nl, const struct macvtap_setup *setup,
				struct link *link);

/*
 * Set right what there is of these, of one that may be in use, and read it into @link: the address
 * (NULL: as it is), the MTU (0: as it is), no IPv6 addresses of the host's own, the @traffic of
 * @guest (NULL: as it is), the @flags (IFF_UP ...).
 */
struct macvtap_repair {
	int ifindex;
	const uint8_t *address;
	uint32_t mtu;
	bool no_ipv6;
	const uint8_t *guest;
	const struct traffic *traffic;
	unsigned flags;
};
struct nl_result macvtap_repair(struct nl *nl, const struct macvtap_repair *repair,
				struct link *link);

/*
 * The device number of a macvtap, from the sysfs of the calling thread's network namespace: /sys
 * may be another namespace's, and /dev/tapN the device of another macvtap with the same ifindex.
 */
int macvtap_find(dev_t *rdev, const char *name, int ifindex);

/* The same of a link; 0 for anything but a macvtap, or when it cannot be told. */
dev_t macvtap_rdev(const struct link *link);

/*
 * Whether the public node /dev/tapN exists and is the device @rdev; @owner gets its owner and
 * group.
 */
struct node_owner {
	uid_t uid;
	gid_t gid; /* (gid_t)-1: the group may not open it */
};
bool macvtap_node_is(int ifindex, dev_t rdev, struct node_owner *owner);

/* Give the public node of a macvtap to @uid and @gid ((uid_t)-1: as it is), mode 0600 or, with a
 * group, 0660. */
int macvtap_node_give(int ifindex, dev_t rdev, uid_t uid, gid_t gid);

/* The queues of a macvtap, as they are to be opened. */
struct macvtap_queues {
	int *fds; /* all -1 at first */
	unsigned count;
	const char *name;
	const uint8_t *address;
	struct queue_flags flags;
	/* where: filled in by macvtap_open() */
	int dir;
	const char *path;
};

/*
 * Open the queues of the macvtap @rdev, all or none, by @open, which calls macvtap_open_queues()
 * with them in the network namespace that they are to hold. The public node is used when it is the
 * device, else a private one that no other process sees, which is for root alone.
 */
typedef int macvtap_open_fn(struct macvtap_queues *queues, void *data);
int macvtap_open(struct macvtap_queues *queues, int ifindex, dev_t rdev, macvtap_open_fn *open,
		 void *data);

/*
 * The same of a macvtap whose number the caller drew: nobody else's node is called like that, so
 * the public one is opened without a look at which device it is, and then asked its name and
 * address. 0 or a negative errno: there may be another way, by macvtap_open().
 */
int macvtap_open_drawn(struct macvtap_queues *queues, int ifindex, macvtap_open_fn *open,
		       void *data);

/* 0 or a negative errno, without a line of error. */
int macvtap_open_queues(const struct macvtap_queues *queues);
