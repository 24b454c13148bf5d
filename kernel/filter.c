/* SPDX-License-Identifier: MIT */
#include <netinet/if_ether.h>
#include <netinet/ip.h>

#include <linux/pkt_cls.h>

#include "kernel/filter.h"
#include "kernel/filter_parts.h"

/* Where a field is in a frame. */
#define ARP(field) ((uint32_t)(NET + offsetof(struct ether_arp, field)))
#define IP(field) ((uint32_t)(NET + offsetof(struct ip, field)))

/* Cells: words of the header (which has them as FIRST_WORD ...), and what they tell. */
enum {
	FIRST_WORD,
	FRAGMENT, /* in its lower half: flags and offset */
	PROTOCOL, /* in its second byte */
	SOURCE,
	TARGET,
	HEADER, /* the header's bytes */
	TOTAL, /* the packet's */
	PORTS, /* from and to, of UDP in a packet or its first fragment; else 0 */
};

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

void filter_load(struct program *p, uint32_t offset, uint32_t cell)
{
	bpf_load(p, BPF_W, offset);
	bpf_store(p, cell);
}

void filter_match(struct program *p, struct jumps *found, uint32_t cell,
		  const struct ip_address *prefix)
{
	struct jumps other = { .count = 0 };

	for (unsigned bit = 0; bit < prefix->length; bit += 32) {
		unsigned left = prefix->length - bit;

		bpf_load_cell(p, cell + bit / 32);
		if (left < 32)
			bpf_compute(p, BPF_AND, UINT32_MAX << (32 - left));
		bpf_jump_unless(p, &other, BPF_JEQ, word_of(prefix->bytes + bit / 8));
	}
	bpf_jump(p, found);
	bpf_land(p, &other);
}

