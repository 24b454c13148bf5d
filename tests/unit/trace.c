/* SPDX-License-Identifier: MIT */
/* Unit tests of trace: frames read, counted and judged, in TAP. */
#include <stdio.h>
#include <string.h>

#include "inspect/verdict.h"
#include "tests/unit/unit.h"

static const uint8_t guest[] = { 0x52, 0x54, 0, 0x84, 0xe3, 0x62 };
static const uint8_t other[] = { 2, 0, 0, 0, 0, 9 };
static const uint8_t everybody[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

/* A frame under construction. */
struct made {
	size_t len;
	uint8_t bytes[160];
};

static void put(struct made *made, const void *bytes, size_t len)
{
	memcpy(made->bytes + made->len, bytes, len);
	made->len += len;
}

static struct made begin(const uint8_t *to, const uint8_t *from, const char type[static 2])
{
	struct made made = { .len = 0 };

	put(&made, to, MAC_LEN);
	put(&made, from, MAC_LEN);
	put(&made, type, 2);
	return made;
}

static struct made arp(const uint8_t *to, const uint8_t *from, int op, const char *sender,
		       const char *target)
{
	struct made made = begin(to, from, "\x08\x06");
	const uint8_t code = (uint8_t)op;

	put(&made, "\0\1\x08\0\6\4\0", 7);
	put(&made, &code, 1);
	put(&made, from, MAC_LEN);
	put(&made, sender, 4);
	put(&made, to, MAC_LEN);
	put(&made, target, 4);
	return made;
}

static struct frame read_made(const struct made *made)
{
	struct frame frame = { .kind = KIND_OTHER };

	frame_read(&frame, made->bytes, made->len);
	return frame;
}

static void test_arp(void)
{
	struct made made = arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\1");
	struct frame frame = read_made(&made);

	ok(frame.kind == KIND_ARP && frame.asks && !frame.answers, "an ARP request asks");
	ok(frame.ip_to[3] == 1 && frame.ip_from[3] == 2, "for an address, from another");
	made = arp(guest, other, 2, "\xc0\0\2\1", "\xc0\0\2\2");
	frame = read_made(&made);
	ok(frame.answers && !frame.asks, "an ARP reply answers");
	made = arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\2");
	frame = read_made(&made);
	ok(!frame.asks, "nobody has to answer an announcement");
	made = arp(everybody, guest, 1, "\0\0\0\0", "\xc0\0\2\2");
	frame = read_made(&made);
	ok(!frame.asks, "nor a probe");
	made.len = 30;
	frame = read_made(&made);
	ok(frame.kind == KIND_ARP && !frame.has_ip && !frame.asks, "a short one has no addresses");
	made.len = 13;
	ok(!frame_read(&frame, made.bytes, made.len), "13 bytes are no frame");
}

/* IPv4 with @options of four bytes, and UDP to @port. */
static struct made udp(const uint8_t *to, const uint8_t *from, size_t options, uint8_t port)
{
	struct made made = begin(to, from, "\x08\0");
	uint8_t ip[60] = { [9] = 17, [12] = 192, [15] = 1, [16] = 192, [19] = 2 };
	uint8_t payload[8 + 34] = { [3] = port };

	ip[0] = (uint8_t)(0x45 + options);
	put(&made, ip, 20 + 4 * options);
	put(&made, payload, sizeof(payload));
	memcpy(made.bytes + 14 + 20 + 4 * options + 36, guest, MAC_LEN);
	return made;
}

static void test_dhcp(void)
{
	struct made made = udp(everybody, other, 0, 68);
	struct frame frame = read_made(&made);

	ok(frame.kind == KIND_DHCP && frame.answers && mac_equal(frame.client, guest),
	   "a DHCP answer says for whom it is");
	made = udp(everybody, other, 2, 68);
	frame = read_made(&made);
	ok(frame.kind == KIND_DHCP && mac_equal(frame.client, guest), "also behind IP options");
	made = udp(everybody, guest, 0, 67);
	frame = read_made(&made);
	ok(frame.kind == KIND_DHCP && frame.asks, "a DHCP request asks");
	made.bytes[14 + 7] = 1;
	frame = read_made(&made);
	ok(frame.kind == KIND_IPV4, "a later fragment has no ports");
	made = udp(guest, other, 0, 53);
	frame = read_made(&made);
	ok(frame.kind == KIND_IPV4 && frame.asks && frame.answers, "other UDP is IPv4");
}

static void test_tags(void)
{
	struct made inner = arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\1");
	struct made made = begin(everybody, guest, "\x88\xa8");

	put(&made, "\0\x0a\x81\0\0\x14", 6);
	put(&made, inner.bytes + 12, inner.len - 12);
	ok(read_made(&made).kind == KIND_ARP && read_made(&made).ip_to[3] == 1, "behind two tags");
	made.len = 20;
	ok(read_made(&made).kind == KIND_OTHER, "cut off behind a tag");
}

static void test_neighbours(void)
{
	struct made made = begin((const uint8_t *)"\x33\x33\xff\x84\xe3\x62", other, "\x86\xdd");
	uint8_t ip[64] = { [0] = 0x60, [6] = 58,    [8] = 0xfe,	 [23] = 9,
			   [40] = 135, [61] = 0x84, [62] = 0xe3, [63] = 0x62 };
	struct frame frame;

	put(&made, ip, sizeof(ip));
	frame = read_made(&made);
	ok(frame.kind == KIND_NEIGHBOUR && frame.asks && memcmp(frame.end_to, guest + 3, 3) == 0,
	   "a neighbour solicitation asks for an address");
	made.bytes[14 + 8] = made.bytes[14 + 23] = 0;
	frame = read_made(&made);
	ok(frame.kind == KIND_NEIGHBOUR, "one from ::");
	ok(!frame.asks, "asks for nothing that has to be there");
}

/* --- counted and judged --- */

static struct trace on_bridge(void)
{
	struct trace trace = {
		.count = 3,
		.hops = { { .role = HOP_DEVICE, .name = "tap" },
			  { .role = HOP_BRIDGE, .name = "br0", .address = { 2, 0, 0, 0, 0, 1 } },
			  { .role = HOP_UPLINK, .name = "eth0", .outward = true } },
	};

	memcpy(trace.guest, guest, MAC_LEN);
	return trace;
}

static void count(struct trace *trace, size_t hop, struct made made, bool out)
{
	struct frame frame = read_made(&made);

	trace_count(trace, &trace->hops[hop], &frame, out);
}

static bool says(const struct trace *trace, const char *id)
{
	struct verdict verdict;

	verdict_find(trace, &verdict);
	if (strcmp(verdict.id, id) != 0)
		printf("# %s: %s\n", verdict.id, verdict.where);
	return strcmp(verdict.id, id) == 0;
}

/* One frame on its way, step by step. */
static void test_way(void)
{
	const struct made asks = arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\1");
	const struct made answers = arp(guest, other, 2, "\xc0\0\2\1", "\xc0\0\2\2");
	struct trace trace = on_bridge();

	ok(says(&trace, "guest-silent"), "nothing at all");
	count(&trace, 0, asks, false);
	ok(says(&trace, "stops-at-port"), "at the tap");
	count(&trace, 1, asks, false);
	ok(says(&trace, "stops-before-uplink"), "at the bridge");
	count(&trace, 2, asks, true);
	ok(says(&trace, "no-answer"), "at the uplink");
	count(&trace, 2, answers, false);
	ok(says(&trace, "stops-before-guest"), "back at the uplink");
	count(&trace, 0, answers, true);
	ok(says(&trace, "flows"), "and back at the tap");
}

static void test_others(void)
{
	struct trace trace = on_bridge();

	count(&trace, 0, arp(everybody, other, 1, "\xc0\0\2\2", "\xc0\0\2\1"), false);
	ok(says(&trace, "wrong-source"), "another address than the guest's");
	trace = on_bridge();
	count(&trace, 2, arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\1"), false);
	ok(says(&trace, "guest-elsewhere"), "the guest's address from beyond");
	trace = on_bridge();
	count(&trace, 0, arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\2"), false);
	count(&trace, 1, arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\2"), false);
	count(&trace, 2, arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\2"), true);
	ok(says(&trace, "nothing-asked"), "an announcement alone is no broken wire");
	count(&trace, 2, arp(everybody, other, 1, "\xc0\0\2\1", "\xc0\0\2\2"), false);
	ok(says(&trace, "nothing-asked"), "who asks for it counts as soon as its address is known");
	trace_settle(&trace);
	count(&trace, 0, arp(everybody, other, 1, "\xc0\0\2\1", "\xc0\0\2\7"), true);
	ok(says(&trace, "nothing-asked"), "what is asked of others is not for the guest");
	count(&trace, 0, udp(guest, other, 0, 53), true);
	ok(says(&trace, "guest-ignores"), "what is for it alone is not answered");
	trace = on_bridge();
	count(&trace, 1, udp(other, guest, 0, 53), true);
	ok(says(&trace, "guest-silent"), "what the host hears of itself is no second guest");
}

/* What is asked for an address that is known of no guest is not for this one. */
static void test_unknown_address(void)
{
	struct made made = begin((const uint8_t *)"\x33\x33\xff\0\0\0", other, "\x86\xdd");
	uint8_t ip[64] = { [0] = 0x60, [6] = 58, [8] = 0xfe, [23] = 9, [40] = 135 };
	struct trace trace = on_bridge();

	put(&made, ip, sizeof(ip));
	count(&trace, 0, made, true);
	ok(says(&trace, "guest-silent"), "an IPv6 address that ends in zeros");
	count(&trace, 0, arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\1"), false);
	count(&trace, 0, arp(everybody, guest, 1, "\0\0\0\0", "\xc0\0\2\7"), false);
	trace_settle(&trace);
	ok(trace.known.has_ip && trace.known.ip[3] == 2, "a probe does not take its own from it");
}

/* What is for another guest, or the host, does not have to leave by the uplink. */
static void test_neighbours_on_the_bridge(void)
{
	const uint8_t *host, *second = other;
	struct trace trace = on_bridge();

	host = trace.hops[1].address;
	count(&trace, 0, udp(second, guest, 0, 53), false);
	ok(says(&trace, "stops-before-uplink"), "unicast that nobody answers");
	count(&trace, 0, udp(guest, second, 0, 53), true);
	ok(says(&trace, "flows"), "another guest answers");
	trace = on_bridge();
	count(&trace, 0, udp(host, guest, 0, 53), false);
	count(&trace, 1, udp(host, guest, 0, 53), false);
	ok(says(&trace, "no-answer"), "the host is asked, and silent");
	count(&trace, 1, udp(guest, host, 0, 53), true);
	ok(says(&trace, "stops-before-guest"), "the host's answer does not get out");
	count(&trace, 0, udp(guest, host, 0, 53), true);
	ok(says(&trace, "flows"), "the host answers");
}

/* --- what the kernel dropped --- */

static void lose(struct trace *trace, struct made made, int in_port, const char *function)
{
	struct drop drop = { .in_port = in_port };
	struct frame frame = read_made(&made);

	snprintf(drop.function, sizeof(drop.function), "%s", function);
	trace_count_drop(trace, &drop, &frame);
}

static bool dropped_in(const struct trace *trace, const char *function)
{
	struct verdict verdict;

	verdict_find(trace, &verdict);
	if (!function || !verdict.dropped)
		return !function && !verdict.dropped;
	return strcmp(verdict.dropped->function, function) == 0;
}

static void test_drops(void)
{
	enum { TAP = 7, BRIDGE, ETH, ELSEWHERE };
	const struct made asks = arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\1");
	const struct made answers = arp(guest, other, 2, "\xc0\0\2\1", "\xc0\0\2\2");
	struct trace trace = on_bridge();

	for (int i = 0; i < 3; i++)
		trace.hops[i].ifindex = TAP + i;
	count(&trace, 0, asks, false);
	lose(&trace, arp(everybody, other, 1, "\xc0\0\2\3", "\xc0\0\2\1"), TAP, "others");
	lose(&trace, udp(other, guest, 0, 53), TAP, "ipv4");
	lose(&trace, asks, ELSEWHERE, "elsewhere");
	lose(&trace, asks, ETH, "echo");
	lose(&trace, asks, BRIDGE, "host");
	ok(dropped_in(&trace, NULL), "other frames, and at other places, do not explain it");
	lose(&trace, asks, TAP, "once");
	lose(&trace, asks, TAP, "twice");
	lose(&trace, asks, TAP, "twice");
	ok(dropped_in(&trace, "twice"), "where most of them were dropped does");
	count(&trace, 1, asks, false);
	count(&trace, 2, asks, true);
	ok(dropped_in(&trace, NULL), "what left is not answered by others");
	count(&trace, 2, answers, false);
	lose(&trace, answers, 0, "answers");
	ok(dropped_in(&trace, "answers"), "on the way to the guest, too");
	count(&trace, 0, answers, true);
	ok(dropped_in(&trace, NULL), "what flows needs no reason");
	for (int i = 0; i < 2 * DROPPED_MAX; i++)
		lose(&trace, asks, TAP, (char[]){ (char)('A' + i), 0 });
	ok(trace.dropped_count == DROPPED_MAX, "there is an end to the places that are kept");
}

/* On a macvtap, a filter may take all before it is seen. */
static void test_drops_of_silent(void)
{
	struct trace trace = { .count = 1,
			       .place = ON_LOWER,
			       .hops = { { .name = "mvt", .outward = true } } };

	memcpy(trace.guest, guest, MAC_LEN);
	lose(&trace, arp(everybody, guest, 1, "\xc0\0\2\2", "\xc0\0\2\1"), 0, "filter");
	ok(says(&trace, "guest-silent") && dropped_in(&trace, "filter"), "all from the guest");
	count(&trace, 0, udp(guest, other, 0, 53), false);
	ok(says(&trace, "guest-ignores") && dropped_in(&trace, "filter"), "also when it is asked");
}

static void test_drops_by_host(void)
{
	struct trace trace = on_bridge();
	const uint8_t *host = trace.hops[1].address;

	trace.hops[1].ifindex = 8;
	count(&trace, 0, udp(host, guest, 0, 53), false);
	count(&trace, 1, udp(host, guest, 0, 53), false);
	lose(&trace, udp(host, guest, 0, 53), 8, "input");
	ok(dropped_in(&trace, "input"), "the host was asked, and dropped it");
}

int main(void)
{
	test_arp();
	test_dhcp();
	test_tags();
	test_neighbours();
	test_way();
	test_others();
	test_unknown_address();
	test_neighbours_on_the_bridge();
	test_drops();
	test_drops_of_silent();
	test_drops_by_host();
	return finish();
}
