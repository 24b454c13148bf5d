/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "inspect/describe.h"
#include "inspect/show.h"
#include "inspect/vm.h"
#include "lib/json.h"
#include "nic/record.h"

/* --- JSON --- */

static void json_mac(FILE *out, const char *key, const uint8_t *mac)
{
	char text[MAC_STRLEN];

	json_member(out, key, mac ? mac_format(text, mac) : NULL);
}

/* The PVID first, as --vlan has it; with Open vSwitch those of the record. */
static void json_vlans(FILE *out, const struct device *device, const struct record *record)
{
	const char *comma = "";

	fputs(",\"vlans\":[", out);
	for (unsigned i = 0; record->ovs[0] && i < record->policy.vlan_count; i++)
		fprintf(out, i ? ",%u" : "%u", record->policy.vlans[i]);
	for (int pvid = 1; pvid >= 0; pvid--) {
		for (size_t i = 0; i < device->vlan_count; i++) {
			const struct port_vlan *vlan = &device->vlans[i];

			if (vlan->pvid != pvid)
				continue;
			for (unsigned vid = vlan->first; vid <= vlan->last; vid++) {
				fprintf(out, "%s%u", comma, vid);
				comma = ",";
			}
		}
	}
	putc(']', out);
}

static void json_holders(const struct show *show, const struct device *device)
{
	char name[VM_NAME];
	const struct holder *holder = NULL;
	const char *comma = "";

	fputs(",\"holders\":[", show->out);
	while ((holder = holders_next(show->holders, holder, device->link->name, device->rdev))) {
		fprintf(show->out, "%s{\"pid\":%d,\"command\":", comma, (int)holder->pid);
		json_string(show->out, holder->command);
		json_member(show->out, "vm", vm_name(name, holder) ? name : NULL);
		putc('}', show->out);
		comma = ",";
	}
	putc(']', show->out);
}

static void json_tap(FILE *out, const struct device *device, const struct record *record)
{
	const struct link *link = device->link;

	json_member(out, "bridge", device->parent && !record->ovs[0] ? device->parent->name : NULL);
	json_member(out, "ovs", record->ovs[0] ? record->ovs : NULL);
	json_member(out, "iface_id", record->iface_id[0] ? record->iface_id : NULL);
	json_member_number(out, "queues", true, link->tun.queues);
	json_member_bool(out, "multi_queue", link->tun.multi_queue);
	json_member_bool(out, "persistent", link->tun.persistent);
	json_member_number(out, "owner", link->tun.has_owner, link->tun.owner);
	json_member_number(out, "group", link->tun.has_group, link->tun.group);
	json_member_bool(out, "isolated", link->port.isolated);
	json_member_bool(out, "hairpin", link->port.hairpin);
	json_member_bool(out, "locked", link->port.locked);
	json_vlans(out, device, record);
}

static void json_macvtap(FILE *out, const struct device *device)
{
	const struct node_owner *owner = &device->owner;

	json_member(out, "link", device->parent ? device->parent->name : NULL);
	json_member(out, "mode", macvtap_mode_name(device->link->mode));
	json_member_number(out, "queues", false, 0);
	json_member_bool(out, "persistent", true);
	json_member_number(out, "owner", device->has_owner, owner->uid);
	json_member_number(out, "group", device->has_owner && owner->gid != (gid_t)-1, owner->gid);
}

/* As the record has it. */
static void json_traffic(FILE *out, const struct traffic *traffic)
{
	char text[IP_STRLEN > RATE_TEXT ? IP_STRLEN : RATE_TEXT];

	fputs(",\"ip\":[", out);
	for (unsigned i = 0; traffic && i < traffic->ip.count; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", prefix_format(text, &traffic->ip.list[i]));
	putc(']', out);
	json_member(out, "limit_in",
		    traffic && traffic->in.bytes ? rate_format(text, &traffic->in) : NULL);
	json_member(out, "limit_out",
		    traffic && traffic->out.bytes ? rate_format(text, &traffic->out) : NULL);
}

static void json_addresses(FILE *out, const struct device *device)
{
	char text[IP_STRLEN];

	fputs(",\"host_ip\":[", out);
	for (size_t i = 0; i < device->address_count; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", ip_format(text, &device->addresses[i].ip));
	putc(']', out);
}

static const char *kind_word(const struct link *link)
{
	return link->kind == LINK_TUN ? "tap" : link->kind_name;
}

static void show_json(const struct show *show, const struct device *device)
{
	const struct link *link = device->link;
	FILE *out = show->out;
	struct record record = { .ovs = "" };
	bool ours = record_read(&record, link);

	fputs(show->count ? ",\n{\"name\":" : "[{\"name\":", out);
	json_string(out, link->name);
	json_member_number(out, "ifindex", true, (unsigned)link->ifindex);
	json_member(out, "kind", kind_word(link));
	json_mac(out, "guest_mac", ours && !record.host ? record.guest : NULL);
	json_mac(out, "host_mac", link->address);
	json_addresses(out, device);
	json_member_number(out, "mtu", true, link->mtu);
	json_member_bool(out, "up", link->flags & IFF_UP);
	json_member_bool(out, "carrier", link->carrier);
	if (link->kind == LINK_TUN)
		json_tap(out, device, &record);
	else
		json_macvtap(out, device);
	if (device->use == USE_UNKNOWN)
		json_member(out, "in_use", NULL);
	else
		json_member_bool(out, "in_use", device->use == USE_HELD);
	json_traffic(out, ours ? &record.traffic : NULL);
	json_member(out, "made_by", ours ? record_maker_name(record.by) : NULL);
	if (show->holders)
		json_holders(show, device);
	putc('}', out);
}

/* --- the table --- */

static const struct table_column columns[] = {
	{ "NAME", NULL },  { "KIND", NULL }, { "GUEST", NULL }, { "ON", NULL }, { "STATE", NULL },
	{ "MTU", "1500" }, { "HOST", "" },   { "HOLDERS", "" }, { NULL, NULL },
};

/* The host side's address only where it is not as usual. */
static void add_row(struct show *show, const struct device *device)
{
	char guest_text[MAC_STRLEN] = "", host_text[MAC_STRLEN] = "", mtu[16], *held = NULL;
	const struct link *link = device->link;
	enum state state = device_state(device, show->holders);
	const char *on = device->parent ? device->parent->name : "";
	struct record record;

	if (record_read(&record, link) && !record.host)
		mac_format(guest_text, record.guest);
	if (record.ovs[0])
		on = record.ovs;
	if (!device_has_usual_address(link))
		mac_format(host_text, link->address);
	snprintf(mtu, sizeof(mtu), "%u", link->mtu);
	if (show->holders)
		held = device_holders(device, show->holders, false);
	table_add(&show->table,
		  (const char *[]){ link->name, kind_word(link), guest_text, on, state_word(state),
				    mtu, host_text,
				    held && *held ? held :
				    show->holders ? "-" :
						    "" },
		  state_colour(state));
	free(held);
}

/* --- both --- */

void show_begin(struct show *show)
{
	show->table = (struct table){ .columns = columns, .coloured = 4 };
}

void show_device(struct show *show, const struct device *device)
{
	if (show->json)
		show_json(show, device);
	else
		add_row(show, device);
	show->count++;
}

int show_end(struct show *show)
{
	if (show->json)
		fputs(show->count ? "]\n" : "[]\n", show->out);
	else
		table_print(&show->table, show->out, show->colour);
	return show->table.err;
}
