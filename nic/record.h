/* SPDX-License-Identifier: MIT */
/*
 * The record: the alias of a link says that tapctl made it, and for which guest.
 *
 * The kernel keeps it: there is no other database.
 */
#pragma once

#include <stdbool.h>

#include "macutil.h"
#include "netlink.h"
#include "nic/nic.h"

#define RECORD_GUEST "tapctl guest " /* and the guest's address */
#define RECORD_HOST "tapctl host"

/* The alias of a device for @nic. */
void record_write(char alias[static LINK_ALIAS], const struct nic *nic);

/* The guest's address in the record of a device of tapctl's. False: is not one. */
bool record_guest(uint8_t guest[static MAC_LEN], const struct link *link);

/* A macvlan of tapctl's, by which this host talks to the guests on its lower device. */
bool record_is_host(const struct link *link);
