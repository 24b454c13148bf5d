/* SPDX-License-Identifier: MIT */
/*
 * The environment of COMMAND: TAPCTL_FD and the others.
 */
#pragma once

#include <stddef.h>

#include "nic/nic.h"

/* Set the variables of @nics, and unset those that an outer tapctl with more NICs has left. 0 or a
 * negative errno with a line of error. */
int environment_put(const struct nic *nics, size_t count);
