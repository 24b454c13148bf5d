/* SPDX-License-Identifier: MIT */
/*
 * IP addresses of links, and the neighbours found there, by rtnetlink.
 */
#pragma once

#include "netlink.h"

/* Call @each for every address of wider use than its own link (AF_INET and AF_INET6), as nl_dump()
 * does. */
typedef int address_fn(int ifindex, int family, void *data);
int address_dump(struct nl *nl, address_fn *each, void *data);

/* Call @each for every neighbour whose address the host has found, on the link @ifindex. */
typedef int neighbour_fn(int ifindex, const uint8_t mac[static MAC_LEN], void *data);
int neighbour_dump(struct nl *nl, neighbour_fn *each, void *data);
