/* SPDX-License-Identifier: MIT */
/*
 * The access file: on which bridges and lower devices an unprivileged caller may have a device.
 *
 * It means what qemu's bridge.conf means, with two more words for macvtaps. It is read with the
 * caller's own rights, so the permissions of an included file decide for whom that file is.
 */
#pragma once

#include <stdbool.h>

/*
 * Whether the access file lets a device be on the bridge @name or, with @lower, on that lower
 * device. @name is the link's own name, not an alternative one. 0, or -EACCES with a line of error.
 */
int access_check(const char *name, bool lower);
