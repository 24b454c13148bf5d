/* SPDX-License-Identifier: MIT */
/*
 * File systems that only this process sees, above all the sysfs of the right network namespace.
 *
 * /sys shows the namespace of the process that mounted it, not the caller's (fs/sysfs/mount.c). A
 * detached mount is in no mount table and ends with its last fd, also after a SIGKILL.
 */
#pragma once

/*
 * The directory class/net/@name of this thread's network namespace, in a sysfs mounted for it.
 * Where mounting is not allowed (CAP_SYS_ADMIN) it is that of /sys, if name and @ifindex agree
 * there. Returns an fd or a negative errno.
 */
int sysfs_open_link(const char *name, int ifindex);

/*
 * Read the number in a small file, or two with a colon between them (@b may be NULL for one).
 * Returns how many were read, 0 when the file does not exist.
 */
int sysfs_read_numbers(int dir, const char *path, unsigned *a, unsigned *b);
