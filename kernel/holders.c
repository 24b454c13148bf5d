/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>

#include <linux/if.h>
#include <linux/kcmp.h>
#include <linux/if_tun.h>

#include "lib/array.h"
#include "lib/libc.h"
#include "kernel/holders.h"

#define FIRST_PIDS 0xeffffffc /* PROC_PID_INIT_INO of linux/proc_ns.h */
#define TUN_DEVICE makedev(10, 200) /* MISC_MAJOR, TUN_MINOR of linux/miscdevice.h */

bool holders_parse_fdinfo(char name[static 16], const char *text)
{
	size_t len;

	while (strncmp(text, "iff:", 4) != 0) {
		text += strcspn(text, "\n");
		if (!*text++)
			return false;
	}
	text += 4;
	text += strspn(text, " \t");
	len = strcspn(text, "\n");
	if (len == 0 || len > 15)
		return false;
	memcpy(name, text, len);
	name[len] = '\0';
	return true;
}

/* A file of /proc, whole, as a string. */
static bool read_text(int dir, const char *path, char *text, size_t size)
{
	ssize_t n;
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	n = TEMP_FAILURE_RETRY(read(fd, text, size - 1));
	close(fd);
	if (n <= 0)
		return false;
	text[n] = '\0';
	return true;
}

/* A copy of a file of another process, or a negative errno. */
static int copy_fd(pid_t pid, int number)
{
	int fd, process = (int)syscall(SYS_pidfd_open, pid, 0);

	if (process < 0)
		return -errno;
	fd = (int)syscall(SYS_pidfd_getfd, process, number, 0);
	if (fd < 0)
		fd = -errno;
	close(process);
	return fd;
}

/*
 * Two network namespaces may have taps of one name, and fdinfo does not tell them apart. A copy of
 * the fd does; where that is not allowed, the name has to do.
 */
static bool is_elsewhere(pid_t pid, int number)
{
	struct stat here, there;
	int net, fd = copy_fd(pid, number);
	bool elsewhere = false;

	if (fd < 0)
		return false;
	net = ioctl(fd, TUNGETDEVNETNS);
	if (net >= 0) {
		elsewhere = fstat(net, &there) == 0 &&
			    stat("/proc/thread-self/ns/net", &here) == 0 &&
			    there.st_ino != here.st_ino;
		close(net);
	}
	close(fd);
	return elsewhere;
}

/*
 * The device number of a removed macvtap is used again while its queues are still open; these then
 * have no device (drivers/net/tap.c, tap_get_tap_dev).
 */
static bool is_removed(const struct holder *holder)
{
	struct ifreq ifr;
	int fd = holder->fd < 0 ? -EPERM : copy_fd(holder->pid, holder->fd);
	bool removed;

	/* It may have ended meanwhile, or closed it. */
	if (fd < 0)
		return fd == -ESRCH || fd == -EBADF;
	removed = ioctl(fd, TUNGETIFF, &ifr) < 0 && errno == ENOLINK;
	close(fd);
	return removed;
}

static int add_holder(struct holders *holders, const struct holder *new)
{
	struct holder *list = array_grow(holders->list, holders->count, sizeof(*list));

	if (!list)
		return -ENOMEM;
	holders->list = list;
	holders->list[holders->count++] = *new;
	return 0;
}

/* That a process has ended or is another user's is not an error. */
static int cannot_read(struct holders *holders, int err)
{
	if (err == -EACCES || err == -EPERM)
		holders->incomplete = true;
	else if (err != -ENOENT && err != -ESRCH)
		return err;
	return 0;
}

/* Where descriptors are looked for: /proc/PID, or /proc/PID/task/TID for a table of its own. */
struct table {
	int dir; /* of /proc itself: this alone */
	pid_t pid;
	bool own; /* not the table that pidfd_getfd(2) copies from */
};

static int each_fd(struct holders *holders, const struct table *table, const char *number)
{
	struct holder new = {
		.pid = table->pid,
		.fd = table->own ? -1 : (int)strtol(number, NULL, 10),
	};
	char path[64], text[512];
	int found;

	snprintf(path, sizeof(path), "fd/%.10s", number);
	found = libc_find_device(table->dir, path, &new.rdev);
	if (found < 0)
		/* Process 1 is not a VMM, and in a container may be closed to its root. */
		return table->pid == 1 ? 0 : cannot_read(holders, found);
	if (!found)
		return 0;
	if (new.rdev == TUN_DEVICE) {
		snprintf(path, sizeof(path), "fdinfo/%.10s", number);
		/* Read again: of one that was closed meanwhile, is_elsewhere() knows nothing. */
		if (!read_text(table->dir, path, text, sizeof(text)) ||
		    !holders_parse_fdinfo(new.tap, text) || is_elsewhere(table->pid, new.fd) ||
		    !read_text(table->dir, path, text, sizeof(text)))
			return 0;
		new.rdev = 0;
	} else if (major(new.rdev) < 234) {
		return 0; /* macvtaps have a dynamic major number */
	}
	/* It has ended meanwhile. */
	if (!read_text(table->dir, "comm", text, sizeof(text)))
		return 0;
	snprintf(new.command, sizeof(new.command), "%.*s", (int)strcspn(text, "\n"), text);
	return add_holder(holders, &new);
}

typedef int entry_fn(struct holders *holders, const struct table *table, const char *name);

