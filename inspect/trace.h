/* SPDX-License-Identifier: MIT */
/*
 * A guest's frames, counted at each hop that they pass.
 *
 * Pure.
 */
#pragma once

#include <linux/if.h>

#include "inspect/frame.h"
#include "kernel/dropmon.h"
#include "kernel/packet.h"

enum trace_way { FROM_GUEST, TO_GUEST, WAYS };

enum hop_role {
	HOP_DEVICE, /* the guest's own: always the first */
	HOP_BRIDGE, /* sees what is for the host, and broadcast */
	HOP_UPLINK, /* or a macvtap's lower device, or the one that the host routes to */
	HOP_BELOW, /* what an uplink stands on */
	HOP_ROLES
};

struct counts {
	unsigned all[WAYS][KINDS];
	unsigned beyond[WAYS][KINDS]; /* of them, not from or to the host and not multicast */
	unsigned broadcast[KINDS]; /* from the guest */
};

struct hop {
	enum hop_role role;
	char name[IFNAMSIZ];
	int ifindex;
	struct packet_ring ring;
	uint8_t address[MAC_LEN];
	bool outward; /* what the guest sends goes out there; else it comes in */
	bool isolated; /* the bridge keeps such ports from each other */
	bool filters; /* a bridge that filters VLANs, and may not be in the guest's itself */
	struct counts counts;
	unsigned echoed; /* came in from beyond, from the guest's own address */
	unsigned missed; /* as they were not read in time */
};

enum trace_place { ON_BRIDGE, ON_LOWER, ON_NOTHING, ON_SWITCH /* of another kind */ };

/* The guest's IP addresses: what is sent to a group may ask for one. */
struct guest_ip {
	bool has_ip;
	uint8_t ip[4];
	uint8_t end[3]; /* the last bytes of one of IPv6 */
};

/* What the kernel dropped of the guest's frames in one of its functions, for one reason. */
struct dropped {
	enum trace_way way;
	bool by_host; /* it was for the host itself */
	unsigned counts[KINDS];
	char function[DROP_TEXT], reason[DROP_TEXT];
};

#define HOPS_MAX 16
#define DROPPED_MAX 16
struct trace {
	uint8_t guest[MAC_LEN];
	enum trace_place place;
	char ovs[IFNAMSIZ]; /* the bridge of Open vSwitch, if it is known */
	struct hop hops[HOPS_MAX];
	size_t count, left_out; /* hops */
	struct guest_ip known, heard; /* by its frames: until now, and since trace_settle() */
	bool has_peer;
	uint8_t peer[4]; /* on no bridge: whom the host is to route to */
	/* at its device */
	unsigned foreign_count;
	uint8_t foreign[MAC_LEN]; /* another address that it sent from */
	unsigned asked[WAYS][KINDS], answered[WAYS][KINDS];
	uint8_t asked_ip[4];
	struct dropmon dropmon;
	struct dropped dropped[DROPPED_MAX];
	size_t dropped_count;
};

/* Count a frame, which went @out at @hop or came in there. */
void trace_count(struct trace *trace, struct hop *hop, const struct frame *frame, bool out);

/* Count what the kernel dropped, when it is a @frame of the guest's. */
void trace_count_drop(struct trace *trace, const struct drop *drop, const struct frame *frame);

/*
 * Where, and why, it dropped most of the @kinds (bits), and how many; or NULL. @host: also what was
 * for the host itself.
 */
const struct dropped *trace_find_dropped(const struct trace *trace, enum trace_way way,
					 unsigned kinds, bool host, unsigned *times);

/*
 * What has come at all hops was counted. Addresses that were heard meanwhile are looked for from
 * now on: a frame then counts at each hop, or at none.
 */
void trace_settle(struct trace *trace);

/* Of all hops of that role. */
struct counts trace_sum(const struct trace *trace, enum hop_role role);
