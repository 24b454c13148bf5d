/* SPDX-License-Identifier: MIT */
/*
 * tapctl exec: from the options to COMMAND with its file descriptors, its environment and no more
 * privilege than it is to have.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "commands/command.h"
#include "commands/dryrun.h"
#include "kernel/netns.h"
#include "lib/access.h"
#include "lib/privs.h"
#include "lib/report.h"
#include "nic/nicset.h"
#include "vmm/args.h"
#include "vmm/audit.h"
#include "vmm/environment.h"
#include "vmm/fds.h"

static int first_fd(const struct options *options)
{
	return options->fd >= 0 ? options->fd : 3;
}

/* Whether COMMAND inherits @fd from whoever called. */
static bool is_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

static void warn_of(void *context, const char *line)
{
	(void)context;
	report_tell(REPORT_WARNING, "%s", line);
}

/* What is probably a mistake of COMMAND's and still may be meant, once all fds are in their places.
 */
static int warn_of_command(const struct nicset *set, char *const command[])
{
	/* One more: for none, calloc() may return NULL. */
	struct args_nic *nics = calloc(set->count + 1, sizeof(*nics));
	struct args *args = args_read(command);
	int err = nics && args ? 0 : -ENOMEM;

	for (size_t k = 0; k < set->count && !err; k++) {
		const struct nic *nic = &set->nics[k];

		nics[k] = (struct args_nic){
			.name = nic->link.name,
			.fd = nic->fds[0],
			.vhost_fd = nic->vhost_fds[0],
			.queues = nic->want->queues,
		};
		memcpy(nics[k].guest, nic->guest, MAC_LEN);
	}
	if (!err)
		err = args_check(args, nics, set->count, is_inherited, warn_of, NULL);
	args_free(args);
	free(nics);
	return err ? report_error(err, "%s: cannot read its arguments: %s", command[0],
				  strerror(-err)) :
		     0;
}

/* Where an unprivileged caller may have a device. */
static int check_access(const struct nicset *set)
{
	int err = 0;

	if (!privs_from_file())
		return 0;
	for (size_t k = 0; k < set->count && !err; k++) {
		bool lower = set->nics[k].want->kind == NIC_MACVTAP;

		err = access_check(set->nics[k].parent.name, lower);
		if (!err && lower &&
		    !(privs_suffice(PRIVS_NODES) && privs_suffice(PRIVS_NAMESPACES)))
			err = report_error(
				-EPERM, "--link: a macvtap's character device belongs to root, and "
					"its lease is a network namespace: tapctl needs "
					"cap_dac_override and cap_sys_admin");
	}
	return err;
}

static unsigned count_fds(const struct options *options)
{
	unsigned count = 0;

	for (size_t k = 0; k < options->nic_count; k++)
		count += fds_count(&options->nics[k]);
	return count;
}

/*
 * Everything until the devices are there, in the namespace of --netns and back from it. For
 * --dry-run, check what can be without them.
 */
static int make_devices(struct nicset *set, const struct options *options)
{
	int previous = -1, err;

	/* The places of the fds, before anything else is opened. */
	err = fds_reserve(first_fd(options), count_fds(options));
	if (!err)
		err = fds_keep_streams();
	if (!err && options->netns[0])
		err = netns_enter(options->netns, &previous);
	if (!err)
		err = nicset_begin(set, options->nics, options->nic_count, RECORD_BY_EXEC);
	if (!err)
		err = check_access(set);
	if (!err && options->dry_run)
		err = nicset_rehearse(set, geteuid(), options->reuse ? "--reuse" : NULL);
	else if (!err)
		err = nicset_make_open(set, options->reuse);
	return !err && options->netns[0] ? netns_leave(previous) : err;
}

