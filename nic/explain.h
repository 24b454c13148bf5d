/* SPDX-License-Identifier: MIT */
/*
 * The line of error for what the kernel refused: which device is in the way, which process has it
 * open, what to do instead.
 *
 * One errno has many causes, so this looks at the links again; it changes nothing.
 */
#pragma once

#include "nic/nic.h"

/* @nic failed with @err: word nic->refusal as the line of error, unless there is one. Returns @err.
 */
int explain_refusal(struct nl *nl, const struct nic *nic, int err);
