/* SPDX-License-Identifier: MIT */
/*
 * IP addresses of links, and the neighbours found there, by rtnetlink.
 */
#pragma once

#include "lib/ip.h"
#include "netlink.h"

/* Call @each for every address of the host's, as nl_dump() does. */
struct address {
	int ifindex;
	bool wide; /* of wider use than its own link */
	struct ip_address ip;
};
typedef int address_fn(const struct address *address, void *data);
int address_dump(struct nl *nl, address_fn *each, void *data);

/*
 * Put the message into the transaction that gives the link @ifindex an address of the host's: an
 * IPv6 address is not searched for on the link before it is used.
 */
void address_put(struct nl *nl, int ifindex, const struct ip_address *ip);

/* Call @each for every neighbour whose address the host has found, on the link @ifindex, by its
 * IPv4 or IPv6 address. */
typedef int neighbour_fn(int ifindex, int family, const uint8_t mac[static MAC_LEN], void *data);
int neighbour_dump(struct nl *nl, neighbour_fn *each, void *data);
