/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <netinet/in.h>

#include <linux/if_ether.h>

#include "inspect/frame.h"

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

bool frame_is_group(const uint8_t mac[static MAC_LEN])
{
	return mac[0] & 1;
}

bool frame_is_broadcast(const uint8_t mac[static MAC_LEN])
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
	size_t header = (size_t)4 * (number(ip, 0, 1) & 15U);
	unsigned port = number(ip, header + 2, 2);

	frame->kind = KIND_IPV4;
	frame->asks = frame->answers = !frame_is_group(frame->to);
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

	frame->asks = frame->answers = !frame_is_group(frame->to);
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

bool frame_read(struct frame *frame, const uint8_t *bytes, size_t len)
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
