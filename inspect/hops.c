/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <string.h>

#include "inspect/hops.h"
#include "inspect/inventory.h"
#include "kernel/packet.h"
#include "kernel/route.h"
#include "lib/report.h"
#include "nic/record.h"

#define READ_MAX 32768 /* frames of one hop at a time */
#define GATHER 5 /* ms */
#define STACKED_MAX 8 /* of MAX_NEST_DEV: as many as the kernel lets stand on each other */

static int report_packet(int err, const char *name)
{
	if (err == -EPERM)
		return report_error(err,
				    "%s: listening on it is not permitted: it needs "
				    "CAP_NET_RAW\nrun it with sudo",
				    name);
	return report_error(err, "%s: cannot listen on it: %s", name, strerror(-err));
}

static int add_hop(struct trace *trace, const struct link *link, enum hop_role role)
{
	struct hop *hop = &trace->hops[trace->count];
	enum packet_all all = PACKET_NOT_ALL;
	int err;

	if (trace->count == HOPS_MAX) {
		trace->left_out++;
		return 0;
	}
	*hop = (struct hop){ .role = role,
			     .ifindex = link->ifindex,
			     .isolated = link->port.isolated,
			     .filters = link->bridge.filters,
			     .outward = role >= HOP_UPLINK || link->kind == LINK_MACVTAP };
	memcpy(hop->name, link->name, sizeof(hop->name));
	memcpy(hop->address, link->address, MAC_LEN);
	if (role == HOP_DEVICE)
		all = hop->outward ? PACKET_ALL_OUT : PACKET_ALL_IN;
	if (role == HOP_UPLINK && trace->place == ON_NOTHING)
		err = packet_open_peer(&hop->ring, trace->peer);
	else
		err = packet_open(&hop->ring, trace->guest, all);
	if (err)
		return report_packet(err, link->name);
	trace->count++;
	return 0;
}

/* All at once, when all are open: what is on its way meanwhile is to be seen by all. */
static int start_hops(struct trace *trace, size_t first)
{
	int err = 0;

	for (size_t i = first; i < trace->count && !err; i++)
		err = packet_start(&trace->hops[i].ring, trace->hops[i].ifindex);
	if (err)
		return report_packet(err, trace->hops[0].name);
	for (size_t i = first; i < trace->count; i++)
		report_tell(REPORT_STEP, "%s: listening", trace->hops[i].name);
	return 0;
}

/* --- which devices --- */

/* Down through VLANs and macvlans, each of which stands on one device. */
static const struct link *find_base(const struct inventory *inventory, const struct link *link)
{
	for (size_t depth = 0; depth < STACKED_MAX; depth++) {
		const struct inventory_link *lower = inventory_find_lower(inventory, link);

		if (!lower || (strcmp(link->kind_name, "vlan") != 0 && link->kind != LINK_MACVLAN))
			break;
		link = &lower->link;
	}
	return link;
}

/* An uplink, and what it stands on in the end; of a bond, its ports. */
static int add_uplink(struct trace *trace, const struct inventory *inventory,
		      const struct link *uplink)
{
	const struct link *base = find_base(inventory, uplink);
	bool bond = strcmp(base->kind_name, "bond") == 0 || strcmp(base->kind_name, "team") == 0;
	int err = add_hop(trace, uplink, HOP_UPLINK);

	if (!err && base != uplink && !bond)
		err = add_hop(trace, base, HOP_BELOW);
	for (size_t i = 0; i < inventory->count && !err && bond; i++)
		if (inventory->links[i].link.master == base->ifindex)
			err = add_hop(trace, &inventory->links[i].link, HOP_BELOW);
	return err;
}

