/* SPDX-License-Identifier: MIT */
/*
 * The IP addresses of the host's on a tap that is on no bridge (--address).
 */
#pragma once

#include "nic/nic.h"

/*
 * Check that the device has the addresses that are wanted, or refuse it: the record does not hold
 * them, so tapctl(8) attach could not put them back. 0 or a negative errno with a line of error.
 */
int nic_verify_addresses(struct nl *nl, const struct nic *nic);
