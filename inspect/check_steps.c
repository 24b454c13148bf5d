/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include <linux/if_bridge.h>

#include "inspect/check_device.h"
#include "inspect/check_steps.h"
#include "lib/report.h"

#define TEXT 128

static const char *state_words(const struct link *link)
{
	if (!(link->flags & IFF_UP))
		return "down";
	return link->carrier ? "up" : "up, no carrier";
}

static void tell(const struct inventory_link *device, const char *what, const char *text)
{
	report_tell(REPORT_STEP, "%s: %s: %s", device->link.name, what, text);
}

static void tell_parent(const struct check *check, const struct inventory_link *device,
			const struct bridge *bridge)
{
	const struct inventory_link *parent = inventory_find(&check->inventory, device->parent);
	bool macvtap = device->link.kind == LINK_MACVTAP;
	char text[TEXT];

	if (bridge)
		snprintf(text, sizeof(text), "%s is %s, with %zu port%s", bridge->bridge->link.name,
			 state_words(&bridge->bridge->link), bridge->ports->count,
			 bridge->ports->count == 1 ? "" : "s");
	else if (parent)
		snprintf(text, sizeof(text), "%s is %s", parent->link.name,
			 state_words(&parent->link));
	else
		snprintf(text, sizeof(text), macvtap ? "in another namespace" : "none");
	tell(device, macvtap ? "lower device" : "bridge", text);
	if (!bridge)
		return;
	if (bridge->uplink)
		snprintf(text, sizeof(text), "%s is %s", bridge->uplink->link.name,
			 state_words(&bridge->uplink->link));
	else
		snprintf(text, sizeof(text), "none; the host is %son the bridge",
			 bridge_has_host(bridge->bridge) ? "" : "not ");
	tell(device, "uplink", text);
}

static void tell_device(const struct check *check, const struct inventory_link *device)
{
	const struct link *link = &device->link;
	char text[TEXT], who[HOLDER_TEXT], mac[MAC_STRLEN], guest[MAC_STRLEN] = "unknown";

	snprintf(text, sizeof(text), "%s; %s", state_words(link), holder_words(who, check, link));
	tell(device, "state", text);
	if (device->ours)
		mac_format(guest, device->guest);
	snprintf(text, sizeof(text), "%s, guest %s, MTU %u", mac_format(mac, link->address), guest,
		 link->mtu);
	tell(device, "address", text);
}

static void tell_policy(const struct inventory_link *device)
{
	const struct link *link = &device->link;
	char text[TEXT];

	snprintf(text, sizeof(text), "%s%s%s%s%s",
		 link->port.state == BR_STATE_FORWARDING ? "forwarding" : "not forwarding",
		 link->port.locked ? ", locked" : "", link->port.isolated ? ", isolated" : "",
		 link->port.hairpin ? ", hairpin" : "",
		 device->port.vlans ? ", with its VLANs" : "");
	tell(device, "policy", text);
}

static void tell_filters(const struct check *check, const struct inventory_link *device)
{
	char rules[TEXT] = "no rules of nftables", frames[TEXT] = "nothing", text[2 * TEXT + 32];

	if (check->missed & 1U << UNSEEN_FIREWALL)
		snprintf(rules, sizeof(rules), "the rules of nftables are not seen");
	else if (check->rules.chain_count)
		snprintf(rules, sizeof(rules), "nftables has %zu chain%s", check->rules.chain_count,
			 check->rules.chain_count == 1 ? "" : "s");
	if (device->tc_dropped)
		snprintf(frames, sizeof(frames), "%u frame%s", device->tc_dropped,
			 device->tc_dropped == 1 ? "" : "s");
	snprintf(text, sizeof(text), "%s; tc has dropped %s", rules, frames);
	tell(device, "filter", text);
}

static const char *on_off(int setting)
{
	return setting < 0 ? "unknown" : setting ? "on" : "off";
}

void tell_steps(struct check *check, const struct inventory_link *device,
		const struct bridge *bridge)
{
	const struct inventory_link *router = bridge ? bridge->bridge : device;
	char text[TEXT];

	if (!check->steps || check->tell)
		return;
	tell_parent(check, device, bridge);
	tell_device(check, device);
	if (bridge)
		tell_policy(device);
	tell_filters(check, device);
	snprintf(text, sizeof(text), "%s, IPv4 forwarding is %s, IPv6 %s",
		 router->has_ip ? router->ip : "the host has no address there",
		 on_off(setting_read(check, "ipv4/conf/%s/forwarding", router->link.name)),
		 on_off(setting_read(check, "ipv6/conf/all/forwarding")));
	tell(device, "forwarding", text);
}