/* Call @each for every number in the directory @path of @table. */
static int read_directory(struct holders *holders, const struct table *table, const char *path,
			  entry_fn *each)
{
	int fd = openat(table->dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;
	DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	if (!entries) {
		err = cannot_read(holders, -errno);
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (!err) {
		errno = 0;
		entry = readdir(entries);
		if (!entry) {
			err = cannot_read(holders, -errno);
			break;
		}
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9')
			err = each(holders, table, entry->d_name);
	}
	closedir(entries);
	return err;
}

/* A thread may have a table of its own, and alone has one when the first thread has ended. */
static int each_thread(struct holders *holders, const struct table *process, const char *name)
{
	struct table thread = { .pid = process->pid, .own = true };
	pid_t tid = (pid_t)strtol(name, NULL, 10);
	char path[32];
	int err;

	if (tid == process->pid || syscall(SYS_kcmp, process->pid, tid, KCMP_FILES, 0, 0) == 0)
		return 0;
	snprintf(path, sizeof(path), "task/%.10s", name);
	thread.dir = openat(process->dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (thread.dir < 0)
		return cannot_read(holders, -errno);
	err = read_directory(holders, &thread, "fd", each_fd);
	close(thread.dir);
	return err;
}

static int each_process(struct holders *holders, const struct table *proc, const char *name)
{
	struct table table = { .pid = (pid_t)strtol(name, NULL, 10) };
	struct stat tasks;
	int err;

	table.dir = openat(proc->dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (table.dir < 0)
		return cannot_read(holders, -errno);
	err = read_directory(holders, &table, "fd", each_fd);
	/* Links of a directory: its own two, and one for each thread. */
	if (!err && fstatat(table.dir, "task", &tasks, 0) == 0 && tasks.st_nlink > 3)
		err = read_directory(holders, &table, "task", each_thread);
	close(table.dir);
	return err;
}

int holders_read(struct holders *holders)
{
	struct table proc = { .dir = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	int err = proc.dir < 0 ? -errno : 0;
	struct stat pids;

	/* Where /proc hides processes of others (hidepid), it hides process 1. One of a PID
	 * namespace that this process is not in does not have it as self. */
	*holders = (struct holders){
		.incomplete = access("/proc/1", F_OK) < 0,
		.nested = stat("/proc/self/ns/pid", &pids) < 0 || pids.st_ino != FIRST_PIDS,
	};
	if (!err) {
		err = read_directory(holders, &proc, ".", each_process);
		close(proc.dir);
	}
	if (!err)
		return 0;
	holders_free(holders);
	return report_error(err, "/proc: cannot read who holds what: %s", strerror(-err));
}

void holders_free(struct holders *holders)
{
	free(holders->list);
	holders->list = NULL;
	holders->count = 0;
}

const struct holder *holders_next(const struct holders *holders, const struct holder *after,
				  const char *name, dev_t rdev)
{
	for (size_t i = after ? (size_t)(after - holders->list) + 1 : 0; i < holders->count; i++) {
		const struct holder *holder = &holders->list[i];

		if (after && holder->pid == after->pid)
			continue;
		if (rdev ? holder->rdev == rdev && !is_removed(holder) :
			   strcmp(holder->tap, name) == 0)
			return holder;
	}
	return NULL;
}

const char *holders_look_up(char words[static HOLDER_TEXT], const char *format, const char *name,
			    dev_t rdev)
{
	const struct holder *holder = NULL;
	struct holders holders = { .count = 0 };

	words[0] = '\0';
	if (holders_read(&holders) == 0)
		holder = holders_next(&holders, NULL, name, rdev);
	else
		report_forget();
	if (holder)
		snprintf(words, HOLDER_TEXT, format, holder->command, (int)holder->pid);
	holders_free(&holders);
	return words;
}

/* The words, one after the other, each with its NUL; the block has room for their addresses before.
 */
static char **split_words(const char *text, size_t len)
{
	size_t count = 0;
	char **words, *to;

	for (size_t i = 0; i < len; i++)
		count += !text[i];
	words = malloc((count + 1) * sizeof(*words) + len);
	if (!words)
		return NULL;
	to = (char *)(words + count + 1);
	memcpy(to, text, len);
	for (size_t i = 0; i < count; i++) {
		words[i] = to;
		to += strlen(to) + 1;
	}
	words[count] = NULL;
	return words;
}

char **holder_argv(const struct holder *holder)
{
	enum { WORDS = 1 << 18 };
	char path[32], *text = malloc(WORDS), **words = NULL;
	size_t len = 0;
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)holder->pid);
	fd = text ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	while (fd >= 0 && len < WORDS && (n = read(fd, text + len, WORDS - len)) > 0)
		len += (size_t)n;
	if (fd >= 0 && n == 0 && len && !text[len - 1])
		words = split_words(text, len);
	if (fd >= 0)
		close(fd);
	free(text);
	return words;
}

bool holders_are_passing(const struct holders *holders, const char *name, dev_t rdev)
{
	const struct holder *holder = NULL;
	bool any = false;

	while ((holder = holders_next(holders, holder, name, rdev))) {
		if (strcmp(holder->command, "tapctl") != 0)
			return false;
		any = true;
	}
	return any;
}

bool holders_disagree(const struct holders *holders, dev_t rdev)
{
	bool with = false, without = false;
	struct ifreq ifr;

	for (size_t i = 0; i < holders->count; i++) {
		int fd = -1;

		if (holders->list[i].rdev == rdev)
			fd = copy_fd(holders->list[i].pid, holders->list[i].fd);
		if (fd < 0)
			continue;
		if (ioctl(fd, TUNGETIFF, &ifr) == 0) {
			with |= ifr.ifr_flags & IFF_VNET_HDR;
			without |= !(ifr.ifr_flags & IFF_VNET_HDR);
		}
		close(fd);
	}
	return with && without;
}
