/* SPDX-License-Identifier: MIT */
/*
 * Answers of rtnetlink: the first byte is the request, then come the datagrams that the kernel
 * answers it with, each behind its length (two bytes, little endian).
 *
 * libmnl's functions that touch the socket are replaced: there is none.
 */
#include <errno.h>

#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <sanitizer/asan_interface.h>

#include "inspect/show.h"
#include "kernel/address.h"
#include "kernel/dropmon.h"
#include "kernel/macvtap.h"
#include "kernel/nftables.h"
#include "kernel/qdisc.h"
#include "kernel/route.h"
#include "kernel/tap.h"
#include "netlink.h"
#include "nic/record.h"
#include "tests/fuzz/fuzz.h"

/* What is left of the input, and the part of the newest buffer that holds no datagram. */
static struct {
	const uint8_t *data;
	size_t size;
	char *unused;
	size_t unused_size;
} kernel;

/* No socket: what is asked of one is answered here. */
struct mnl_socket {
	char nothing;
} nowhere;

struct mnl_socket *mnl_socket_open2(int bus, int flags)
{
	(void)bus, (void)flags;
	return &nowhere;
}

int mnl_socket_setsockopt(const struct mnl_socket *socket, int type, void *buffer, socklen_t len)
{
	(void)socket, (void)type, (void)buffer, (void)len;
	return 0;
}

int mnl_socket_close(struct mnl_socket *socket)
{
	(void)socket;
	return 0;
}

static void allow_buffer(void)
{
	ASAN_UNPOISON_MEMORY_REGION(kernel.unused, kernel.unused_size);
	kernel.unused_size = 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *socket, const void *request, size_t size)
{
	const char *end = (const char *)request + size;
	int left = (int)size;

	(void)socket;
	for (const struct nlmsghdr *m = request; (const char *)m < end;
	     m = mnl_nlmsg_next(m, &left))
		always(mnl_nlmsg_ok(m, left), "a request is made of whole messages");
	always(size <= 32768, "and has room in the buffer");
	return (ssize_t)size;
}

/* The next datagram. What is behind it in the buffer is not to be read, until the next request. */
ssize_t mnl_socket_recvfrom(const struct mnl_socket *socket, void *buffer, size_t room)
{
	size_t size;

	(void)socket;
	allow_buffer();
	if (kernel.size < 2) {
		errno = EAGAIN;
		return -1;
	}
	size = kernel.data[0] | (size_t)kernel.data[1] << 8;
	kernel.data += 2;
	kernel.size -= 2;
	if (size > kernel.size)
		size = kernel.size;
	if (size > room)
		size = room;
	memcpy(buffer, kernel.data, size);
	kernel.data += size;
	kernel.size -= size;
	kernel.unused = (char *)buffer + NLMSG_ALIGN(size);
	kernel.unused_size = room - NLMSG_ALIGN(size);
	ASAN_POISON_MEMORY_REGION(kernel.unused, kernel.unused_size);
	return (ssize_t)size;
}

struct nlmsghdr *mnl_nlmsg_put_header(void *buffer)
{
	struct nlmsghdr *m = buffer;

	allow_buffer();
	memset(m, 0, sizeof(*m));
	m->nlmsg_len = sizeof(*m);
	return m;
}

/* --- JSON: what stands behind a value, or an abort --- */

static const char *skip_value(const char *s);

static const char *skip_string(const char *s)
{
	always(*s++ == '"', "a string begins with a quote");
	for (; *s != '"'; s++) {
		always((unsigned char)*s >= 0x20,
		       "and ends with one, without control bytes before");
		if (*s == '\\')
			always(*++s, "an escape is whole");
	}
	return s + 1;
}

static const char *skip_members(const char *s, bool keys)
{
	const char close = *s == '{' ? '}' : ']';

	s++;
	s += strspn(s, "\n");
	while (*s != close) {
		if (keys) {
			s = skip_string(s);
			always(*s++ == ':', "a key has a value");
		}
		s = skip_value(s);
		if (*s == close)
			break;
		always(*s++ == ',', "commas stand between members");
		s += strspn(s, "\n");
	}
	return s + 1;
}

static const char *skip_value(const char *s)
{
	size_t len;

	if (*s == '"')
		return skip_string(s);
	if (*s == '{' || *s == '[')
		return skip_members(s, *s == '{');
	len = strspn(s, "-0123456789");
	if (!len)
		len = strspn(s, "truefalsn");
	always(len > 0, "a value is a number or a word");
	return s + len;
}

/* --- properties --- */

