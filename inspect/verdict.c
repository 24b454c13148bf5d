/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "inspect/verdict.h"

#define BIT(kind) (1U << (kind))
#define ALL_KINDS (BIT(KINDS) - 1)

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
	bool (*lost)(const struct view *view, enum frame_kind kind);
};

/* The bridge floods broadcast to itself and to every port; unicast may be for another guest, which
 * then answers. */
static bool lost_at_port(const struct view *view, enum frame_kind k)
{
	return !view->first[HOP_BRIDGE]->filters && view->sums[HOP_DEVICE].broadcast[k] &&
	       !view->sums[HOP_BRIDGE].broadcast[k] && !view->sums[HOP_UPLINK].all[FROM_GUEST][k];
}

static bool lost_before_uplink(const struct view *view, enum frame_kind k)
{
	const struct counts *device = &view->sums[HOP_DEVICE];

	return device->beyond[FROM_GUEST][k] && !view->sums[HOP_UPLINK].all[FROM_GUEST][k] &&
	       (device->broadcast[k] || !device->beyond[TO_GUEST][k]);
}

/* Of several uplinks, some may stand on nothing. */
static bool lost_below_uplink(const struct view *view, enum frame_kind k)
{
	const struct counts *uplink = &view->sums[HOP_UPLINK];

	return !view->sums[HOP_BELOW].all[FROM_GUEST][k] &&
	       (view->uplinks == 1 ? uplink->all[FROM_GUEST][k] : uplink->broadcast[k]);
}

static bool lost_above_below(const struct view *view, enum frame_kind k)
{
	return view->sums[HOP_BELOW].beyond[TO_GUEST][k] &&
	       !view->sums[HOP_UPLINK].beyond[TO_GUEST][k];
}

static bool lost_before_guest(const struct view *view, enum frame_kind k)
{
	return view->sums[HOP_UPLINK].beyond[TO_GUEST][k] &&
	       !view->sums[HOP_DEVICE].beyond[TO_GUEST][k];
}

static bool lost_from_host(const struct view *view, enum frame_kind k)
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

static void ask_kernel(const struct trace *trace, enum trace_way way, unsigned kinds, bool host,
		       struct verdict *verdict)
{
	unsigned times;
	const struct dropped *dropped = trace_find_dropped(trace, way, kinds, host, &times);

	verdict->dropped = dropped;
	if (dropped)
		SAY(verdict->drop, "the kernel dropped %u of them in %s%s%s", times,
		    dropped->function, dropped->reason[0] ? ": " : "", dropped->reason);
}

/* What to do where frames end on the way from the guest, or to it. */
static void advise(const struct view *view, const struct stage *stage, struct verdict *verdict)
{
	char *remedy = verdict->remedy;
	const char *device = view->trace->hops[0].name, *next = view->first[stage->next]->name,
		   *here = view->first[stage->here]->name;
	char peer[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, view->trace->peer, peer, sizeof(peer));
	verdict->certain = view->trace->hops[0].isolated && stage->lost == lost_before_uplink &&
			   view->first[HOP_UPLINK]->isolated;
	if (verdict->certain)
		SAY(remedy,
		    "both are isolated from each other: bridge link set dev %s isolated off",
		    view->first[HOP_UPLINK]->name);
	else if (stage->lost == lost_at_port)
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
		    stage->here == HOP_DEVICE ? next : here,
		    stage->way == FROM_GUEST ? "egress" : "ingress");
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
		for (enum frame_kind k = 0; k < KINDS; k++)
			lost |= stage->lost(view, k) ? BIT(k) : 0;
		if (!lost)
			continue;
		put_kinds(kinds, lost);
		verdict->id = stage->id;
		verdict->reach = stage->here > stage->next ? stage->here : stage->next;
		verdict->at_filter = way == FROM_GUEST && stage->here == HOP_DEVICE &&
				     !view->trace->hops[0].outward;
		SAY(verdict->where, "%s %s the guest: seen at %s, and not at %s", kinds,
		    way == FROM_GUEST ? "from" : "to", view->first[stage->here]->name,
		    view->first[stage->next]->name);
		ask_kernel(view->trace, way, lost, false, verdict);
		advise(view, stage, verdict);
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
	for (enum frame_kind k = 0; k < KINDS; k++)
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
	char text[64], ip[INET_ADDRSTRLEN], guest[MAC_STRLEN];
	bool arp = kinds & BIT(KIND_ARP);
	unsigned times = 0;

	for (size_t k = 0; k < KINDS; k++)
		times += (kinds & BIT(k)) ? trace->asked[FROM_GUEST][k] : 0;
	put_kinds(text, kinds);
	inet_ntop(AF_INET, trace->asked_ip, ip, sizeof(ip));
	verdict->id = "no-answer";
	verdict->reach = HOP_BELOW;
	verdict->at_filter = last->role == HOP_DEVICE && !last->outward;
	SAY(verdict->where, "%s from the guest, %u times: seen as far as %s, and not answered%s%s",
	    text, times, last->name, arp ? ": who has " : "", arp ? ip : "");
	if (last->role < HOP_UPLINK)
		ask_kernel(trace, FROM_GUEST, kinds, true, verdict);
	if (trace->place == ON_SWITCH)
		SAY(verdict->remedy,
		    "ask the switch: ovs-appctl ofproto/trace %s in_port=%s,dl_src=%s",
		    trace->ovs[0] ? trace->ovs : "BRIDGE", trace->hops[0].name,
		    mac_format(guest, trace->guest));
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

static void judge_guest(const struct view *view, unsigned ignored, struct verdict *verdict)
{
	const struct trace *trace = view->trace;
	const char *name = trace->hops[0].name;
	bool silent = !total(view->sums[HOP_DEVICE].all[FROM_GUEST]);
	char kinds[64];

	if (silent)
		ask_kernel(trace, FROM_GUEST, ALL_KINDS, false, verdict);
	if (!verdict->dropped)
		ask_kernel(trace, TO_GUEST, ignored, false, verdict);
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
	}
	/* A filter there has a macvtap's frames before they are seen. */
	verdict->at_filter = silent && trace->hops[0].outward;
	if (verdict->at_filter)
		SAY(verdict->remedy,
		    "look inside the guest: is its card up? and at what may take its "
		    "frames: tc filter show dev %s egress",
		    name);
}

void verdict_find(const struct trace *trace, struct verdict *verdict)
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
		judge_guest(&view, ignored, verdict);
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
