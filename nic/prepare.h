/* SPDX-License-Identifier: MIT */
/*
 * Before anything is made: look up the bridge or lower device, and check that the NIC fits it.
 */
#pragma once

#include "nic/nic.h"

/*
 * Look up nic->parent and check that the NIC can be on it. @previous, unless NULL, is a nic that
 * was prepared just before: its answer is used again. 0 or a negative errno with a line of error.
 */
int nic_prepare(struct nl *nl, struct nic *nic, const struct nic *previous);
