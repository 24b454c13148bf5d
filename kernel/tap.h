/* SPDX-License-Identifier: MIT */
/*
 * Character devices: the queues of taps (/dev/net/tun) and macvtaps (/dev/tapN), and
 * /dev/vhost-net.
 *
 * Every fd is close-on-exec and the caller's to close. Functions return 0 or a negative errno
 * and keep the line of error.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <linux/if.h>

#include "macutil.h"
#include "lib/report.h"

#define QUEUES_MAX 256 /* MAX_TAP_QUEUES of linux/if_tap.h and drivers/net/tun.c */

/* A queue as the kernel is asked for it. */
struct queue_flags {
	bool exclusive; /* tap: fail when the device exists already (-EBUSY) */
	bool multi_queue, vnet_hdr;
};

/* Open /dev/net/tun: the tap will be in the network namespace of this moment (drivers/net/tun.c).
 */
int tap_open(int *fd);

/*
 * Make the tap @name, or attach to it as one more queue. @name may hold one %d and has the
 * kernel's choice on return. -EBUSY, -EINVAL and -EPERM have many causes; the caller, who can look
 * at the links, words them: no line of error is kept.
 */
int tap_connect(int fd, char name[static IFNAMSIZ], const struct queue_flags *flags);

/* Undo what the last user of an existing tap told the kernel about its guest's offloads. */
int tap_reset_offload(int fd);

/* Who may open the tap later; (uid_t)-1 and (gid_t)-1 leave it as it is. */
int tap_set_owner(int fd, uid_t uid, gid_t gid);

/*
 * Whether the tap stays when its last fd is closed. The last step of all: before it, dying unmakes
 * the tap.
 */
int tap_persist(int fd, bool stays);

/*
 * The device number of a macvtap, from the sysfs of the calling thread's network namespace: /sys is
 * that of whoever mounted it, and /dev/tapN has the same number for one ifindex in every namespace.
 */
int macvtap_find(dev_t *rdev, const char *name, int ifindex);

/*
 * Whether the public node /dev/tapN is really the device @rdev; @owner gets its owner and group.
 * No node or somebody else's: false.
 */
struct node_owner {
	uid_t uid;
	gid_t gid; /* (gid_t)-1: the group may not open it */
};
bool macvtap_node_is(int ifindex, dev_t rdev, struct node_owner *owner);

/* Give the public node of a macvtap to @uid and @gid ((uid_t)-1: as it is), mode 0600 or, with a
 * group, 0660. */
int macvtap_node_give(int ifindex, dev_t rdev, uid_t uid, gid_t gid);

/*
 * Open @count queues of a macvtap into @fds. All or none. The public node is used when it is the
 * device, else a private one that nobody else sees, which is for root alone. @inotify, unless it is
 * -1, watches each node from before the open: one watch a queue, as equal events on one watch would
 * melt into one.
 */
int macvtap_open(int *fds, unsigned count, int inotify, const char *name, int ifindex, dev_t rdev,
		 const uint8_t address[static MAC_LEN], const struct queue_flags *flags);

/* Open /dev/vhost-net. */
int vhost_open(int *fd);