/* The ports that are not guests', first those that are not a container's. A dummy leads nowhere. */
static int add_uplinks(struct trace *trace, const struct inventory *inventory, int bridge)
{
	int err = 0;

	for (int veth = 0; veth <= 1; veth++) {
		for (size_t i = 0; i < inventory->count && !err; i++) {
			const struct link *link = &inventory->links[i].link;

			if (link->master == bridge && !link_is_tap(link) &&
			    strcmp(link->kind_name, "dummy") != 0 &&
			    (strcmp(link->kind_name, "veth") == 0) == veth)
				err = add_uplink(trace, inventory, link);
		}
	}
	return err;
}

static enum trace_place find_place(const struct link *device, const struct inventory_link *own,
				   const struct inventory_link *parent)
{
	if (device->port.of_bridge)
		return ON_BRIDGE;
	/* The userspace datapath of Open vSwitch is no master. */
	if (device->master || (own && own->record.ovs[0]))
		return ON_SWITCH;
	return device->kind == LINK_MACVTAP && parent ? ON_LOWER : ON_NOTHING;
}

static int add_hops(struct trace *trace, const struct inventory *inventory,
		    const struct link *device)
{
	const struct inventory_link *own = inventory_find(inventory, device->ifindex);
	const struct inventory_link *parent = own ? inventory_find(inventory, own->parent) : NULL;
	int err;

	trace->place = find_place(device, own, parent);
	if (own)
		memcpy(trace->ovs, own->record.ovs, sizeof(trace->ovs));
	err = add_hop(trace, device, HOP_DEVICE);
	if (!err && trace->place == ON_BRIDGE && parent) {
		err = add_hop(trace, &parent->link, HOP_BRIDGE);
		if (!err)
			err = add_uplinks(trace, inventory, parent->link.ifindex);
	} else if (!err && trace->place == ON_LOWER && parent) {
		err = add_uplink(trace, inventory, &parent->link);
	}
	return err;
}

/* --- whose guest --- */

struct heard {
	int port;
	uint8_t *guest;
	bool known;
};

static int hear(const struct fdb_entry *entry, void *data)
{
	struct heard *heard = data;

	if (entry->port == heard->port && entry->how == FDB_LEARNED && !heard->known) {
		memcpy(heard->guest, entry->mac, MAC_LEN);
		heard->known = true;
	}
	return 0;
}

/* By its record; a macvtap has it itself; else what the bridge has learned, or libvirt's rule. */
static int find_guest(struct trace *trace, struct nl *nl, const struct link *device)
{
	static const uint8_t libvirt[] = { 0xfe, 0x54, 0x00 };
	struct heard heard = { .port = device->ifindex, .guest = trace->guest };
	int err = 0;

	if (record_guest(trace->guest, device))
		return 0;
	memcpy(trace->guest, device->address, MAC_LEN);
	if (device->kind == LINK_MACVTAP)
		return 0;
	if (device->port.of_bridge)
		err = bridge_dump_fdb(nl, hear, &heard);
	if (err < 0)
		return report_error(err, "%s: cannot look up its guest's address: %s", device->name,
				    nl_strerror(err));
	if (heard.known)
		return 0;
	trace->guest[0] = 0x52;
	if (memcmp(device->address, libvirt, sizeof(libvirt)) == 0)
		return 0;
	return report_error(-ENODATA,
			    "%s: its guest's address is not known: tapctl did not make it, and the "
			    "bridge has heard nothing from it",
			    device->name);
}

int hops_open(struct trace *trace, struct nl *nl, const struct link *device)
{
	struct inventory inventory;
	int err;

	*trace = (struct trace){ .count = 0 };
	err = find_guest(trace, nl, device);
	if (err)
		return err;
	err = inventory_read(&inventory, nl);
	if (!err)
		err = add_hops(trace, &inventory, device);
	inventory_free(&inventory);
	/* Without it, or with a kernel that has none, the counts tell where frames end. */
	if (!err)
		(void)dropmon_open(&trace->dropmon);
	return err ? err : start_hops(trace, 0);
}

void hops_close(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		packet_close(&trace->hops[i].ring);
	trace->count = 0;
	dropmon_close(&trace->dropmon);
}

