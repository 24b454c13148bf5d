/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/array.h"
#include "nic/record.h"
#include "inspect/show.h"
#include "kernel/tap.h"

/* --- strings --- */

/* The length of the UTF-8 sequence at @s, or 0 when it is none (RFC 3629: no overlong form, no
 * surrogate). */
static size_t utf8_length(const unsigned char *s)
{
	uint32_t code;
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		len = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		len = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		len = 4;
	else
		return 0;
	code = s[0] & (0x7fU >> len);
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if ((len == 3 && (code < 0x800 || (code >= 0xd800 && code <= 0xdfff))) ||
	    (len == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return len;
}

void show_json_string(FILE *out, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	putc('"', out);
	while (*s) {
		size_t len = utf8_length(s);

		if (len == 0)
			fputs("\\ufffd", out);
		else if (*s == '"' || *s == '\\')
			fprintf(out, "\\%c", *s);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(out, "\\u%04x", *s);
		else
			fwrite(s, 1, len, out);
		s += len ? len : 1;
	}
	putc('"', out);
}

void show_plain_string(FILE *out, const char *text)
{
	for (; *text; text++)
		putc(*text >= ' ' && *text <= '~' ? *text : '?', out);
}

/* --- what a device refers to --- */

/* The link with that index, for its name; NULL when it is not to be had. */
static const struct link *look_up(struct show *show, int ifindex)
{
	struct link *other = &show->others[(unsigned)ifindex % SHOW_OTHERS];
	int err = 0;

	if (ifindex && other->ifindex != ifindex)
		err = nl_link_get(show->nl, NULL, ifindex, other);
	if (err)
		other->ifindex = 0;
	/* It may just have gone; the device that was on it is then on nothing. */
	if (err && err != -ENODEV && !show->err)
		show->err = err;
	return ifindex && !err ? other : NULL;
}

static int keep_vlan(const struct port_vlan *vlan, void *data)
{
	struct show *show = data;
	struct port_vlan *vlans;

	vlans = array_grow(show->vlans, show->vlan_count, sizeof(*vlans));
	if (!vlans)
		return -ENOMEM;
	show->vlans = vlans;
	show->vlans[show->vlan_count++] = *vlan;
	return 0;
}

static int compare_vlans(const void *a, const void *b)
{
	const struct port_vlan *left = a, *right = b;

	return left->ifindex != right->ifindex ? (left->ifindex > right->ifindex ? 1 : -1) :
						 left->first - right->first;
}

/* Where the VLANs of a port begin: the kernel has them for all ports together only. */
static size_t find_vlans(struct show *show, int ifindex)
{
	const struct port_vlan key = { .ifindex = ifindex };
	int err;

	if (!show->vlans_known) {
		show->vlans_known = true;
		err = nl_vlan_dump(show->nl, keep_vlan, show);
		if (err < 0 && !show->err)
			show->err = err;
		if (show->vlan_count)
			qsort(show->vlans, show->vlan_count, sizeof(key), compare_vlans);
	}
	return array_find(show->vlans, show->vlan_count, sizeof(key), &key, compare_vlans);
}

/* --- JSON --- */

static void json_mac(FILE *out, const char *key, const uint8_t *mac)
{
	char text[MAC_STRLEN];

	if (mac)
		fprintf(out, ",\"%s\":\"%s\"", key, mac_format(text, mac));
	else
		fprintf(out, ",\"%s\":null", key);
}

static void json_bool(FILE *out, const char *key, bool value)
{
	fprintf(out, ",\"%s\":%s", key, value ? "true" : "false");
}

static void json_name(FILE *out, const char *key, const struct link *link)
{
	fprintf(out, ",\"%s\":", key);
	if (link)
		show_json_string(out, link->name);
	else
		fputs("null", out);
}

static void json_id(FILE *out, const char *key, bool known, uint32_t id)
{
	if (known)
		fprintf(out, ",\"%s\":%u", key, id);
	else
		fprintf(out, ",\"%s\":null", key);
}

/* The PVID first, as --vlan has it. */
static void json_vlans(struct show *show, const struct link *link, const struct link *bridge)
{
	bool filters = bridge && bridge->bridge.filters;
	size_t first = filters ? find_vlans(show, link->ifindex) : show->vlan_count;
	const char *comma = "";

	fputs(",\"vlans\":[", show->out);
	for (int pvid = 1; pvid >= 0; pvid--) {
		for (size_t i = first;
		     i < show->vlan_count && show->vlans[i].ifindex == link->ifindex; i++) {
			const struct port_vlan *vlan = &show->vlans[i];

			if (vlan->pvid != pvid)
				continue;
			for (unsigned vid = vlan->first; vid <= vlan->last; vid++) {
				fprintf(show->out, "%s%u", comma, vid);
				comma = ",";
			}
		}
	}
	putc(']', show->out);
}

static void json_holders(struct show *show, const struct link *link, dev_t rdev)
{
	const struct holder *holder = NULL;
	const char *comma = "";

	fputs(",\"holders\":[", show->out);
	while ((holder = holders_next(show->holders, holder, link->name, rdev))) {
		fprintf(show->out, "%s{\"pid\":%d,\"command\":", comma, (int)holder->pid);
		show_json_string(show->out, holder->command);
		putc('}', show->out);
		comma = ",";
	}
	putc(']', show->out);
}

static void json_tap(struct show *show, const struct link *link)
{
	const struct link *bridge = look_up(show, link->master);

	json_name(show->out, "bridge", bridge);
	fprintf(show->out, ",\"queues\":%u", link->tun.queues);
	json_bool(show->out, "multi_queue", link->tun.multi_queue);
	json_bool(show->out, "persistent", link->tun.persistent);
	json_id(show->out, "owner", link->tun.has_owner, link->tun.owner);
	json_id(show->out, "group", link->tun.has_group, link->tun.group);
	json_bool(show->out, "isolated", link->port.isolated);
	json_bool(show->out, "hairpin", link->port.hairpin);
	json_bool(show->out, "locked", link->port.locked);
	json_vlans(show, link, bridge);
}

static const char *kind_word(const struct link *link)
{
	return link->kind == LINK_TUN ? "tap" : link->kind_name;
}

static void json_macvtap(struct show *show, const struct link *link, dev_t rdev)
{
	struct node_owner owner = { 0 };
	bool known = rdev && macvtap_node_is(link->ifindex, rdev, &owner);

	json_name(show->out, "link", link->lower_elsewhere ? NULL : look_up(show, link->lower));
	fprintf(show->out, ",\"mode\":\"%s\",\"queues\":null", macvtap_mode_name(link->mode));
	json_bool(show->out, "persistent", true);
	json_id(show->out, "owner", known, owner.uid);
	json_id(show->out, "group", known && owner.gid != (gid_t)-1, owner.gid);
}

static void show_json(struct show *show, const struct link *link)
{
	uint8_t guest[MAC_LEN];
	bool ours = record_guest(guest, link);
	dev_t rdev = macvtap_rdev(link);

	fputs(show->count ? ",\n{\"name\":" : "[{\"name\":", show->out);
	show_json_string(show->out, link->name);
	fprintf(show->out, ",\"ifindex\":%d,\"kind\":\"%s\"", link->ifindex, kind_word(link));
	json_mac(show->out, "guest_mac", ours ? guest : NULL);
	json_mac(show->out, "host_mac", link->address);
	fprintf(show->out, ",\"mtu\":%u", link->mtu);
	json_bool(show->out, "up", link->flags & IFF_UP);
	json_bool(show->out, "carrier", link->carrier);
	if (link->kind != LINK_TUN)
		json_macvtap(show, link, rdev);
	else
		json_tap(show, link);
	if (show->holders)
		json_holders(show, link, rdev);
	putc('}', show->out);
}

/* --- the table --- */

#define ROW "%-15s  %-7s  %-17s  %-17s  %-15s  %5s  %-5s  %-7s"

static void show_row(struct show *show, const struct link *link)
{
	const struct link *on = link->kind == LINK_TUN ? look_up(show, link->master) :
				link->lower_elsewhere  ? NULL :
							 look_up(show, link->lower);
	char guest_text[MAC_STRLEN] = "-", host_text[MAC_STRLEN], mtu[16], row[160];
	const struct holder *holder = NULL;
	uint8_t guest[MAC_LEN];
	dev_t rdev = show->holders ? macvtap_rdev(link) : 0;

	if (record_guest(guest, link))
		mac_format(guest_text, guest);
	snprintf(mtu, sizeof(mtu), "%u", link->mtu);
	snprintf(row, sizeof(row), ROW, link->name, kind_word(link), guest_text,
		 mac_format(host_text, link->address), on ? on->name : "-", mtu,
		 link->flags & IFF_UP ? "up" : "down", link->carrier ? "carrier" : "-");
	/* Without holders the last column would only leave blanks behind. */
	for (size_t len = strlen(row); !show->holders && len && row[len - 1] == ' '; len--)
		row[len - 1] = '\0';
	show_plain_string(show->out, row);
	if (show->holders) {
		const char *separator = "  ";

		while ((holder = holders_next(show->holders, holder, link->name, rdev))) {
			fprintf(show->out, "%s%d/", separator, (int)holder->pid);
			show_plain_string(show->out, holder->command);
			separator = ",";
		}
		if (*separator == ' ')
			fputs("  -", show->out);
	}
	putc('\n', show->out);
}

void show_begin(struct show *show)
{
	if (!show->json)
		fprintf(show->out, ROW "%s\n", "NAME", "KIND", "GUEST", "HOST", "ON", "MTU",
			"STATE", "CARRIER", show->holders ? "  HOLDERS" : "");
}

void show_link(struct show *show, const struct link *link)
{
	if (show->json)
		show_json(show, link);
	else
		show_row(show, link);
	show->count++;
}

int show_end(struct show *show)
{
	if (show->json)
		fputs(show->count ? "]\n" : "[]\n", show->out);
	free(show->vlans);
	show->vlans = NULL;
	return show->err;
}
