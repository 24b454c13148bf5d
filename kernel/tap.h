/* SPDX-License-Identifier: MIT */
/*
 * Taps: their queues, which are descriptors of /dev/net/tun, and their set-up by rtnetlink; and
 * /dev/vhost-net.
 *
 * Every fd is close-on-exec and the caller's to close. Functions return 0 or a negative errno; only
 * tap_open() and vhost_open() keep a line of error.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>
#include <linux/if.h>

#include "kernel/bridge.h"
#include "kernel/qdisc.h"
#include "lib/ip.h"
#include "netlink.h"

#define QUEUES_MAX 256 /* MAX_TAP_QUEUES of linux/if_tap.h and drivers/net/tun.c */
#define TAP_MTU_MAX 65521 /* MAX_TAP_MTU of drivers/net/tun.c */

/* A queue as the kernel is asked for it. */
struct queue_flags {
	bool exclusive; /* tap: fail when the device exists already (-EBUSY) */
	bool multi_queue, vnet_hdr;
};

/* Let @count descriptors be open at once, as far as the hard limit allows. Not before an exec. */
void tap_allow_many(size_t count);

/* Open /dev/net/tun: the tap will be in the present network namespace (drivers/net/tun.c). */
int tap_open(int *fd);

/*
 * Make the tap @name, or open one more queue of it. @name may contain one %d and has the kernel's
 * choice on return. -EBUSY, -EINVAL and -EPERM have many causes, which the caller words.
 */
int tap_connect(int fd, char name[static IFNAMSIZ], const struct queue_flags *flags);

/* Undo what the last user of an existing tap told the kernel about its guest's offloads. */
int tap_reset_offload(int fd);

/* Who may open the tap later; (uid_t)-1 and (gid_t)-1: unchanged. */
int tap_set_owner(int fd, uid_t uid, gid_t gid);

/*
 * Whether the tap outlives its last fd. The last step of all: until then the tap is removed when
 * tapctl dies.
 */
int tap_persist(int fd, bool persistent);

/* Open /dev/vhost-net. */
int vhost_open(int *fd);

/* ioctl(2) on a queue: 0 or a negative errno. */
int tap_ioctl(int fd, unsigned long request, void *arg);

/* How a tap is to be set up. */
struct tap_setup {
	int ifindex;
	const uint8_t *address, *guest; /* the host side's, the guest's */
	const char *alias; /* "": none */
	uint32_t mtu; /* 0: as it is */
	bool no_ipv6; /* none of the host's own on it */
	bool no_carrier; /* nobody will hold it: the kernel is spared what a carrier sets off */
	const struct link *bridge; /* NULL: on no bridge */
	const struct port_policy *policy;
	const struct traffic *traffic; /* NULL: nothing of it */
	const struct ip_address *addresses; /* of the host's, @address_count of them */
	unsigned address_count;
};

/*
 * Set up a tap, one transaction: address and MTU, the bridge, IPv6 address generation; the port's
 * policy; the host's addresses; traffic control; up, with the alias. On a bridge, @owner becomes
 * the ifindex of the port that owns the tap's address there: another one's when two ports have the
 * same address, which the kernel accepts silently.
 */
struct nl_result tap_set_up(struct nl *nl, const struct tap_setup *setup, int *owner);

/*
 * Put a tap that may be in use on a bridge, in two transactions and never down: a holder would get
 * EIO. The first one makes it a dormant port, which the bridge keeps shut, with its address, MTU
 * and policy, and reads it into @link; tap_open_port() opens it, when it is what it should be, and
 * tap_leave() takes it off again when it is not. @setup->address may be NULL, and @setup->mtu 0: as
 * they are.
 */
struct nl_result tap_join(struct nl *nl, const struct tap_setup *setup, struct link *link);
struct nl_result tap_leave(struct nl *nl, int ifindex);

/* No longer dormant, and up; with the alias, unless it is "". */
struct nl_result tap_open_port(struct nl *nl, int ifindex, const char *alias);

/* What is to be set right of a device that stays where it is, in use or not. */
struct tap_repair {
	int ifindex;
	const uint8_t *address; /* NULL: as it is */
	uint32_t mtu; /* 0: as it is */
	bool flags, vlans, entry; /* of the policy: */
	const struct port_policy *policy;
	const struct traffic *traffic; /* NULL: as it is */
	const uint8_t *guest;
	const char *alias; /* "": as it is */
};

/* Set it right, in one transaction, and read it into @link. */
struct nl_result tap_repair(struct nl *nl, const struct tap_repair *repair, struct link *link);
