/* SPDX-License-Identifier: MIT */
#include <netinet/in.h>
#include <netinet/ip6.h>

#include "kernel/filter_parts.h"

/* Where a field is in a frame. */
#define IP6(field) ((uint32_t)(NET + offsetof(struct ip6_hdr, field)))

enum {
	IP6_END = NET + sizeof(struct ip6_hdr),
	ND_TARGET = IP6_END + 8, /* of a neighbour solicitation or advertisement (RFC 4861) */
	ND_MOST = 48, /* bytes of a message of neighbour discovery, which its sum is taken of */
	EXTENSIONS_MAX = 4, /* headers before the protocol's */
};

/* ICMPv6 types (RFC 2710, 3810, 4861). */
enum {
	MLD_REPORT = 131,
	MLD_DONE = 132,
	ROUTER_SOLICITATION = 133,
	ROUTER_ADVERTISEMENT = 134,
	NEIGHBOUR_SOLICITATION = 135,
	NEIGHBOUR_ADVERTISEMENT = 136,
	REDIRECT = 137,
	MLD_REPORT_2 = 143,
};

/* Cells. */
enum {
	END, /* of the packet */
	UNSPECIFIED, /* whether it comes from :: */
	OFFSET, /* where its present header begins */
	HEADER, /* which one that is */
	WORD, /* its first four bytes */
	SOURCE = 8, /* four of them */
	TARGET = 12, /* four, too */
};

static void load_address(struct program *p, uint32_t offset, uint32_t cell)
{
	for (unsigned word = 0; word < 4; word++)
		filter_load(p, offset + 4 * word, cell + word);
}

/* The link-local address that is made from a MAC address (RFC 4291, appendix A). */
static struct ip_address link_local(const uint8_t *mac)
{
	return (struct ip_address){
		.family = AF_INET6,
		.length = 128,
		.bytes = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe,
			   mac[3], mac[4], mac[5] },
	};
}

/* X is the offset: @bytes from there on are inside the packet. */
static void require_inside(struct program *p, uint32_t bytes)
{
	bpf_load_x(p);
	bpf_compute(p, BPF_ADD, bytes);
	bpf_set_x_cell(p, END);
	bpf_forbid(p, BPF_JGT | BPF_X, 0);
	bpf_set_x_cell(p, OFFSET);
}

/* The extension headers (RFC 7045, 4). */
static const uint8_t extensions[] = { 0, 43, 44, 51, 60, 135, 139, 140 };

static void jump_if_extension(struct program *p, struct jumps *found)
{
	for (unsigned i = 0; i < sizeof(extensions); i++)
		bpf_jump_if(p, found, BPF_JEQ, extensions[i]);
}

/*
 * A is the next header, X and OFFSET say where it is: step over it when it is an extension. Of a
 * fragment that is not the first nothing more can be seen, nor is it needed: the first one has the
 * whole chain (RFC 7112).
 */
static void step_over(struct program *p, struct jumps *upper, struct jumps *unseen)
{
	struct jumps extension = { .count = 0 }, other = { .count = 0 }, advance = { .count = 0 };

	jump_if_extension(p, &extension);
	bpf_jump(p, upper);
	bpf_land(p, &extension);
	bpf_store(p, HEADER);
	require_inside(p, 8);
	bpf_load_at_x(p, BPF_W, 0);
	bpf_store(p, WORD);
	bpf_load_cell(p, HEADER);
	bpf_jump_unless(p, &other, BPF_JEQ, IPPROTO_FRAGMENT);
	bpf_load_cell(p, WORD);
	bpf_jump_if(p, unseen, BPF_JSET, 0xfff8);
	bpf_load_number(p, 8);
	bpf_jump(p, &advance);
	bpf_land(p, &other);
	bpf_load_cell(p, WORD);
	bpf_compute(p, BPF_RSH, 16);
	bpf_compute(p, BPF_AND, 0xff);
	bpf_set_x(p);
	bpf_load_cell(p, HEADER);
	bpf_jump_unless(p, &other, BPF_JEQ, IPPROTO_AH);
	bpf_load_x(p);
	bpf_compute(p, BPF_ADD, 2);
	bpf_compute(p, BPF_LSH, 2);
	bpf_jump(p, &advance);
	bpf_land(p, &other);
	bpf_load_x(p);
	bpf_compute(p, BPF_ADD, 1);
	bpf_compute(p, BPF_LSH, 3);
	bpf_land(p, &advance);
	bpf_set_x_cell(p, OFFSET);
	bpf_compute(p, BPF_ADD | BPF_X, 0);
	bpf_store(p, OFFSET);
	bpf_set_x(p);
	bpf_load_cell(p, WORD);
	bpf_compute(p, BPF_RSH, 24);
}

