/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include <linux/if_ether.h>
#include <linux/if_link.h>

#include "inspect/trace.h"

/* --- one frame --- */

/* @size bytes at @offset, or NULL: the frame is shorter, or what was copied of it. */
struct bytes {
	const uint8_t *start;
	size_t len;
};

static const uint8_t *at(const struct bytes *bytes, size_t offset, size_t size)
{
	return offset <= bytes->len && size <= bytes->len - offset ? bytes->start + offset : NULL;
}

static unsigned number(const struct bytes *bytes, size_t offset, size_t size)
{
	const uint8_t *byte = at(bytes, offset, size);
	unsigned value = 0;

	for (size_t i = 0; byte && i < size; i++)
		value = value << 8 | byte[i];
	return value;
}

static bool is_group(const uint8_t *mac)
{
	return mac[0] & 1;
}

static bool is_broadcast(const uint8_t *mac)
{
	return memcmp(mac, "\xff\xff\xff\xff\xff\xff", MAC_LEN) == 0;
}

static void keep_ips(struct frame *frame, const struct bytes *bytes, size_t from, size_t to)
{
	if (!at(bytes, from, 4) || !at(bytes, to, 4))
		return;
	frame->has_ip = true;
	memcpy(frame->ip_from, at(bytes, from, 4), 4);
	memcpy(frame->ip_to, at(bytes, to, 4), 4);
}

/* Nobody answers a probe (from 0.0.0.0) or an announcement (from its own address). */
static void read_arp(struct frame *frame, const struct bytes *arp)
{
	frame->kind = KIND_ARP;
	keep_ips(frame, arp, 14, 24);
	frame->answers = number(arp, 6, 2) == 2;
	frame->asks = number(arp, 6, 2) == 1 && frame->has_ip && number(arp, 14, 4) &&
		      memcmp(frame->ip_from, frame->ip_to, 4) != 0;
}

static void read_ipv4(struct frame *frame, const struct bytes *ip)
{
	size_t header = 4 * (number(ip, 0, 1) & 15U);
	unsigned port = number(ip, header + 2, 2);

	frame->kind = KIND_IPV4;
	frame->asks = frame->answers = !is_group(frame->to);
	keep_ips(frame, ip, 12, 16);
	/* A later fragment has no ports. */
	if (number(ip, 9, 1) != IPPROTO_UDP || number(ip, 6, 2) & 0x1fff ||
	    (port != 67 && port != 68))
		return;
	frame->kind = KIND_DHCP;
	frame->asks = port == 67;
	frame->answers = port == 68;
	if (frame->answers && at(ip, header + 36, MAC_LEN))
		memcpy(frame->client, at(ip, header + 36, MAC_LEN), MAC_LEN);
}

static void read_ipv6(struct frame *frame, const struct bytes *ip)
{
	unsigned type = number(ip, 40, 1);

	frame->asks = frame->answers = !is_group(frame->to);
	if (at(ip, 21, 3))
		memcpy(frame->end_from, at(ip, 21, 3), 3);
	if (number(ip, 6, 1) != IPPROTO_ICMPV6 || type < 133 || type > 137)
		return;
	frame->kind = KIND_NEIGHBOUR;
	/* Nobody answers from :: where no other has the address. */
	frame->asks = type == 135 && number(ip, 20, 4);
	frame->answers = type == 136;
	if (type == 135 && at(ip, 61, 3))
		memcpy(frame->end_to, at(ip, 61, 3), 3);
}

