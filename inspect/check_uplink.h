/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with the ports by which a bridge leads elsewhere.
 */
#pragma once

#include "inspect/check_bridge.h"

/* Keep of a port what it tells as an uplink, if it is one. */
void look_at_uplink(const struct inventory *inventory, struct bridge *bridge,
		    const struct inventory_link *port);

void check_uplink(struct check *check, const struct bridge *bridge);
