/* SPDX-License-Identifier: MIT */
/*
 * IP addresses of links, by rtnetlink.
 */
#pragma once

#include "netlink.h"

/* Call @each for every address of wider use than its own link (AF_INET and AF_INET6), as nl_dump()
 * does. */
typedef int address_fn(int ifindex, int family, void *data);
int address_dump(struct nl *nl, address_fn *each, void *data);