/* A is the next header. */
static void put_ipv6_head(struct program *p, const struct prefixes *allowed,
			  const struct ip_address *own)
{
	struct jumps known = { .count = 0 };

	bpf_require_length(p, IP6_END);
	bpf_load(p, BPF_B, NET);
	bpf_require(p, BPF_JGE, 0x60);
	bpf_forbid(p, BPF_JGT, 0x6f);
	filter_load(p, IP6(ip6_plen), WORD); /* and ip6_nxt, ip6_hlim */
	bpf_compute(p, BPF_RSH, 16);
	bpf_compute(p, BPF_ADD, IP6_END);
	bpf_store(p, END);
	bpf_set_x(p);
	bpf_load_length(p);
	bpf_require(p, BPF_JGE | BPF_X, 0);
	bpf_relay_aside(p);
	bpf_load_number(p, 0);
	bpf_store(p, UNSPECIFIED);
	load_address(p, IP6(ip6_src), SOURCE);
	filter_match_all(p, &known, SOURCE, allowed, AF_INET6);
	filter_match(p, &known, SOURCE, own);
	for (unsigned word = 0; word < 4; word++) {
		bpf_load_cell(p, SOURCE + word);
		bpf_require(p, BPF_JEQ, 0);
	}
	bpf_load_number(p, 1);
	bpf_store(p, UNSPECIFIED);
	bpf_land(p, &known);
	bpf_load_number(p, IP6_END);
	bpf_store(p, OFFSET);
	bpf_set_x(p);
	bpf_load_cell(p, WORD);
	bpf_compute(p, BPF_RSH, 8);
	bpf_compute(p, BPF_AND, 0xff);
}

static void put_nd_sum(struct program *p)
{
	struct jumps end = { .count = 0 };

	bpf_load_cell(p, END);
	bpf_compute(p, BPF_SUB, IP6_END);
	bpf_forbid(p, BPF_JSET, 7);
	bpf_forbid(p, BPF_JGT, ND_MOST);
	bpf_compute(p, BPF_ADD, IPPROTO_ICMPV6);
	bpf_set_x(p);
	for (unsigned word = 0; word < 4; word++) {
		bpf_load_cell(p, SOURCE + word);
		filter_add(p);
		bpf_load(p, BPF_W, IP6(ip6_dst) + 4 * word);
		filter_add(p);
	}
	for (unsigned byte = 0; byte < ND_MOST; byte += 8) {
		bpf_load_cell(p, END);
		bpf_jump_if(p, &end, BPF_JEQ, IP6_END + byte);
		bpf_load(p, BPF_W, IP6_END + byte);
		filter_add(p);
		bpf_load(p, BPF_W, IP6_END + byte + 4);
		filter_add(p);
	}
	bpf_land(p, &end);
	filter_require_sum(p);
}

/* A is the type. Neighbour discovery comes without extension headers, and claims only what is its
 * own. */
