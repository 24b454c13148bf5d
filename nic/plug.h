/* SPDX-License-Identifier: MIT */
/*
 * The port of a NIC's tap on a bridge of Open vSwitch, with the watcher that removes it.
 *
 * Functions return 0 or a negative errno with a line of error.
 */
#pragma once

#include "nic/nic.h"

/*
 * Make the port of a tap that was just made, and wait until Open vSwitch has taken it and, where
 * that is asked for, OVN has wired it.
 */
int nic_plug(struct nic *nic);

/* Remove the port of a NIC that was made. Failures are not reported: the watcher is there. */
void nic_unplug(struct nic *nic);

/*
 * Make the port of a tap that may be in use anew, as @record wants it. The watcher of its guest, if
 * it has one, knows it by its name.
 */
int nic_replug(struct ovs *ovs, const struct link *link, const struct record *record);

/* Find the port of an existing tap. That there is none is no error. */
int nic_find_row(struct nic *nic);
