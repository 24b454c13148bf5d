/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "inspect/trace.h"

static bool is_for_guest(const struct trace *trace, const struct frame *frame)
{
	const uint8_t *end = frame->end_to;

	if (!frame_is_group(frame->to))
		return mac_equal(frame->to, trace->guest);
	switch (frame->kind) {
	case KIND_ARP:
		return frame->asks && trace->known.has_ip &&
		       memcmp(frame->ip_to, trace->known.ip, 4) == 0;
	case KIND_DHCP:
		return frame->answers && mac_equal(frame->client, trace->guest);
	case KIND_NEIGHBOUR:
		/* Most addresses that a guest makes for itself end as its MAC does. */
		return frame->asks &&
		       (memcmp(end, trace->guest + 3, 3) == 0 ||
			(memcmp(end, "\0\0", 3) != 0 && memcmp(end, trace->known.end, 3) == 0));
	default:
		return false;
	}
}

static bool is_of_host(const struct trace *trace, const uint8_t *mac)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->hops[i].role != HOP_DEVICE && mac_equal(trace->hops[i].address, mac))
			return true;
	return false;
}

/* Whether it goes on behind the hop, or came from there: by the bridge, or by the host's routing.
 */
static bool is_beyond(const struct trace *trace, const struct frame *frame, enum trace_way way)
{
	const uint8_t *ip = way == FROM_GUEST ? frame->ip_to : frame->ip_from;

	if (trace->place == ON_NOTHING)
		return trace->has_peer && frame->kind == KIND_IPV4 &&
		       memcmp(ip, trace->peer, 4) == 0;
	if (way == TO_GUEST)
		return !is_of_host(trace, frame->from);
	return frame_is_broadcast(frame->to) ||
	       (!frame_is_group(frame->to) && !is_of_host(trace, frame->to));
}

/* What only its own device tells. */
static void count_at_device(struct trace *trace, const struct frame *frame, enum trace_way way)
{
	trace->asked[way][frame->kind] += frame->asks;
	trace->answered[way][frame->kind] += frame->answers;
	if (way == TO_GUEST)
		return;
	if (frame->has_ip && memcmp(frame->ip_from, "\0\0\0", 4) != 0) {
		trace->heard.has_ip = true;
		memcpy(trace->heard.ip, frame->ip_from, 4);
	}
	if (frame->asks && frame->kind == KIND_ARP)
		memcpy(trace->asked_ip, frame->ip_to, 4);
	if (memcmp(frame->end_from, "\0\0", 3) != 0)
		memcpy(trace->heard.end, frame->end_from, 3);
}

void trace_count(struct trace *trace, struct hop *hop, const struct frame *frame, bool out)
{
	enum trace_way way = out == hop->outward ? FROM_GUEST : TO_GUEST;
	bool own = mac_equal(frame->from, trace->guest);
	struct counts *counts = &hop->counts;

	/* Routed, it is in frames of the host's; the kernel has found it by its IP address. */
	if (trace->place == ON_NOTHING && hop->role == HOP_UPLINK) {
		counts->all[way][KIND_IPV4]++;
		counts->beyond[way][KIND_IPV4]++;
		return;
	}
	if (way == FROM_GUEST && !own) {
		if (hop->role == HOP_DEVICE && !frame_is_group(frame->from)) {
			trace->foreign_count++;
			memcpy(trace->foreign, frame->from, MAC_LEN);
		}
		return;
	}
	if (way == TO_GUEST && own && hop->role >= HOP_UPLINK)
		hop->echoed++;
	if (way == TO_GUEST && (own || !is_for_guest(trace, frame)))
		return;
	counts->all[way][frame->kind]++;
	counts->beyond[way][frame->kind] += is_beyond(trace, frame, way);
	counts->broadcast[frame->kind] += way == FROM_GUEST && frame_is_broadcast(frame->to);
	if (hop->role == HOP_DEVICE)
		count_at_device(trace, frame, way);
}

/* --- what the kernel dropped --- */

/* The hop at which it came in, or NULL. */
static const struct hop *find_hop(const struct trace *trace, int ifindex)
{
	for (size_t i = 0; i < trace->count; i++)
		if (trace->hops[i].ifindex == ifindex)
			return &trace->hops[i];
	return NULL;
}

/* Routed, it is to the guest by its IP address alone. */
static bool is_routed_to_guest(const struct trace *trace, const struct frame *frame)
{
	return trace->place == ON_NOTHING && trace->known.has_ip && frame->has_ip &&
	       memcmp(frame->ip_to, trace->known.ip, 4) == 0;
}

/* Others drop copies of what is sent to everybody: the guest's own frame comes in at its device, or
 * at the bridge as one for the host. */
static bool is_on_its_way(const struct hop *in, enum trace_way way)
{
	return in && (way == TO_GUEST || in->role <= HOP_BRIDGE);
}

void trace_count_drop(struct trace *trace, const struct drop *drop, const struct frame *frame)
{
	const struct hop *in = find_hop(trace, drop->in_port);
	struct dropped *dropped = trace->dropped, *end = dropped + trace->dropped_count;
	struct dropped new = { .way = mac_equal(frame->from, trace->guest) ? FROM_GUEST :
									     TO_GUEST };

	if ((drop->in_port && !is_on_its_way(in, new.way)) ||
	    (new.way == TO_GUEST && !is_for_guest(trace, frame) &&
	     !is_routed_to_guest(trace, frame)))
		return;
	new.by_host = new.way == FROM_GUEST &&in && in->role == HOP_BRIDGE;
	memcpy(new.function, drop->function, DROP_TEXT);
	memcpy(new.reason, drop->reason, DROP_TEXT);
	while (dropped < end && (dropped->way != new.way || dropped->by_host != new.by_host ||
				 strcmp(dropped->function, new.function) != 0 ||
				 strcmp(dropped->reason, new.reason) != 0))
		dropped++;
	if (dropped == trace->dropped + DROPPED_MAX)
		return;
	if (dropped == end) {
		*dropped = new;
		trace->dropped_count++;
	}
	dropped->counts[frame->kind]++;
}

const struct dropped *trace_find_dropped(const struct trace *trace, enum trace_way way,
					 unsigned kinds, bool host, unsigned *times)
{
	const struct dropped *found = NULL;

	*times = 0;
	for (size_t i = 0; i < trace->dropped_count; i++) {
		const struct dropped *dropped = &trace->dropped[i];
		unsigned sum = 0;

		for (size_t k = 0; k < KINDS; k++)
			sum += kinds >> k & 1 ? dropped->counts[k] : 0;
		if (dropped->way == way && (host || !dropped->by_host) && sum > *times) {
			found = dropped;
			*times = sum;
		}
	}
	return found;
}

void trace_settle(struct trace *trace)
{
	trace->known = trace->heard;
}

struct counts trace_sum(const struct trace *trace, enum hop_role role)
{
	struct counts sum = { .broadcast = { 0 } };

	for (size_t i = 0; i < trace->count; i++) {
		const struct counts *counts = &trace->hops[i].counts;

		for (size_t k = 0; k < KINDS && trace->hops[i].role == role; k++) {
			for (size_t way = 0; way < WAYS; way++) {
				sum.all[way][k] += counts->all[way][k];
				sum.beyond[way][k] += counts->beyond[way][k];
			}
			sum.broadcast[k] += counts->broadcast[k];
		}
	}
	return sum;
}
