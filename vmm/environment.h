/* SPDX-License-Identifier: MIT */
/*
 * The environment of COMMAND: TAPCTL_FD and the others.
 */
#pragma once

#include <stddef.h>

#include "nic/nic.h"

/* Tell COMMAND what it got, and nothing of an outer tapctl's that had more nics. 0 or a negative
 * errno with a line of error. */
int environment_put(const struct nic *nics, size_t count);