bool trace_read_frame(struct frame *frame, const uint8_t *bytes, size_t len)
{
	struct bytes rest = { .start = bytes, .len = len };
	unsigned type;

	*frame = (struct frame){ .kind = KIND_OTHER };
	if (len < ETH_HLEN)
		return false;
	memcpy(frame->to, bytes, MAC_LEN);
	memcpy(frame->from, bytes + MAC_LEN, MAC_LEN);
	for (type = number(&rest, 12, 2); type == ETH_P_8021Q || type == ETH_P_8021AD;
	     type = number(&rest, 12, 2)) {
		if (rest.len < ETH_HLEN + 4)
			return true;
		rest.start += 4;
		rest.len -= 4;
	}
	rest.start += ETH_HLEN;
	rest.len -= ETH_HLEN;
	if (type == ETH_P_ARP)
		read_arp(frame, &rest);
	else if (type == ETH_P_IP)
		read_ipv4(frame, &rest);
	else if (type == ETH_P_IPV6)
		read_ipv6(frame, &rest);
	return true;
}

/* --- counts --- */

static bool is_for_guest(const struct trace *trace, const struct frame *frame)
{
	const uint8_t *end = frame->end_to;

	if (!is_group(frame->to))
		return mac_equal(frame->to, trace->guest);
	switch (frame->kind) {
	case KIND_ARP:
		return frame->asks && trace->has_ip && memcmp(frame->ip_to, trace->ip, 4) == 0;
	case KIND_DHCP:
		return frame->answers && mac_equal(frame->client, trace->guest);
	case KIND_NEIGHBOUR:
		/* Most addresses that a guest makes for itself end as its MAC does. */
		return frame->asks &&
		       (memcmp(end, trace->guest + 3, 3) == 0 ||
			(memcmp(end, "\0\0", 3) != 0 && memcmp(end, trace->end, 3) == 0));
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
	return is_broadcast(frame->to) || (!is_group(frame->to) && !is_of_host(trace, frame->to));
}

/* What only its own device tells. */
static void count_at_device(struct trace *trace, const struct frame *frame, enum trace_way way)
{
	trace->asked[way][frame->kind] += frame->asks;
	trace->answered[way][frame->kind] += frame->answers;
	if (way == TO_GUEST)
		return;
	if (frame->has_ip && memcmp(frame->ip_from, "\0\0\0", 4) != 0) {
		trace->has_ip = true;
		memcpy(trace->ip, frame->ip_from, 4);
	}
	if (frame->asks && frame->kind == KIND_ARP)
		memcpy(trace->asked_ip, frame->ip_to, 4);
	if (memcmp(frame->end_from, "\0\0", 3) != 0)
		memcpy(trace->end, frame->end_from, 3);
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
		if (hop->role == HOP_DEVICE && !is_group(frame->from)) {
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
	counts->broadcast[frame->kind] += way == FROM_GUEST && is_broadcast(frame->to);
	if (hop->role == HOP_DEVICE)
		count_at_device(trace, frame, way);
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

/* --- the verdict --- */

#define BIT(kind) (1U << (kind))

/* All that is judged: the sums of each role, and the first hop that has it (NULL: none). */
struct view {
	const struct trace *trace;
	struct counts sums[HOP_ROLES];
	const struct hop *first[HOP_ROLES];
	size_t uplinks;
};

static void look(struct view *view, const struct trace *trace)
{
	*view = (struct view){ .trace = trace };
	for (enum hop_role role = 0; role < HOP_ROLES; role++)
		view->sums[role] = trace_sum(trace, role);
	for (size_t i = trace->count; i-- > 0;) {
		view->first[trace->hops[i].role] = &trace->hops[i];
		view->uplinks += trace->hops[i].role == HOP_UPLINK;
	}
}

/* Two hops, and by which kind of frames it shows that something takes them in between. */
struct stage {
	const char *id;
	enum trace_way way;
	enum hop_role here, next;
	bool (*lost)(const struct view *view, enum trace_kind kind);
};

/* The bridge floods broadcast to itself and to every port; unicast may be for another guest, which
 * then answers. */
static bool lost_at_port(const struct view *view, enum trace_kind k)
{
	return view->sums[HOP_DEVICE].broadcast[k] && !view->sums[HOP_BRIDGE].broadcast[k] &&
	       !view->sums[HOP_UPLINK].all[FROM_GUEST][k];
}

static bool lost_before_uplink(const struct view *view, enum trace_kind k)
{
	const struct counts *device = &view->sums[HOP_DEVICE];

	return device->beyond[FROM_GUEST][k] && !view->sums[HOP_UPLINK].all[FROM_GUEST][k] &&
	       (device->broadcast[k] || !device->beyond[TO_GUEST][k]);
}

/* Of several uplinks, some may stand on nothing. */
static bool lost_below_uplink(const struct view *view, enum trace_kind k)
{
	const struct counts *uplink = &view->sums[HOP_UPLINK];

	return !view->sums[HOP_BELOW].all[FROM_GUEST][k] &&
	       (view->uplinks == 1 ? uplink->all[FROM_GUEST][k] : uplink->broadcast[k]);
}

static bool lost_above_below(const struct view *view, enum trace_kind k)
{
	return view->sums[HOP_BELOW].beyond[TO_GUEST][k] &&
	       !view->sums[HOP_UPLINK].beyond[TO_GUEST][k];
}

static bool lost_before_guest(const struct view *view, enum trace_kind k)
{
	return view->sums[HOP_UPLINK].beyond[TO_GUEST][k] &&
	       !view->sums[HOP_DEVICE].beyond[TO_GUEST][k];
}

static bool lost_from_host(const struct view *view, enum trace_kind k)
{
	return view->sums[HOP_BRIDGE].all[TO_GUEST][k] && !view->sums[HOP_DEVICE].all[TO_GUEST][k];
}

static const struct stage stages[] = {
	{ "stops-at-port", FROM_GUEST, HOP_DEVICE, HOP_BRIDGE, lost_at_port },
	{ "stops-before-uplink", FROM_GUEST, HOP_DEVICE, HOP_UPLINK, lost_before_uplink },
	{ "stops-below-uplink", FROM_GUEST, HOP_UPLINK, HOP_BELOW, lost_below_uplink },
	{ "stops-at-uplink", TO_GUEST, HOP_BELOW, HOP_UPLINK, lost_above_below },
	{ "stops-before-guest", TO_GUEST, HOP_UPLINK, HOP_DEVICE, lost_before_guest },
	{ "stops-before-guest", TO_GUEST, HOP_BRIDGE, HOP_DEVICE, lost_from_host },
};

static unsigned total(const unsigned *counts)
{
	unsigned sum = 0;

	for (size_t k = 0; k < KINDS; k++)
		sum += counts[k];
	return sum;
}

static void put_kinds(char text[static 64], unsigned kinds)
{
	static const char *const names[KINDS] = { "ARP", "DHCP", "IPv4", "IPv6 neighbours",
						  "other frames" };
	size_t len = 0;

	text[0] = '\0';
	for (size_t k = 0; k < KINDS; k++)
		if (kinds & BIT(k))
			len += (size_t)snprintf(text + len, 64 - len, "%s%s", len ? ", " : "",
						names[k]);
}

#define SAY(text, ...) snprintf(text, VERDICT_TEXT, __VA_ARGS__)

/* What to do where frames end on the way from the guest, or to it. */
static void advise(const struct view *view, const struct stage *stage, char *remedy)
{
	const char *device = view->trace->hops[0].name, *next = view->first[stage->next]->name,
		   *here = view->first[stage->here]->name;
	char peer[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, view->trace->peer, peer, sizeof(peer));
	if (stage->lost == lost_at_port)
		SAY(remedy,
		    "look at the port: bridge -d link show dev %s; tc filter show dev %s ingress; "
		    "nft list ruleset (families bridge and netdev)",
		    device, device);
	else if (stage->lost == lost_below_uplink)
		SAY(remedy, "look at both: ip -d link show %s; tc filter show dev %s egress", here,
		    next);
	else if (stage->lost == lost_above_below)
		SAY(remedy,
		    "look at their VLAN tags: ip -d link show %s; tcpdump -e -i %s; and at tc "
		    "filter show dev %s ingress",
		    next, here, here);
	else if (view->trace->place == ON_NOTHING)
		SAY(remedy,
		    "look at the host's routing: sysctl net.ipv4.ip_forward; ip route get %s; nft "
		    "list ruleset (forward)",
		    peer);
	else if (view->trace->place == ON_LOWER)
		SAY(remedy,
		    "look at both: ip -d link show; tc filter show dev %s %s; nft list ruleset "
		    "(family netdev)",
		    view->first[HOP_UPLINK]->name, stage->way == FROM_GUEST ? "egress" : "ingress");
	else if (view->trace->hops[0].isolated && view->first[HOP_UPLINK]->isolated)
		SAY(remedy, "both ports are isolated: bridge link set dev %s isolated off",
		    view->first[HOP_UPLINK]->name);
	else
		SAY(remedy,
		    "look at the bridge: bridge -d link show dev %s (state, isolated, flood); "
		    "bridge vlan show; bridge fdb show; bridge mdb show; nft list ruleset (family "
		    "bridge); tc filter show dev %s egress",
		    next, next);
}

static bool judge_stages(const struct view *view, enum trace_way way, struct verdict *verdict)
{
	for (size_t i = 0; i < sizeof(stages) / sizeof(*stages); i++) {
		const struct stage *stage = &stages[i];
		unsigned lost = 0;
		char kinds[64];

		if (stage->way != way || !view->first[stage->here] || !view->first[stage->next])
			continue;
		for (enum trace_kind k = 0; k < KINDS; k++)
			lost |= stage->lost(view, k) ? BIT(k) : 0;
		if (!lost)
			continue;
		put_kinds(kinds, lost);
		verdict->id = stage->id;
		verdict->reach = stage->here > stage->next ? stage->here : stage->next;
		SAY(verdict->where, "%s %s the guest: seen at %s, and not at %s", kinds,
		    way == FROM_GUEST ? "from" : "to", view->first[stage->here]->name,
		    view->first[stage->next]->name);
		advise(view, stage, verdict->remedy);
		return true;
	}
	return false;
}

/* Nothing comes from the guest's own address, or it comes from the other side, too. */
static bool judge_address(const struct view *view, struct verdict *verdict)
{
	const struct trace *trace = view->trace;
	const struct counts *device = &view->sums[HOP_DEVICE];
	char guest[MAC_STRLEN], foreign[MAC_STRLEN];

	mac_format(guest, trace->guest);
	mac_format(foreign, trace->foreign);
	if (trace->foreign_count && !total(device->all[FROM_GUEST])) {
		verdict->id = "wrong-source";
		SAY(verdict->where, "%s: its guest sends as %s and not as %s", trace->hops[0].name,
		    foreign, guest);
		SAY(verdict->remedy, "tell the VMM: mac=%s", guest);
		return true;
	}
	for (size_t i = 0; i < trace->count && !total(device->beyond[TO_GUEST]); i++) {
		if (!trace->hops[i].echoed)
			continue;
		verdict->id = "guest-elsewhere";
		verdict->reach = HOP_BELOW;
		SAY(verdict->where,
		    "%s: frames from the guest's address %s come in there: another machine has it, "
		    "or there is a loop",
		    trace->hops[i].name, guest);
		SAY(verdict->remedy,
		    "look for it beyond %s: bridge fdb show, and the switch's "
		    "table of addresses",
		    trace->hops[i].name);
		return true;
	}
	return false;
}

static unsigned unanswered(const struct trace *trace, enum trace_way way)
{
	const unsigned *asked = trace->asked[way], *answered = trace->answered[!way];
	unsigned kinds = 0;

	/* Where something is answered, IPv6 may be in use by the guest alone. */
	for (enum trace_kind k = 0; k < KINDS; k++)
		if (asked[k] && !answered[k] && (k != KIND_NEIGHBOUR || !total(answered)))
			kinds |= BIT(k);
	return kinds;
}

/* The last hop at which anything from the guest was seen. */
static const struct hop *last_hop(const struct view *view)
{
	for (enum hop_role role = HOP_ROLES; role-- > 0;)
		if (view->first[role] && total(view->sums[role].all[FROM_GUEST]))
			return view->first[role];
	return view->first[HOP_DEVICE];
}

static void judge_no_answer(const struct view *view, unsigned kinds, struct verdict *verdict)
{
	const struct trace *trace = view->trace;
	const struct hop *last = last_hop(view);
	char text[64], ip[INET_ADDRSTRLEN];
	unsigned times = 0;

	for (size_t k = 0; k < KINDS; k++)
		times += kinds & BIT(k) ? trace->asked[FROM_GUEST][k] : 0;
	put_kinds(text, kinds);
	inet_ntop(AF_INET, trace->asked_ip, ip, sizeof(ip));
	verdict->id = "no-answer";
	verdict->reach = HOP_BELOW;
	SAY(verdict->where, "%s from the guest, %u times: seen as far as %s, and not answered%s%s",
	    text, times, last->name, kinds & BIT(KIND_ARP) ? ": who has " : "",
	    kinds & BIT(KIND_ARP) ? ip : "");
	if (trace->place == ON_SWITCH)
		SAY(verdict->remedy,
		    "ask the switch: ovs-appctl ofproto/trace BRIDGE in_port=%s,dl_src=GUEST",
		    trace->hops[0].name);
	else if (last->role >= HOP_UPLINK)
		SAY(verdict->remedy,
		    "look beyond %s: is who was asked there and up, in the same VLAN, and does "
		    "the switch accept the guest's address?",
		    last->name);
	else
		SAY(verdict->remedy,
		    "look at who was asked: the host (ip address; nft list ruleset) or another "
		    "guest (bridge -d link show)");
}

static void judge_guest(const struct trace *trace, unsigned ignored, struct verdict *verdict)
{
	const char *name = trace->hops[0].name;
	char kinds[64];

	put_kinds(kinds, ignored);
	if (ignored) {
		verdict->id = "guest-ignores";
		SAY(verdict->where, "%s to the guest: seen at %s, and the guest does not answer",
		    kinds, name);
		SAY(verdict->remedy, "look inside the guest: its addresses, its netmask, its "
				     "firewall");
	} else {
		verdict->id = "guest-silent";
		SAY(verdict->where, "%s: nothing comes from its guest", name);
		SAY(verdict->remedy, "look inside the guest: has it a driver for the card, and is "
				     "the card up?");
		if (trace->hops[0].outward)
			SAY(verdict->remedy,
			    "look inside the guest: is its card up? and at what may take its "
			    "frames: tc filter show dev %s egress",
			    name);
	}
}

void trace_judge(const struct trace *trace, struct verdict *verdict)
{
	unsigned unheard = unanswered(trace, FROM_GUEST), ignored = unanswered(trace, TO_GUEST);
	struct view view;

	look(&view, trace);
	*verdict = (struct verdict){ .reach = HOP_DEVICE };
	if (judge_stages(&view, FROM_GUEST, verdict) || judge_address(&view, verdict) ||
	    judge_stages(&view, TO_GUEST, verdict))
		return;
	if (unheard) {
		judge_no_answer(&view, unheard, verdict);
	} else if (ignored || !total(view.sums[HOP_DEVICE].all[FROM_GUEST])) {
		judge_guest(trace, ignored, verdict);
	} else if (!total(view.sums[HOP_DEVICE].all[TO_GUEST])) {
		verdict->id = "nothing-asked";
		SAY(verdict->where, "%s: its guest asks nothing, and nothing comes for it",
		    trace->hops[0].name);
		SAY(verdict->remedy, "let it talk meanwhile: ping from inside the guest");
	} else {
		verdict->id = "flows";
		verdict->flows = true;
		SAY(verdict->where, "%s: frames go from the guest and to it", trace->hops[0].name);
		SAY(verdict->remedy, "if something still fails: look inside the guest, or beyond "
				     "this host");
	}
}
