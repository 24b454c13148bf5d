/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

/* The kernel's, which sys/mount.h and sys/stat.h would clash with. */
#include <linux/mount.h>
#include <linux/stat.h>

#include "lib/libc.h"

void libc_close_from(int first)
{
	const struct dirent *entry;
	DIR *fds;

	if (syscall(SYS_close_range, first, UINT_MAX, 0) == 0)
		return;
	/* Before Linux 5.9. Closing one does not change which come later. */
	fds = opendir("/proc/self/fd");
	while (fds && (entry = readdir(fds))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd >= first && fd != dirfd(fds))
			close(fd);
	}
	if (fds)
		closedir(fds);
}

int libc_find_device(int dir, const char *path, dev_t *rdev)
{
	struct statx st;

	if (syscall(SYS_statx, dir, path, AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
		return -errno;
	*rdev = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	return (st.stx_mode & S_IFMT) == S_IFCHR;
}

int libc_mount_detached(const char *type)
{
	int mount = -1, context = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);

	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
	if (mount < 0)
		mount = -errno;
	close(context);
	return mount;
}
