/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "kernel/sysfs.h"
#include "lib/libc.h"

int sysfs_read_numbers(int dir, const char *path, unsigned *a, unsigned *b)
{
	char text[32];
	unsigned ignored;
	ssize_t n;
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	n = TEMP_FAILURE_RETRY(read(fd, text, sizeof(text) - 1));
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return sscanf(text, "%u:%u", a, b ? b : &ignored);
}

/* The link's directory in the sysfs whose root is @sysfs, which is closed. */
static int open_link(int sysfs, const char *name, int ifindex)
{
	unsigned index;
	char path[32];
	int dir;

	if (sysfs < 0)
		return sysfs;
	snprintf(path, sizeof(path), "class/net/%s", name);
	dir = openat(sysfs, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		dir = -errno;
	close(sysfs);
	if (dir >= 0 &&
	    (sysfs_read_numbers(dir, "ifindex", &index, NULL) != 1 || index != (unsigned)ifindex)) {
		close(dir);
		return -ENODEV;
	}
	return dir;
}

int sysfs_open_link(const char *name, int ifindex)
{
	int dir = open_link(libc_mount_detached("sysfs"), name, ifindex);

	/* Without the right to mount, equal name and index have to do. */
	if (dir < 0)
		dir = open_link(open("/sys", O_PATH | O_DIRECTORY | O_CLOEXEC), name, ifindex);
	return dir;
}
