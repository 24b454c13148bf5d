/* SPDX-License-Identifier: MIT */
/*
 * The host's own routing, asked by rtnetlink.
 */
#pragma once

#include <stdint.h>

#include "netlink.h"

/* The ifindex of the device by which the host sends what is for the IPv4 address @to; 0: it is one
 * of its own, or for a group; a negative errno: there is no route. */
int route_find(struct nl *nl, const uint8_t to[static 4]);
