/* SPDX-License-Identifier: MIT */
/*
 * Put a device back to what its record says, while its guest runs on.
 *
 * It is never taken down, and no frame passes a port before it has its protections.
 */
#pragma once

#include "nic/compare.h"

/*
 * Mend the @differences of record_compare() that can be: it cannot join a bridge that is not here,
 * nor filter VLANs for the bridge. With @moves it joins compared->parent all the same, and its
 * record becomes compared->record. Returns 0 or a negative errno with a line of error.
 */
int nic_restore(struct nl *nl, const struct compared *compared, unsigned differences, bool moves);
