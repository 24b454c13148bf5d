/* SPDX-License-Identifier: MIT */
/*
 * For a script that is run again: a device that is there already and is what was asked for.
 */
#pragma once

#include "nic/nic.h"

/*
 * Look for a device of the name of @nic that `add` would make just so: it sets nic->reused and
 * nic->link, and nic->owner where it is still to be given to its owner. One that differs is an
 * error, which says in what; one that another `add` is at work on is waited for. 0 or a negative
 * errno with a line of error or with nic->refusal.
 */
int nic_find_same(struct nl *nl, struct nic *nic);