static bool ends(const char *text, size_t size)
{
	return memchr(text, '\0', size);
}

static void check_link(const struct link *link)
{
	uint8_t guest[MAC_LEN];

	always(link->ifindex > 0, "a link has an index");
	always(ends(link->name, sizeof(link->name)), "a name ends");
	always(ends(link->kind_name, sizeof(link->kind_name)), "a kind ends");
	always(ends(link->alias, sizeof(link->alias)), "an alias ends");
	always(link->kind <= LINK_BRIDGE && link->mode < MODE_COUNT, "kind and mode are known");
	always(macvtap_mode_name(link->mode), "and have names");
	always(link->ethernet || mac_is_zero(link->address), "no Ethernet, no address");
	always(link->kind == LINK_TUN || (!link_is_tap(link) || link->kind == LINK_MACVTAP),
	       "a device is a tap or a macvtap");
	if (record_guest(guest, link))
		always(strncmp(link->alias, "tapctl guest ", 13) == 0, "ours say so");
}

struct shows {
	struct show show[2];
	struct lookups lookups;
};

static int each_link(const struct link *link, void *data)
{
	struct shows *shows = data;
	struct device device;

	check_link(link);
	/* Of a macvtap the sysfs would be read. */
	for (int i = 0; i < 2 && link->kind == LINK_TUN; i++) {
		device_look_up(&shows->lookups, link, &device);
		show_device(&shows->show[i], &device);
	}
	return 0;
}

static void dump_and_show(struct nl *nl, enum link_kind kind)
{
	struct shows shows = { .lookups.whole = true };
	char *text[2] = { NULL };
	size_t size[2];

	always(nl_open(&shows.lookups.nl) == 0, "there is memory");
	for (int i = 0; i < 2; i++) {
		shows.show[i] = (struct show){ .json = i };
		shows.show[i].out = open_memstream(&text[i], &size[i]);
		always(shows.show[i].out, "there is memory");
		show_begin(&shows.show[i]);
	}
	always(nl_link_dump(nl, kind, each_link, &shows) <= 1, "a dump says what became of it");
	allow_buffer();
	for (int i = 0; i < 2; i++) {
		show_end(&shows.show[i]);
		fclose(shows.show[i].out);
	}
	for (const char *c = text[0]; *c; c++)
		always(*c == '\n' || ((unsigned char)*c >= ' ' && *c != 0x7f),
		       "a table has no control characters");
	always(strcmp(skip_value(text[1]), "\n") == 0, "JSON is whole");
	free(text[0]);
	free(text[1]);
	lookups_free(&shows.lookups);
	nl_close(shows.lookups.nl);
}

static int each_vlan(const struct port_vlan *vlan, void *data)
{
	unsigned *count = data;

	(void)vlan;
	return ++*count == 1000 ? -ECANCELED : 0;
}

static int each_entry(const struct fdb_entry *entry, void *data)
{
	unsigned *count = data;

	(void)entry;
	return ++*count == 1000 ? -ECANCELED : 0;
}

static int each_address(const struct address *address, void *data)
{
	unsigned *count = data;
	char text[IP_STRLEN];

	always(*ip_format(text, &address->ip), "an address has a text");
	return ++*count == 1000 ? -ECANCELED : 0;
}

static int each_neighbour(int ifindex, int family, const uint8_t mac[static MAC_LEN], void *data)
{
	unsigned *count = data;

	(void)ifindex, (void)family, (void)mac;
	return ++*count == 1000 ? -ECANCELED : 0;
}

static int each_filter(const struct filter_counts *counts, void *data)
{
	unsigned *count = data;

	(void)counts;
	return ++*count == 1000 ? -ECANCELED : 0;
}

static int each_index(int ifindex, void *data)
{
	unsigned *count = data;

	(void)ifindex;
	return ++*count == 1000 ? -ECANCELED : 0;
}

/* Rules that jump in circles, which the kernel refuses, end as well. */
static void read_rules(void)
{
	const struct link link = { .ifindex = 7, .name = "tap0" };
	struct nft_rules rules;

	nftables_read(&rules);
	for (enum nft_hook hook = 0; hook <= NFT_DEVICE_EGRESS; hook++) {
		struct nft_drop drop = nftables_find_drop(&rules, hook, &link, NULL);

		always(drop.fate == NFT_PASSES || (drop.family && drop.table && drop.chain),
		       "what drops has a name");
	}
	nftables_free(&rules);
}

static void check_result(const struct nl_result *result)
{
	always(result->err <= 0, "a result is an errno");
	always(ends(result->text, sizeof(result->text)), "the kernel's sentence ends");
}

