/* SPDX-License-Identifier: MIT */
/*
 * The access file: on which bridges and lower devices a caller without privilege of its own may
 * have a device.
 *
 * The file is qemu's bridge.conf and has its meaning, with words of its own for macvtaps. It is
 * read with the caller's own rights, so the permissions of a file that it includes decide who is
 * let in by that file.
 */
#pragma once

#include <stdbool.h>

/*
 * Whether the access file lets a device be on the bridge @name or, with @lower, on that lower
 * device: it is the link's own name which counts, not an alternative one. 0, or -EACCES with a line
 * of error.
 */
int access_check(const char *name, bool lower);
