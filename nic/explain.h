/* SPDX-License-Identifier: MIT */
/*
 * What a refusal of the kernel's means to somebody who wires VMs: who is in the way, who holds
 * what, what to do instead.
 *
 * One errno has many causes, so these look around once more; they change nothing. Each leaves the
 * line of error and returns the errno.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "netlink.h"
#include "lib/report.h"

struct nic;

/* A tap that somebody removes meanwhile leaves an fd without a device (EBADFD), and no link. */
bool link_disappeared(int err);
int explain_disappeared(const struct nic *nic, int err);

/* ", held by qemu (pid 123)" of a tap, or of the macvtap with that device number, or "". */
const char *explain_holder(char words[static 64], const char *name, dev_t rdev);

/* tap_connect(), nl_tap_setup() and nl_macvtap_create() have failed with @err. */
int explain_connect(struct nl *nl, const struct nic *nic, int err);
int explain_tap_setup(struct nl *nl, const struct nic *nic, int err);
int explain_macvtap(struct nl *nl, const struct nic *nic, int err);
