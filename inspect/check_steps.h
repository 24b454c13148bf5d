/* SPDX-License-Identifier: MIT */
/*
 * What check has looked at, told as steps: so that "nothing found" is believed.
 */
#pragma once

#include "inspect/check_bridge.h"

/* One line each of what a chosen device is on, up to how the host forwards. @bridge: NULL if it is
 * on none. At the first look. */
void tell_steps(struct check *check, const struct inventory_link *device,
		const struct bridge *bridge);