/* --- what comes --- */

static int find_routed(struct trace *trace, struct nl *nl, const struct frame *frame)
{
	int err, ifindex = route_find(nl, frame->ip_to);
	struct link link;

	if (ifindex <= 0 || ifindex == trace->hops[0].ifindex ||
	    nl_link_get(nl, NULL, ifindex, &link) || link.flags & IFF_LOOPBACK)
		return 0;
	trace->has_peer = true;
	memcpy(trace->peer, frame->ip_to, sizeof(trace->peer));
	err = add_hop(trace, &link, HOP_UPLINK);
	return err ? err : start_hops(trace, trace->count - 1);
}

int hops_wait(const struct trace *trace, int stop, int milliseconds)
{
	struct pollfd fds[HOPS_MAX + 2] = { { .fd = stop, .events = POLLIN } };

	for (size_t i = 0; i < trace->count; i++)
		fds[i + 1] = (struct pollfd){ .fd = trace->hops[i].ring.fd, .events = POLLIN };
	fds[trace->count + 1] = (struct pollfd){ .fd = dropmon_fd(&trace->dropmon),
						 .events = POLLIN };
	if (poll(fds, trace->count + 2, milliseconds) < 0 && errno != EINTR)
		return report_error(-errno, "cannot wait for frames: %s", strerror(errno));
	for (size_t i = 0; i < trace->count; i++)
		if (fds[i + 1].revents & POLLERR)
			packet_forget_error(&trace->hops[i].ring);
	/* Under load many are read at once, and the guest has the processor meanwhile. */
	poll(NULL, 0, GATHER);
	return fds[0].revents != 0;
}

/* Not without an end: under load there is always one more. */
static int read_hop(struct trace *trace, struct nl *nl, size_t i)
{
	bool unattached = trace->place == ON_NOTHING, routed = unattached && i > 0;
	struct hop *hop = &trace->hops[i];
	struct packet packet;
	struct frame frame;
	int err = 0;

	for (size_t n = 0; n < READ_MAX && !err && packet_next(&hop->ring, &packet); n++) {
		if (!frame_read(&frame, packet.bytes, packet.len) && !routed)
			continue;
		trace_count(trace, hop, &frame, packet.out);
		if (unattached && !routed && !trace->has_peer && packet.out == hop->outward &&
		    frame.kind == KIND_IPV4 && frame.asks)
			err = find_routed(trace, nl, &frame);
	}
	return err;
}

void hops_ask_missed(struct trace *trace)
{
	for (size_t i = 0; i < trace->count; i++)
		trace->hops[i].missed = packet_missed(&trace->hops[i].ring);
}

static void read_drops(struct trace *trace)
{
	struct frame frame;
	struct drop drop;

	for (size_t n = 0; n < READ_MAX && dropmon_next(&trace->dropmon, &drop); n++)
		if (frame_read(&frame, drop.bytes, drop.len))
			trace_count_drop(trace, &drop, &frame);
}

/* From the guest on, so that what it sends meanwhile is seen behind rather than before. */
int hops_read(struct trace *trace, struct nl *nl)
{
	int err = 0;

	for (size_t i = 0; i < trace->count && !err; i++)
		err = read_hop(trace, nl, i);
	read_drops(trace);
	trace_settle(trace);
	return err;
}

int hops_check(const struct trace *trace, struct nl *nl)
{
	struct link link;
	int err = 0;

	for (size_t i = 0; i < trace->count && !err; i++) {
		err = nl_link_get(nl, NULL, trace->hops[i].ifindex, &link);
		if (err == -ENODEV)
			report_failure("disappeared", err,
				       "%s: it disappeared meanwhile\ntrace again when it is back",
				       trace->hops[i].name);
	}
	return err && !report_line()[0] ?
		       report_error(err, "cannot look at the links: %s", nl_strerror(err)) :
		       err;
}
