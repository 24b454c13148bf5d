/* SPDX-License-Identifier: MIT */
#include <netinet/if_ether.h>
#include <netinet/ip.h>

#include <linux/pkt_cls.h>

#include "kernel/filter.h"
#include "kernel/filter_parts.h"

/* Where a field is in a frame. */
#define ARP(field) ((uint32_t)(NET + offsetof(struct ether_arp, field)))
#define IP(field) ((uint32_t)(NET + offsetof(struct ip, field)))

static uint32_t word_of(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

static void require_mac(struct program *p, uint32_t offset, const uint8_t *mac)
{
	bpf_require_at(p, BPF_W, offset, word_of(mac));
	bpf_require_at(p, BPF_H, offset + 4, (uint32_t)mac[4] << 8 | mac[5]);
}

/* --- addresses --- */

/* Jump when the address at @offset is in @prefix. */
void filter_match(struct program *p, struct jumps *found, uint32_t offset,
		  const struct ip_address *prefix)
{
	unsigned first = p->count;

	for (unsigned bit = 0; bit < prefix->length; bit += 32) {
		unsigned left = prefix->length - bit;

		bpf_load(p, BPF_W, offset + bit / 8);
		if (left < 32)
			bpf_compute(p, BPF_AND, UINT32_MAX << (32 - left));
		bpf_put(p, BPF_JMP | BPF_JEQ, 0, 0, word_of(prefix->bytes + bit / 8));
	}
	bpf_jump(p, found);
	bpf_land_false(p, first, BPF_JEQ);
}

void filter_match_all(struct program *p, struct jumps *found, uint32_t offset,
		      const struct prefixes *allowed, uint8_t family)
{
	for (unsigned i = 0; i < allowed->count; i++)
		if (allowed->list[i].family == family)
			filter_match(p, found, offset, &allowed->list[i]);
}

static void put_data(struct program *p, const struct prefixes *allowed)
{
	struct jumps over = { .count = 0 };

	bpf_jump(p, &over);
	for (unsigned i = 0; i < allowed->count; i++) {
		const struct ip_address *prefix = &allowed->list[i];

		for (unsigned byte = 0; byte < ip_size(prefix->family); byte += 4)
			bpf_put(p, BPF_LD | BPF_IMM, prefix->family == AF_INET6 ? 6 : 4,
				prefix->length, word_of(prefix->bytes + byte));
	}
	bpf_land(p, &over);
}

/* --- sums --- */

/* X is the sum so far. Ones' complement addition is that modulo 2^16 - 1 (RFC 1071). */
void filter_sum_word(struct program *p, uint32_t offset)
{
	bpf_load(p, BPF_W, offset);
	bpf_compute(p, BPF_MOD, UINT16_MAX);
	bpf_compute(p, BPF_ADD | BPF_X, 0);
	bpf_set_x(p);
}

void filter_require_sum(struct program *p)
{
	bpf_load_x(p);
	bpf_compute(p, BPF_MOD, UINT16_MAX);
	bpf_require(p, BPF_JEQ, 0);
}

/* --- ARP and RARP --- */

static void put_arp_head(struct program *p, const uint8_t *guest)
{
	bpf_require_length(p, NET + sizeof(struct ether_arp));
	bpf_require_at(p, BPF_W, NET, ARPHRD_ETHER << 16 | ETHERTYPE_IP);
	bpf_require_at(p, BPF_H, ARP(ea_hdr.ar_hln), MAC_LEN << 8 | 4);
	require_mac(p, ARP(arp_sha), guest);
}

/* An address of its own as the sender, or a probe for one (RFC 5227). */
static void put_arp(struct program *p, const uint8_t *guest, const struct prefixes *allowed)
{
	struct jumps own = { .count = 0 };

	put_arp_head(p, guest);
	bpf_load(p, BPF_H, ARP(ea_hdr.ar_op));
	bpf_require(p, BPF_JGE, 1);
	bpf_forbid(p, BPF_JGT, 2);
	filter_match_all(p, &own, ARP(arp_spa), allowed, AF_INET);
	bpf_require_at(p, BPF_H, ARP(ea_hdr.ar_op), 1);
	bpf_require_at(p, BPF_W, ARP(arp_spa), 0);
	filter_match_all(p, &own, ARP(arp_tpa), allowed, AF_INET);
	bpf_return(p, DROP);
	bpf_land(p, &own);
	bpf_return(p, PASS);
}

/* What qemu sends when the guest has moved to this host. */
static void put_rarp(struct program *p, const uint8_t *guest)
{
	put_arp_head(p, guest);
	bpf_require_at(p, BPF_H, ARP(ea_hdr.ar_op), 3);
	bpf_require_at(p, BPF_W, ARP(arp_spa), 0);
	require_mac(p, ARP(arp_tha), guest);
	bpf_require_at(p, BPF_W, ARP(arp_tpa), 0);
	bpf_return(p, PASS);
}

/* --- IPv4 --- */

static void put_ipv4_sum(struct program *p)
{
	unsigned first = p->count;

	bpf_set_x_number(p, 0);
	for (unsigned byte = 0; byte < 20; byte += 4)
		filter_sum_word(p, NET + byte);
	for (unsigned byte = 20; byte < 60; byte += 4) {
		bpf_load(p, BPF_B, NET);
		bpf_put(p, BPF_JMP | BPF_JGT, 0, 0, 0x40 | byte / 4);
		filter_sum_word(p, NET + byte);
	}
	bpf_land_false(p, first, BPF_JGT);
	filter_require_sum(p);
}

/* Its header and all that it tells of are in the frame. */
static void put_ipv4_head(struct program *p)
{
	bpf_require_length(p, NET + sizeof(struct ip));
	bpf_load(p, BPF_B, NET);
	bpf_compute(p, BPF_AND, 0xf0);
	bpf_require(p, BPF_JEQ, 0x40);
	bpf_set_x_header(p, NET);
	bpf_load_x(p);
	bpf_require(p, BPF_JGE, 20);
	bpf_load(p, BPF_H, IP(ip_len));
	bpf_require(p, BPF_JGE | BPF_X, 0);
	bpf_set_x(p);
	bpf_load_length(p);
	bpf_compute(p, BPF_SUB, NET);
	bpf_require(p, BPF_JGE | BPF_X, 0);
}

static void put_ipv4(struct program *p, const struct prefixes *allowed)
{
	struct jumps no_ports = { .count = 0 }, own = { .count = 0 };

	put_ipv4_head(p);
	put_ipv4_sum(p);
	bpf_load(p, BPF_B, IP(ip_p));
	bpf_jump_unless(p, &no_ports, BPF_JEQ, IPPROTO_UDP);
	bpf_load(p, BPF_H, IP(ip_off));
	bpf_jump_if(p, &no_ports, BPF_JSET, 0x1fff);
	bpf_set_x_header(p, NET);
	bpf_load(p, BPF_H, IP(ip_len));
	bpf_compute(p, BPF_SUB | BPF_X, 0);
	bpf_require(p, BPF_JGE, 8);
	bpf_load_at_x(p, BPF_H, NET);
	bpf_forbid(p, BPF_JEQ, 67);
	bpf_land(p, &no_ports);
	filter_match_all(p, &own, IP(ip_src), allowed, AF_INET);
	/* Without an address it may ask for one. */
	bpf_require_at(p, BPF_W, IP(ip_src), 0);
	bpf_require_at(p, BPF_W, IP(ip_dst), UINT32_MAX);
	bpf_load(p, BPF_B, IP(ip_p));
	bpf_require(p, BPF_JEQ, IPPROTO_UDP);
	bpf_load(p, BPF_H, IP(ip_off));
	bpf_forbid(p, BPF_JSET, 0x3fff);
	bpf_set_x_header(p, NET);
	bpf_load_at_x(p, BPF_W, NET);
	bpf_require(p, BPF_JEQ, 68 << 16 | 67);
	bpf_land(p, &own);
	bpf_return(p, PASS);
}

/* --- all of it --- */

void filter_write(struct program *p, const uint8_t guest[static MAC_LEN],
		  const struct prefixes *allowed)
{
	struct jumps other = { .count = 0 };

	p->count = 0;
	p->refusal = DROP;
	put_data(p, allowed);
	bpf_require_length(p, NET);
	/* On a tap a tag is not in the frame; on a macvtap it is, and its type is refused. */
	bpf_load(p, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	bpf_require(p, BPF_JEQ, 0);
	require_mac(p, offsetof(struct ether_header, ether_shost), guest);
	bpf_load(p, BPF_H, offsetof(struct ether_header, ether_type));
	bpf_jump_unless(p, &other, BPF_JEQ, ETHERTYPE_IP);
	put_ipv4(p, allowed);
	bpf_land(p, &other);
	bpf_jump_unless(p, &other, BPF_JEQ, ETHERTYPE_IPV6);
	filter_put_ipv6(p, guest, allowed);
	bpf_land(p, &other);
	bpf_jump_unless(p, &other, BPF_JEQ, ETHERTYPE_ARP);
	put_arp(p, guest, allowed);
	bpf_land(p, &other);
	bpf_require(p, BPF_JEQ, ETHERTYPE_REVARP);
	put_rarp(p, guest);
}
