/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with the host as the guests' router.
 */
#pragma once

#include "inspect/finding.h"

/*
 * A tap on no bridge, or a bridge: whether the host answers there, and forwards. @beyond: a gateway
 * of the guests' may be beyond an uplink, and then they need none here.
 */
void check_routing(struct check *check, const struct inventory_link *link, bool beyond);
