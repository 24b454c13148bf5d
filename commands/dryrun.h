/* SPDX-License-Identifier: MIT */
/*
 * --dry-run: the commands of ip(8), bridge(8) and tc(8) that would make the same devices.
 */
#pragma once

#include <stdio.h>

#include "nic/nicset.h"

/*
 * Print them for each nic that does not exist yet, in their order, one a line. @netns is what
 * --netns said, or "".
 */
void dry_run_print(FILE *out, const struct nicset *set, const char *netns);