void filter_match_all(struct program *p, struct jumps *found, uint32_t cell,
		      const struct prefixes *allowed, uint8_t family)
{
	for (unsigned i = 0; i < allowed->count; i++)
		if (allowed->list[i].family == family)
			filter_match(p, found, cell, &allowed->list[i]);
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

/* Ones' complement addition (RFC 1071): what is carried out on the left comes in on the right. */
void filter_add(struct program *p)
{
	struct jumps no_carry = { .count = 0 };

	bpf_compute(p, BPF_ADD | BPF_X, 0);
	bpf_jump_if(p, &no_carry, BPF_JGE | BPF_X, 0);
	bpf_compute(p, BPF_ADD, 1);
	bpf_land(p, &no_carry);
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
	require_mac(p, ARP(arp_sha), guest);
	filter_load(p, ARP(arp_tpa), TARGET);
	filter_load(p, ARP(arp_spa), SOURCE);
	bpf_load(p, BPF_W, ARP(ea_hdr.ar_hln)); /* and ar_pln, ar_op */
}

enum { ARP_OP = MAC_LEN << 24 | 4 << 16 };

/* An address of its own as the sender, or a probe for one (RFC 5227). */
static void put_arp(struct program *p, const uint8_t *guest, const struct prefixes *allowed)
{
	struct jumps own = { .count = 0 };

	put_arp_head(p, guest);
	bpf_store(p, FIRST_WORD);
	bpf_require(p, BPF_JGE, ARP_OP | 1);
	bpf_forbid(p, BPF_JGT, ARP_OP | 2);
	bpf_relay_aside(p);
	filter_match_all(p, &own, SOURCE, allowed, AF_INET);
	bpf_load_cell(p, FIRST_WORD);
	bpf_require(p, BPF_JEQ, ARP_OP | 1);
	bpf_load_cell(p, SOURCE);
	bpf_require(p, BPF_JEQ, 0);
	bpf_relay_aside(p);
	filter_match_all(p, &own, TARGET, allowed, AF_INET);
	bpf_jump(p, &p->refused);
	bpf_land(p, &own);
	bpf_return(p, PASS);
}

/* What qemu sends when the guest has moved to this host. */
static void put_rarp(struct program *p, const uint8_t *guest)
{
	put_arp_head(p, guest);
	bpf_require(p, BPF_JEQ, ARP_OP | 3);
	bpf_load_cell(p, SOURCE);
	bpf_require(p, BPF_JEQ, 0);
	bpf_load_cell(p, TARGET);
	bpf_require(p, BPF_JEQ, 0);
	require_mac(p, ARP(arp_tha), guest);
	bpf_return(p, PASS);
}

/* --- IPv4 --- */

/* Its header and all that it tells of are in the frame. */
static void put_ipv4_head(struct program *p)
{
	bpf_require_length(p, NET + sizeof(struct ip));
	filter_load(p, NET, FIRST_WORD);
	bpf_compute(p, BPF_RSH, 24);
	bpf_require(p, BPF_JGE, 0x45);
	bpf_forbid(p, BPF_JGT, 0x4f);
	bpf_compute(p, BPF_AND, 0xf);
	bpf_compute(p, BPF_LSH, 2);
	bpf_store(p, HEADER);
	bpf_set_x(p);
	bpf_load_cell(p, FIRST_WORD);
	bpf_compute(p, BPF_AND, UINT16_MAX);
	bpf_store(p, TOTAL);
	bpf_require(p, BPF_JGE | BPF_X, 0);
	bpf_set_x(p);
	bpf_load_length(p);
	bpf_compute(p, BPF_SUB, NET);
	bpf_require(p, BPF_JGE | BPF_X, 0);
}

static void put_ipv4_sum(struct program *p)
{
	struct jumps end = { .count = 0 };

	bpf_set_x_cell(p, FIRST_WORD);
	for (unsigned word = 1; word < 5; word++) {
		filter_load(p, NET + 4 * word, FIRST_WORD + word);
		filter_add(p);
	}
	for (unsigned byte = 20; byte < 60; byte += 4) {
		bpf_load_cell(p, HEADER);
		bpf_jump_if(p, &end, BPF_JEQ, byte);
		bpf_load(p, BPF_W, NET + byte);
		filter_add(p);
	}
	bpf_land(p, &end);
	filter_require_sum(p);
}

static void put_ports(struct program *p)
{
	struct jumps none = { .count = 0 };

	bpf_load_number(p, 0);
	bpf_store(p, PORTS);
	bpf_load_cell(p, PROTOCOL);
	bpf_compute(p, BPF_AND, 0xff << 16);
	bpf_jump_unless(p, &none, BPF_JEQ, IPPROTO_UDP << 16);
	bpf_load_cell(p, FRAGMENT);
	bpf_jump_if(p, &none, BPF_JSET, 0x1fff);
	bpf_set_x_cell(p, HEADER);
	bpf_load_cell(p, TOTAL);
	bpf_compute(p, BPF_SUB | BPF_X, 0);
	bpf_require(p, BPF_JGE, 8);
	bpf_load_at_x(p, BPF_W, NET);
	bpf_store(p, PORTS);
	bpf_compute(p, BPF_RSH, 16);
	bpf_forbid(p, BPF_JEQ, 67);
	bpf_land(p, &none);
}

static void put_ipv4(struct program *p, const struct prefixes *allowed)
{
	struct jumps own = { .count = 0 };

	put_ipv4_head(p);
	put_ipv4_sum(p);
	put_ports(p);
	bpf_relay_aside(p);
	filter_match_all(p, &own, SOURCE, allowed, AF_INET);
	/* Without an address it may ask for one. */
	bpf_load_cell(p, SOURCE);
	bpf_require(p, BPF_JEQ, 0);
	bpf_load_cell(p, TARGET);
	bpf_require(p, BPF_JEQ, UINT32_MAX);
	bpf_load_cell(p, FRAGMENT);
	bpf_forbid(p, BPF_JSET, 0x2000);
	bpf_load_cell(p, PORTS);
	bpf_require(p, BPF_JEQ, 68 << 16 | 67);
	bpf_land(p, &own);
	bpf_return(p, PASS);
	bpf_relay(p);
}

/* --- all of it --- */

void filter_write(struct program *p, const uint8_t guest[static MAC_LEN],
		  const struct prefixes *allowed)
{
	const uint32_t mac_end = (uint32_t)guest[4] << 24 | (uint32_t)guest[5] << 16;
	struct jumps other = { .far = true };

	p->count = 0;
	p->refusal = DROP;
	p->refused = (struct jumps){ .count = 0 };
	put_data(p, allowed);
	bpf_require_length(p, NET);
	/* On a tap a tag is not in the frame; on a macvtap it is, and its type is refused. */
	bpf_load(p, BPF_B, (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT));
	bpf_require(p, BPF_JEQ, 0);
	bpf_require_at(p, BPF_W, offsetof(struct ether_header, ether_shost), word_of(guest));
	bpf_relay_aside(p);
	bpf_load(p, BPF_W, offsetof(struct ether_header, ether_shost) + 4); /* and the type */
	bpf_jump_unless(p, &other, BPF_JEQ, mac_end | ETHERTYPE_IP);
	put_ipv4(p, allowed);
	bpf_land(p, &other);
	bpf_jump_unless(p, &other, BPF_JEQ, mac_end | ETHERTYPE_IPV6);
	filter_put_ipv6(p, guest, allowed);
	bpf_land(p, &other);
	bpf_jump_unless(p, &other, BPF_JEQ, mac_end | ETHERTYPE_ARP);
	put_arp(p, guest, allowed);
	bpf_land(p, &other);
	bpf_require(p, BPF_JEQ, mac_end | ETHERTYPE_REVARP);
	put_rarp(p, guest);
	bpf_refuse(p);
}
