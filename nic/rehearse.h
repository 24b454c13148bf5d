/* SPDX-License-Identifier: MIT */
/*
 * All that can be checked of a NIC without making it (--dry-run).
 */
#pragma once

#include "nic/nic.h"

/*
 * Check a NIC that is prepared. @existing, unless NULL, is the option by which its device may be
 * there already: "--may-exist" or "--reuse"; nic->reused then tells whether it is. 0 or a negative
 * errno with a line of error or with nic->refusal.
 */
int nic_rehearse(struct nl *nl, struct nic *nic, const char *existing);
