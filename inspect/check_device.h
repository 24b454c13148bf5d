/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a tap or macvtap by itself.
 */
#pragma once

#include "inspect/finding.h"

/* "open in qemu (pid 17)", or that nobody is seen who has it open. */
const char *holder_words(char text[static HOLDER_TEXT], const struct check *check,
			 const struct link *link);

/* Any device. */
void check_device(struct check *check, const struct inventory_link *device);
