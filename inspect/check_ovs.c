/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include <arpa/inet.h>

#include "inspect/check_ovs.h"
#include "lib/report.h"

/* Geneve as OVN speaks it: IP, UDP, Geneve with one option, and the Ethernet header of the guest.
 */
#define AROUND_IPV4 (20 + 8 + 8 + 8 + 14)
#define AROUND_IPV6 (40 + 8 + 8 + 8 + 14)

static bool is_concerned(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->count; i++)
		if (inventory->links[i].chosen && inventory->links[i].record.ovs[0])
			return true;
	return false;
}

int check_ovs_begin(struct check *check)
{
	struct ovs *ovs = NULL;
	int err = ovs_open(&ovs);

	check->no_ovs = err == -ENOENT || err == -ECONNREFUSED;
	if (!err)
		err = ovs_read_ports(ovs, "", &check->rows);
	ovs_close(ovs);
	check->rows_known = !err;
	/* What cannot be looked at is said once. */
	if (err && !check->no_ovs && !check->tell && is_concerned(&check->inventory))
		report_tell(REPORT_WARNING, "%s", report_line());
	report_forget();
	return err == -ENOMEM ? report_error(err, "out of memory") : 0;
}

void check_ovs_left(struct check *check)
{
	for (size_t i = 0; i < check->rows.count; i++) {
		const struct ovs_port *row = &check->rows.list[i];
		struct link link = { .ifindex = 0 };

		if (!ovs_is_stale(row) || inventory_find_name(&check->inventory, row->name))
			continue;
		memcpy(link.name, row->name, sizeof(link.name));
		find(check, &link, WARNING, "port-left",
		     "its tap is gone, and its port on %s is left: another tap of that name would "
		     "get no frames there\ntapctl del --stale",
		     row->bridge);
	}
}

/* The link that has the IP address @text, or NULL. */
static const struct inventory_link *find_address(const struct check *check, const char *text,
						 bool ipv6)
{
	uint8_t wanted[sizeof(struct in6_addr)];
	const char *name = NULL;
	struct ifaddrs *all;

	if (inet_pton(ipv6 ? AF_INET6 : AF_INET, text, wanted) != 1 || getifaddrs(&all) < 0)
		return NULL;
	for (const struct ifaddrs *one = all; one; one = one->ifa_next) {
		const struct sockaddr *address = one->ifa_addr;

		if (!address || address->sa_family != (ipv6 ? AF_INET6 : AF_INET))
			continue;
		if (ipv6 ? memcmp(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
				  wanted, sizeof(struct in6_addr)) == 0 :
			   memcmp(&((const struct sockaddr_in *)(const void *)address)->sin_addr,
				  wanted, sizeof(struct in_addr)) == 0)
			name = one->ifa_name;
	}
	if (name)
		name = strdupa(name);
	freeifaddrs(all);
	return name ? inventory_find_name(&check->inventory, name) : NULL;
}

/* What OVN's tunnels to other hosts leave of the MTU. */
static void check_tunnel(struct check *check, const struct inventory_link *device)
{
	const char *ip = check->rows.encap_ip;
	bool ipv6 = strchr(ip, ':');
	const struct inventory_link *below = find_address(check, ip, ipv6);
	uint32_t around = ipv6 ? AROUND_IPV6 : AROUND_IPV4;

	if (!below || device->link.mtu + around <= below->link.mtu)
		return;
	find(check, &device->link, WARNING, "mtu-above-tunnel",
	     "its MTU is %u, and geneve over %s (MTU %u) leaves %u: larger frames do not reach "
	     "guests "
	     "on other hosts\nmake it anew with --mtu %u, which its guest has to have, too, or: ip "
	     "link "
	     "set %s mtu %u",
	     device->link.mtu, below->link.name, below->link.mtu, below->link.mtu - around,
	     below->link.mtu - around, below->link.name, device->link.mtu + around);
}

static void check_logical(struct check *check, const struct inventory_link *device,
			  const struct ovs_port *row)
{
	const char *id = device->record.iface_id;

	if (!row->installed)
		find(check, &device->link, ERROR, "not-installed",
		     "OVN has not wired its logical port %s\nsee that there is one (ovn-nbctl "
		     "show), "
		     "that it is bound to no other host (ovn-sbctl show), and that ovn-controller "
		     "runs",
		     id);
	for (size_t i = 0; i < check->rows.count; i++) {
		const struct ovs_port *other = &check->rows.list[i];

		if (other == row || strcmp(other->iface_id, id) != 0)
			continue;
		find(check, &device->link, WARNING, "same-iface-id",
		     "%s is for the same logical port %s, and OVN wires one of them\n"
		     "remove one: ovs-vsctl del-port %s",
		     other->name, id, other->name);
		break;
	}
	check_tunnel(check, device);
}

void check_ovs_port(struct check *check, const struct inventory_link *device)
{
	const struct ovs_port *row = ovs_get_port(&check->rows, device->link.name);

	if (check->no_ovs)
		find(check, &device->link, WARNING, "no-ovs",
		     "it is on %s of Open vSwitch, whose database does not answer here\n"
		     "start Open vSwitch, and then: tapctl attach %s",
		     device->record.ovs, device->link.name);
	if (!row)
		return;
	if (row->error[0] || row->ofport < 0)
		find(check, &device->link, ERROR, "port-refused",
		     "ovs-vswitchd has not taken it: %s\n"
		     "run ovs-vswitchd in the network namespace of the tap, and see its log",
		     row->error[0] ? row->error : "it has no port number");
	if (device->record.iface_id[0])
		check_logical(check, device, row);
}
