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

#define DEVICE_ALIAS "tapctl guest " /* and the guest's address */
#define DEVICE_HOST_ALIAS "tapctl host" /* a macvlan that is this host's own leg */

/* The guest's address that the alias of a device of ours names. False: not one of ours. */
bool device_guest(uint8_t guest[static MAC_LEN], const struct link *link);

/* A macvlan of ours, by which this host talks to the guests on its lower device. */
bool device_is_host_leg(const struct link *link);

/* A tap or macvtap, whoever made it. */
bool device_is_tap(const struct link *link);

/* The device number of a macvtap's character device; 0 for anything else or when it cannot be told.
 */
dev_t device_rdev(const struct link *link);

/* What a link is, for "it is a ...". */
const char *device_kind(const struct link *link);