static void set_up_tap(struct nl *nl)
{
	const struct port_policy policy = { .locked = true,
					    .isolated = true,
					    .vlan_count = 2,
					    .vlans = { 10, 20 } };
	const struct link bridge = { .ifindex = 2, .bridge.default_pvid = 1 };
	const struct tap_setup setup = {
		.ifindex = 3,
		.address = mac_qemu_default,
		.guest = mac_qemu_default,
		.alias = "tapctl guest 52:54:00:12:34:56",
		.mtu = 1500,
		.bridge = &bridge,
		.policy = &policy,
	};
	int port = 0;
	struct nl_result result = tap_set_up(nl, &setup, &port);

	check_result(&result);
	if (!result.err)
		always(port > 0, "what worked has told whose the address is");
}

static void create_macvtap(struct nl *nl, struct link *link)
{
	const struct macvtap_setup setup = {
		.ifindex = 0x40000003,
		.name = "mvt%d",
		.address = mac_qemu_default,
		.alias = "tapctl guest 52:54:00:12:34:56",
		.lower = 2,
		.mode = MODE_PASSTHRU,
	};

	struct nl_result result = macvtap_create(nl, &setup, link);

	check_result(&result);
	if (!result.err)
		check_link(link);
}

static void hear_drops(struct nl *nl)
{
	const struct dropmon monitor = { .nl = nl };
	struct drop drop;

	while (dropmon_next(&monitor, &drop)) {
		size_t sum = 0;

		for (size_t i = 0; i < drop.len; i++)
			sum += drop.bytes[i];
		always(sum <= drop.len * UINT8_MAX, "the frame can be read");
		always(ends(drop.function, DROP_TEXT) && ends(drop.reason, DROP_TEXT),
		       "what the kernel says ends");
	}
}

/* False: it is another request. */
static bool dump(struct nl *nl, unsigned which)
{
	unsigned count = 0;

	switch (which) {
	case 'v':
		bridge_dump_vlans(nl, each_vlan, &count);
		break;
	case 'F':
		bridge_dump_fdb(nl, each_entry, &count);
		break;
	case 'a':
		address_dump(nl, each_address, &count);
		break;
	case 'n':
		neighbour_dump(nl, each_neighbour, &count);
		break;
	case 'q':
		qdisc_dump_filters(nl, each_filter, &count);
		break;
	case 'G':
		bridge_dump_groups(nl, each_index, &count);
		break;
	case 'R':
		route_dump(nl, each_index, &count);
		break;
	default:
		return false;
	}
	return true;
}

/* All of it, so that every answer is read. */
static void read_traffic(struct nl *nl)
{
	static const struct traffic traffic = {
		.ip = { .count = 1,
			.list = { { .family = AF_INET, .length = 32, .bytes = { 10, 0, 1, 2 } } } },
		.in = { .bytes = 1250000 },
		.out = { .bytes = 1250000 },
	};
	struct traffic_state state;
	uint64_t filtered;

	if (traffic_read(nl, &state, 7, false, mac_qemu_default, &traffic) == 0)
		always(state.known, "what was read is known");
	traffic_count_drops(nl, 7, &state, &filtered);
}

static void request(struct nl *nl, unsigned which)
{
	static struct link links[2 * NL_MESSAGES];
	struct nl_result result;
	int index = -1;

	/* A request that succeeds has to fill it in. */
	memset(links, 0xff, sizeof(links));
	if (dump(nl, which))
		return;
	switch (which) {
	case 'g':
		if (nl_link_get(nl, "tap0", 0, links) == 0)
			check_link(links);
		break;
	case 'd':
		dump_and_show(nl, LINK_OTHER);
		break;
	case 't':
		dump_and_show(nl, LINK_TUN);
		break;
	case 'f':
		if (bridge_find_port(nl, 2, mac_qemu_default, &index) == 0)
			always(index > 0, "an entry that is found has a port");
		break;
	case 'p':
		read_rules();
		break;
	case 'T':
		read_traffic(nl);
		break;
	case 'm':
		hear_drops(nl);
		break;
	case 's':
		set_up_tap(nl);
		break;
	case 'c':
		create_macvtap(nl, links);
		break;
	case 'r':
		result = nl_links_delete(nl, links, sizeof(links) / sizeof(*links));
		check_result(&result);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nl *nl;

	if (!size)
		return 0;
	kernel.data = data + 1;
	kernel.size = size - 1;
	always(nl_open(&nl) == 0, "there is memory");
	request(nl, data[0]);
	allow_buffer();
	nl_close(nl);
	return 0;
}
