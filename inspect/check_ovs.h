/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with ports of Open vSwitch, as its database has them.
 */
#pragma once

#include "inspect/finding.h"

/* Read the database, if it is there and the caller may. 0 or a negative errno with a line of error.
 */
int check_ovs_begin(struct check *check);

/* Ports of tapctl's that are left over: their device is gone. */
void check_ovs_left(struct check *check);

/* A device that was made for Open vSwitch; what its record says has been compared. */
void check_ovs_port(struct check *check, const struct inventory_link *device);