static void put_nd(struct program *p, const struct prefixes *allowed, const struct ip_address *own)
{
	struct jumps sum = { .far = true }, own_claim = { .count = 0 };

	bpf_store(p, HEADER);
	bpf_load_x(p);
	bpf_require(p, BPF_JEQ, IP6_END);
	bpf_load_cell(p, HEADER);
	bpf_jump_if(p, &sum, BPF_JEQ, ROUTER_SOLICITATION);
	bpf_load_cell(p, END);
	bpf_require(p, BPF_JGE, ND_TARGET + 16);
	/* A solicitation from :: asks whether somebody has the address already. */
	bpf_load_cell(p, UNSPECIFIED);
	bpf_compute(p, BPF_LSH, 8);
	bpf_set_x(p);
	bpf_load_cell(p, HEADER);
	bpf_compute(p, BPF_OR | BPF_X, 0);
	bpf_jump_if(p, &sum, BPF_JEQ, NEIGHBOUR_SOLICITATION);
	bpf_forbid(p, BPF_JEQ, 1 << 8 | NEIGHBOUR_ADVERTISEMENT);
	bpf_relay_aside(p);
	load_address(p, ND_TARGET, TARGET);
	filter_match_all(p, &own_claim, TARGET, allowed, AF_INET6);
	filter_match(p, &own_claim, TARGET, own);
	bpf_jump(p, &p->refused);
	bpf_land(p, &own_claim);
	bpf_land(p, &sum);
	put_nd_sum(p);
	bpf_return(p, PASS);
	bpf_relay(p);
}

static void put_other(struct program *p)
{
	bpf_load_cell(p, UNSPECIFIED);
	bpf_require(p, BPF_JEQ, 0);
	bpf_return(p, PASS);
	bpf_relay(p);
}

static void put_icmpv6(struct program *p, const struct prefixes *allowed,
		       const struct ip_address *own)
{
	struct jumps mld = { .count = 0 }, nd = { .count = 0 };

	bpf_load_at_x(p, BPF_B, 0);
	bpf_forbid(p, BPF_JEQ, ROUTER_ADVERTISEMENT);
	bpf_forbid(p, BPF_JEQ, REDIRECT);
	bpf_jump_if(p, &nd, BPF_JEQ, ROUTER_SOLICITATION);
	bpf_jump_if(p, &nd, BPF_JEQ, NEIGHBOUR_SOLICITATION);
	bpf_jump_if(p, &nd, BPF_JEQ, NEIGHBOUR_ADVERTISEMENT);
	bpf_jump_if(p, &mld, BPF_JEQ, MLD_REPORT);
	bpf_jump_if(p, &mld, BPF_JEQ, MLD_DONE);
	bpf_jump_if(p, &mld, BPF_JEQ, MLD_REPORT_2);
	put_other(p);
	bpf_land(p, &mld);
	bpf_return(p, PASS);
	bpf_land(p, &nd);
	put_nd(p, allowed, own);
}

void filter_put_ipv6(struct program *p, const uint8_t *guest, const struct prefixes *allowed)
{
	const struct ip_address own = link_local(guest);
	struct jumps upper = { .count = 0 }, other = { .count = 0 };
	struct jumps udp = { .count = 0 }, icmpv6 = { .count = 0 };

	put_ipv6_head(p, allowed, &own);
	for (unsigned i = 0; i < EXTENSIONS_MAX; i++)
		step_over(p, &upper, &other);
	jump_if_extension(p, &p->refused);
	bpf_land(p, &upper);
	/* A is the protocol, whose header begins at X: it has to be whole. */
	bpf_jump_if(p, &other, BPF_JEQ, IPPROTO_NONE);
	bpf_store(p, HEADER);
	require_inside(p, 8);
	bpf_load_cell(p, HEADER);
	bpf_jump_if(p, &icmpv6, BPF_JEQ, IPPROTO_ICMPV6);
	bpf_jump_if(p, &udp, BPF_JEQ, IPPROTO_UDP);
	bpf_jump_unless(p, &other, BPF_JEQ, IPPROTO_TCP);
	require_inside(p, 20);
	bpf_jump(p, &other);
	bpf_land(p, &udp);
	bpf_load_at_x(p, BPF_H, 0);
	bpf_forbid(p, BPF_JEQ, 547);
	bpf_land(p, &other);
	put_other(p);
	bpf_land(p, &icmpv6);
	put_icmpv6(p, allowed, &own);
}
