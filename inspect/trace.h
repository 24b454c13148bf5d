/* SPDX-License-Identifier: MIT */
/*
 * What a guest's frames tell, hop by hop: each is read, counted where it was seen, and in the end
 * the counts are judged: where do frames end?
 *
 * Pure. Frames are data from outside: any bytes of any length may come.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/if.h>

#include "macutil.h"

enum trace_kind { KIND_ARP, KIND_DHCP, KIND_IPV4, KIND_NEIGHBOUR, KIND_OTHER, KINDS };
enum trace_way { FROM_GUEST, TO_GUEST, WAYS };

/* What one frame says of itself. */
struct frame {
	uint8_t to[MAC_LEN], from[MAC_LEN];
	enum trace_kind kind;
	bool asks, answers; /* one may be both */
	uint8_t client[MAC_LEN]; /* whom a DHCP answer is for */
	bool has_ip; /* of IPv4 and ARP: */
	uint8_t ip_from[4], ip_to[4];
	uint8_t end_from[3], end_to[3]; /* of IPv6: the last bytes of its addresses, or 0 */
};

/* Read the first @len bytes of a frame. False: it is no frame of Ethernet. */
bool trace_read_frame(struct frame *frame, const uint8_t *bytes, size_t len);

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
	int ifindex, fd;
	uint8_t address[MAC_LEN];
	bool outward; /* what the guest sends goes out there; else it comes in */
	bool isolated; /* the bridge keeps such ports from each other */
	struct counts counts;
	unsigned echoed; /* came in from beyond, from the guest's own address */
	unsigned dropped; /* by the kernel, as they were not read in time */
};

enum trace_place { ON_BRIDGE, ON_LOWER, ON_NOTHING, ON_SWITCH /* of another kind */ };

#define HOPS_MAX 16
struct trace {
	uint8_t guest[MAC_LEN];
	enum trace_place place;
	struct hop hops[HOPS_MAX];
	size_t count, left_out; /* hops */
	/* learned from the guest's frames */
	bool has_ip, has_peer;
	uint8_t ip[4], end[3];
	uint8_t peer[4]; /* on no bridge: whom the host was to route to */
	/* at its device */
	unsigned foreign_count;
	uint8_t foreign[MAC_LEN]; /* another address that it sent from */
	unsigned asked[WAYS][KINDS], answered[WAYS][KINDS];
	uint8_t asked_ip[4];
};

/* Count a frame, which went @out at @hop or came in there. */
void trace_count(struct trace *trace, struct hop *hop, const struct frame *frame, bool out);

/* Of all hops of that role. */
struct counts trace_sum(const struct trace *trace, enum hop_role role);

#define VERDICT_TEXT 320
struct verdict {
	const char *id; /* programs rely on it: it never changes */
	bool flows; /* frames went both ways */
	enum hop_role reach; /* the last hop that what explains it may be about */
	char where[VERDICT_TEXT]; /* frames end */
	char remedy[VERDICT_TEXT]; /* what to do */
};
void trace_judge(const struct trace *trace, struct verdict *verdict);
