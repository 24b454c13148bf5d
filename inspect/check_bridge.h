/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a bridge, and with the chosen devices as its ports.
 */
#pragma once

#include "inspect/finding.h"

void check_bridge_ports(struct check *check, const struct siblings *ports);
