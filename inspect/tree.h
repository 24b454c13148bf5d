/* SPDX-License-Identifier: MIT */
/*
 * The wiring as a picture: each bridge or lower device, and under it its uplinks, what this host
 * has there, and the guests' devices with who has them open.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "inspect/select.h"

/*
 * Draw it to @out: of tapctl's devices, all bridges, and all taps and macvtaps on a bridge or lower
 * device; with @all, also of those on none; with a @selection (NULL: none) only those in it, where
 * a bridge or lower device stands for all on it. @colour: for a terminal. 0 or a negative errno
 * with a line of error.
 */
int tree_draw(FILE *out, struct nl *nl, const struct selection *selection, bool all, bool colour);
