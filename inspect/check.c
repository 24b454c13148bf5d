/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "inspect/check.h"
#include "inspect/check_bridge.h"
#include "inspect/check_device.h"
#include "inspect/check_firewall.h"
#include "inspect/check_ovs.h"
#include "inspect/check_route.h"
#include "inspect/check_steps.h"
#include "kernel/route.h"
#include "kernel/sysfs.h"
#include "lib/report.h"

/* --- a lower device and its macvtaps --- */

static bool is_wireless(const struct link *link)
{
	int dir = sysfs_open_link(link->name, link->ifindex);
	bool wireless;

	if (dir < 0)
		return false;
	wireless = faccessat(dir, "phy80211", F_OK, 0) == 0;
	close(dir);
	return wireless;
}

/* A bridge of this host at a veth's other end is the only switch that can be inspected. */
static void check_reflection(struct check *check, const struct siblings *siblings)
{
	const struct link *lower = &siblings->parent->link;
	const struct inventory_link *peer = inventory_find_lower(&check->inventory, lower);
	size_t vepa = 0;

	for (size_t i = 0; i < siblings->count; i++)
		vepa += siblings->list[i].link.mode == MODE_VEPA;
	if (vepa < 2 || strcmp(lower->kind_name, "veth") != 0)
		return;
	if (peer && peer->link.port.of_bridge && !peer->link.port.hairpin)
		find(check, lower, WARNING, "vepa-no-reflection",
		     "its guests in mode vepa reach each other only if the switch sends frames "
		     "back, and the port %s does not\nbridge link set dev %s hairpin on",
		     peer->link.name, peer->link.name);
}

static void check_lower(struct check *check, const struct siblings *siblings)
{
	const struct link *lower = &siblings->parent->link;
	bool host_macvlan = false, wants_host = false;

	for (size_t i = 0; i < siblings->count; i++) {
		const struct inventory_link *member = &siblings->list[i];

		if (member->link.mode != MODE_BRIDGE)
			continue;
		host_macvlan |= member->link.kind == LINK_MACVLAN && member->has_ip;
		wants_host |= member->chosen;
	}
	if (!(lower->flags & IFF_UP))
		find(check, lower, ERROR, "lower-down",
		     "it is down, and so are the macvtaps on it\nip link set %s up", lower->name);
	else if (!lower->carrier)
		find(check, lower, ERROR, "lower-no-carrier",
		     "it has no carrier, and neither have the macvtaps on it\n"
		     "check its cable, and the other end of it");
	check_link_firewall(check, siblings->parent);
	if (is_wireless(lower))
		find(check, lower, ERROR, "wireless",
		     "a wireless network accepts frames from the card's own address only\n"
		     "route instead: tapctl add --unattached");
	if (siblings->parent->has_ip && wants_host && !host_macvlan)
		find(check, lower, NOTE, "host-apart",
		     "it has an address of the host's, and the host and the guests on it cannot "
		     "talk to each other\ntapctl add --link %s --host, and move the address there",
		     lower->name);
	check_reflection(check, siblings);
}

static void check_siblings(struct check *check, const struct siblings *siblings)
{
	bool chosen = false;

	for (size_t i = 0; i < siblings->count; i++)
		chosen |= siblings->list[i].chosen;
	if (!chosen)
		return;
	if (siblings->list->link.port.of_bridge && siblings->parent) {
		check_bridge_ports(check, siblings);
		return;
	}
	/* Nothing is known about another master, like Open vSwitch's. */
	if (siblings->parent && !siblings->list->is_port)
		check_lower(check, siblings);
	for (size_t i = 0; i < siblings->count; i++) {
		if (!siblings->list[i].chosen)
			continue;
		tell_steps(check, &siblings->list[i], NULL);
		check_device(check, &siblings->list[i]);
		check_link_firewall(check, &siblings->list[i]);
		if (siblings->list[i].link.kind == LINK_TUN)
			check_routing(check, &siblings->list[i], false);
	}
}

/* --- all of it --- */

/* Choose a device, or all devices that are on a bridge or lower device. False: there is none. */
static bool choose(struct inventory *inventory, const struct link *link)
{
	struct inventory_link *device = inventory_find(inventory, link->ifindex);
	bool tap = link_is_tap(link), any = false;

	for (size_t i = 0; i < inventory->count; i++) {
		struct inventory_link *on = &inventory->links[i];

		/* A bridge of Open vSwitch has a device of its own name, which may be a tap. */
		if (link_is_tap(&on->link) &&
		    ((!tap && on->parent == link->ifindex) ||
		     (on->ours && strcmp(on->record.ovs, link->name) == 0)))
			on->chosen = any = true;
	}
	if (any || !tap)
		return any;
	if (device)
		device->chosen = true;
	return true;
}

