/* SPDX-License-Identifier: MIT */
/*
 * What a refusal of the kernel's means to somebody who wires VMs: who is in the way, who holds
 * what, what to do instead.
 *
 * One errno has many causes, so this looks around once more; it changes nothing.
 */
#pragma once

#include "nic/nic.h"

/* @nic failed with @err: word nic->refusal as the line of error, unless there is one already.
 * Returns
 * @err. */
int explain_refusal(struct nl *nl, const struct nic *nic, int err);
