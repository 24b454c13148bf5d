/* SPDX-License-Identifier: MIT */
/*
 * Whether a device is what was wanted: an existing one before it is opened, a new one when it is
 * complete. Wrong wiring is silent, and another program may have changed the device meanwhile.
 *
 * Functions return 0 or a negative errno, with a line of error or with nic->refusal.
 */
#pragma once

#include "nic/nic.h"

/*
 * Look for a device of that name: one that is what was wanted sets nic->reused and nic->link. One
 * that is different or, for exec, in use where a second holder would steal frames, is an error.
 * @option is what lets it exist, as "--reuse".
 */
int nic_find_existing(struct nl *nl, struct nic *nic, const char *option);

/* Compare nic->link of a device just made, as it was read last, with what was wanted. */
int nic_verify_new(struct nl *nl, struct nic *nic);

/*
 * Read @count devices back and compare them with what was wanted: @all, or those for which
 * protections were asked, with everything, and of the others the address alone. An address that was
 * changed is set once more. @failed becomes the one that is not so.
 */
int nic_verify(struct nl *nl, struct nic *nics, size_t count, bool all, struct nic **failed);