static int choose_all(struct inventory *inventory, const struct selection *selection)
{
	for (size_t i = 0; i < inventory->count && !selection; i++)
		inventory->links[i].chosen = inventory->links[i].ours &&
					     link_is_tap(&inventory->links[i].link);
	for (size_t i = 0; selection && i < selection->count; i++)
		if (!choose(inventory, &selection->links[i]))
			return report_error(-ENODEV,
					    "%s: is not a tap or macvtap, and none is on it\n"
					    "tapctl list --all shows all of them",
					    selection->links[i].name);
	return 0;
}

/* The kernel itself tells who has a tap open. */
static bool chosen_macvtap(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (inventory->links[i].chosen && inventory->links[i].link.kind == LINK_MACVTAP)
			return true;
	return false;
}

static bool any_chosen(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (inventory->links[i].chosen)
			return true;
	return false;
}

/* Files that the legacy tables fill, and modules of theirs: what is in them is not read. */
static bool has_legacy_rules(void)
{
	static const char *const files[] = { "/proc/net/ip_tables_names",
					     "/proc/net/ip6_tables_names",
					     "/proc/net/arp_tables_names" };
	static const char *const modules[] = { "/sys/module/ebtable_filter",
					       "/sys/module/ebtable_nat",
					       "/sys/module/ebtable_broute" };
	bool any = false;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		int fd = open(files[i], O_RDONLY | O_CLOEXEC);
		char byte;

		any |= fd >= 0 && read(fd, &byte, 1) == 1;
		if (fd >= 0)
			close(fd);
	}
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++)
		any |= access(modules[i], F_OK) == 0;
	return any;
}

static void read_host(struct check *check)
{
	enum { DEFAULT_RULES = 3 };
	static const uint8_t beyond[4] = { 192, 0, 0, 8 }; /* of nobody (RFC 7600) */
	const struct inventory_link *outside;

	check->outside = NULL;
	check->outside_shut = false;
	if (!any_chosen(&check->inventory))
		return;
	outside = inventory_find(&check->inventory, route_find(check->nl, beyond));
	if (outside) {
		check->outside = &outside->link;
		/* By rules of its own a host may send what is forwarded another way. */
		check->outside_shut = setting_read(check, "ipv4/conf/%s/forwarding",
						   outside->link.name) == 0 &&
				      route_count_rules(check->nl) == DEFAULT_RULES;
	}
	check->connections = setting_read(check, "netfilter/nf_conntrack_count");
	check->connections_max = setting_read(check, "netfilter/nf_conntrack_max");
}

/* A kernel without nftables has no rules. */
static int read_firewall(struct check *check)
{
	int err;

	if (!any_chosen(&check->inventory))
		return 0;
	err = nftables_read(&check->rules);
	if (err == -EPERM)
		miss(check, UNSEEN_FIREWALL);
	else if (has_legacy_rules())
		miss(check, UNSEEN_LEGACY);
	return err == -ENOMEM ? err : 0;
}

static int look(struct check *check, const struct selection *selection)
{
	struct inventory *inventory = &check->inventory;
	struct siblings siblings = { .count = 0 };
	struct nl *nl = check->nl;
	int err = inventory_read(inventory, nl);

	if (!err)
		err = choose_all(inventory, selection);
	if (!err)
		err = inventory_read_around(inventory, nl);
	if (!err)
		err = check_ovs_begin(check);
	if (!err && !selection)
		check_ovs_left(check);
	if (!err)
		err = read_firewall(check);
	if (!err)
		read_host(check);
	if (inventory->holders.incomplete && chosen_macvtap(inventory))
		miss(check, UNSEEN_PROCESSES);
	while (!err && inventory_next(inventory, &siblings))
		check_siblings(check, &siblings);
	inventory_free(inventory);
	free(check->rows.list);
	check->rows = (struct ovs_ports){ .count = 0 };
	nftables_free(&check->rules);
	if (!err && check->err)
		err = report_error(check->err, "out of memory");
	return err;
}

/*
 * A device that is being made or removed during a look seems broken: what is really wrong is so a
 * moment later, too.
 */
int check_devices(struct nl *nl, const struct selection *selection, bool steps, finding_fn *tell,
		  void *data)
{
	struct check check = { .nl = nl, .steps = steps, .data = data };
	int err = look(&check, selection);

	check.tell = tell;
	if (!err && check.count) {
		poll(NULL, 0, check.patient ? 1000 : 100);
		err = look(&check, selection);
	}
	if (!err)
		tell_missed(&check);
	free(check.seen);
	return err;
}
