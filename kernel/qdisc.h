/* SPDX-License-Identifier: MIT */
/*
 * Traffic control by rtnetlink: which frames of its guest's a device takes, and how many.
 *
 * Of a tap, frames to the guest leave by its root queueing discipline, and those from the guest
 * come in by clsact's ingress; of a macvtap it is the other way round. So the one direction is
 * shaped by tbf(8) and the other policed by an action on clsact, behind the filter of
 * kernel/filter.h, for which a macvtap has clsact's egress.
 */
#pragma once

#include <stdbool.h>

#include "lib/prefix.h"
#include "lib/rate.h"
#include "netlink.h"

/* What was asked for; all zeros: nothing. */
struct traffic {
	struct prefixes ip; /* the only addresses that the guest may send from; none: any */
	struct rate in, out; /* to and from the guest */
};

/*
 * Put the @traffic (NULL: nothing) of @guest on the link @ifindex, as a part of the transaction
 * before the message that brings it up. Where nothing is shaped there is no queueing discipline: a
 * tap passes frames on at once, and the guest has a queue. libvirt does the same by running tc.
 */
void traffic_put(struct nl *nl, int ifindex, bool is_macvtap, const uint8_t guest[static MAC_LEN],
		 const struct traffic *traffic);

/* The same for a device that is in use: only what has been asked for, if there is a @traffic. */
void traffic_put_again(struct nl *nl, int ifindex, bool is_macvtap, const uint8_t *guest,
		       const struct traffic *traffic);

bool traffic_is_set(const struct traffic *traffic);

/* tc's preferences: filters are asked in this order. */
enum { FILTER_PREFERENCE = 1, POLICE_PREFERENCE };

/* How many bytes may wait where a rate is shaped. */
uint32_t traffic_queue_limit(const struct rate *rate);

/* What of it is there. */
struct traffic_state {
	bool known; /* all that was asked for was looked at */
	bool filters, limits_in, limits_out; /* exactly as it was asked for */
	uint64_t dropped; /* frames, by the policer */
};

/* Ask the kernel, about what @traffic wants only. 0 or a negative errno. */
int traffic_read(struct nl *nl, struct traffic_state *state, int ifindex, bool is_macvtap,
		 const uint8_t guest[static MAC_LEN], const struct traffic *traffic);

/* Count the frames that the filter of a device has dropped, whose @state was read before. */
int traffic_count_drops(struct nl *nl, int ifindex, const struct traffic_state *state,
			uint64_t *filtered);

/* Call @each for every link that has filters of tc(8), as nl_dump() does: clsact or ingress. */
struct filter_counts {
	int ifindex;
	unsigned seen, dropped; /* frames, of both directions */
};
typedef int filter_counts_fn(const struct filter_counts *counts, void *data);
int qdisc_dump_filters(struct nl *nl, filter_counts_fn *each, void *data);
