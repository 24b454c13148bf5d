/* SPDX-License-Identifier: MIT */
/*
 * The host's own routing, asked by rtnetlink.
 */
#pragma once

#include <stdint.h>

#include "netlink.h"

/* Call @each for every IPv4 route to others, of any table, with the link that it goes out by. */
typedef int route_fn(int ifindex, void *data);
int route_dump(struct nl *nl, route_fn *each, void *data);

/* The ifindex of the device by which the host sends what is for the IPv4 address @to; 0: it is one
 * of its own, or for a group; a negative errno: there is no route. */
int route_find(struct nl *nl, const uint8_t to[static 4]);

/* How many rules choose the table for an IPv4 packet: three when nobody has made any
 * (net/ipv4/fib_rules.c, fib_default_rules_init). Or a negative errno. */
int route_count_rules(struct nl *nl);
