/* SPDX-License-Identifier: MIT */
/*
 * What a link is to tapctl: a device of its own, and for which guest, or somebody else's.
 *
 * It is known by the alias of the link, which the kernel keeps: there is no other database.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "macutil.h"
#include "netlink.h"

#define RECORD_GUEST "tapctl guest " /* and the guest's address */
#define RECORD_HOST "tapctl host" /* a macvlan that is this host's own leg */

/* The guest's address that the alias of a device of ours names. False: not one of ours. */
bool record_guest(uint8_t guest[static MAC_LEN], const struct link *link);

/* A macvlan of ours, by which this host talks to the guests on its lower device. */
bool record_is_host(const struct link *link);

/* A tap or macvtap, whoever made it. */
bool link_is_tap(const struct link *link);

/* The device number of a macvtap's character device; 0 for anything else or when it cannot be told.
 */
dev_t macvtap_rdev(const struct link *link);

/* What a link is, for "it is a ...". */
const char *link_kind_word(const struct link *link);