/* Everything until COMMAND runs. */
static int prepare(struct nicset *set, const struct run *run)
{
	const struct options *options = &run->options;
	int first = first_fd(options), count = (int)count_fds(options);
	int err = make_devices(set, options);

	if (!err) {
		/* The last step to tell: from now on standard error may be a device. */
		report_tell(REPORT_STEP, "%s: running it", run->command[0]);
		err = fds_place(set->nics, set->count, first);
	}
	if (!err && !(first <= STDERR_FILENO && STDERR_FILENO < first + count))
		err = warn_of_command(set, run->command);
	if (!err)
		err = environment_put(set->nics, set->count);
	/* From here on tapctl may lack the right to write it. */
	if (!options->no_audit && set->tried)
		audit_nics(set->nics, set->tried, !err);
	if (!err)
		err = privs_clear_inherited();
	if (!err && options->user.wanted)
		err = privs_become(&options->user);
	return err;
}

/* Only a regular file can be run. */
static int check_program(const char *path)
{
	struct stat st;

	if (access(path, X_OK) < 0 || stat(path, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EACCES;
}

/* Whether execvp(3) would find it: 0, or what that would say. */
static int find_command(const char *name)
{
	const char *path = getenv("PATH"), *end;
	char file[PATH_MAX];
	int result, err = -ENOENT;

	if (!*name || strchr(name, '/'))
		return check_program(name);
	path = path ? path : "/bin:/usr/bin";
	/* Between two colons, and where there is nothing, is the current directory. */
	for (;; path = end + 1) {
		end = strchrnul(path, ':');
		snprintf(file, sizeof(file), "%.*s%s%s", (int)(end - path), path,
			 end > path ? "/" : "", name);
		result = check_program(file);
		if (!result)
			return 0;
		err = err == -EACCES ? err : result;
		if (!*end)
			return err;
	}
}

/* Why COMMAND does not run. Returns the exit status. */
static int cannot_run(const char *name, int err)
{
	bool missing = err == -ENOENT;

	report_failure(missing ? "command-not-found" : "cannot-run", err, "%s: cannot run it: %s",
		       *name ? name : "''", strerror(-err));
	return missing ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* --dry-run: check everything that can be, and make nothing. */
static int rehearse(const struct run *run, struct nicset *set)
{
	const struct options *options = &run->options;
	int first = first_fd(options), err = make_devices(set, options);

	if (err)
		return err;
	/* The places that were just reserved. */
	for (size_t k = 0; k < set->count; k++)
		for (unsigned i = 0; i < fds_count(&options->nics[k]); i++)
			set->nics[k].fds[i] = first++;
	return warn_of_command(set, run->command);
}

static int run_dry(struct run *run)
{
	struct nicset set = { .count = 0 };
	const char *command = run->command[0];
	int err, status = EXIT_EXEC_FAILED;

	if (rehearse(run, &set) == 0) {
		err = find_command(command);
		if (err) {
			status = cannot_run(command, err);
		} else {
			dry_run_print(stdout, &set, run->options.netns);
			status = command_flush_output() < 0 ? EXIT_EXEC_FAILED : EXIT_SUCCESS;
		}
	}
	nicset_end(&set);
	return status;
}

/* Returns only when there is no COMMAND; nothing is left behind. */
static int run_exec(struct run *run)
{
	char **command = run->command;
	struct nicset set = { .count = 0 };
	int status = EXIT_EXEC_FAILED;

	if (run->options.dry_run)
		return run_dry(run);
	if (prepare(&set, run) == 0) {
		execvp(command[0], command);
		status = cannot_run(command[0], -errno);
	}
	nicset_unmake(&set);
	nicset_end(&set);
	return status;
}

const struct command command_exec = {
	.name = "exec",
	.words = "-- COMMAND [ARG...]",
	.summary = "run COMMAND with a new device as fd 3",
	.notes = "Options after a --mac are for that NIC, those before the first for all.\n\n"
		 "  tapctl exec --bridge br0 -- qemu-system-x86_64 -m 1G disk.img \\\n"
		 "      -netdev tap,id=n0,fd=3 \\\n"
		 "      -device virtio-net-pci,netdev=n0,mac=52:54:00:84:e3:62\n",
	.options = FOR_EXEC,
	.takes_command = true,
	.unprivileged = true,
	.failure = EXIT_EXEC_FAILED,
	.misuse = EXIT_EXEC_FAILED,
	.run = run_exec,
};
