/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/report.h"
#include "vmm/environment.h"

/* "3:4:5", or NULL when none of @fds is open. The caller frees it. */
static int join_fds(char **text, const int *fds, unsigned count)
{
	size_t size, at = 0;

	*text = NULL;
	if (fds[0] < 0)
		return 0;
	size = count * sizeof("2147483647");
	*text = malloc(size);
	if (!*text)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++)
		at += (size_t)snprintf(*text + at, size - at, "%s%d", i ? ":" : "", fds[i]);
	return 0;
}

/* TAPCTL_FD and the others of the nic @k. */
static const char *const variables[] = { "FD",	      "FDS",	  "VHOSTFDS", "IFNAME",
					 "GUEST_MAC", "HOST_MAC", "MTU" };

enum { VARIABLES = sizeof(variables) / sizeof(*variables) };

static void name_variable(char name[static 64], size_t k, unsigned i)
{
	int n = snprintf(name, 64, "TAPCTL_%s", variables[i]);

	if (k > 0)
		snprintf(name + n, 64 - (size_t)n, "_%zu", k + 1);
}

/* Set those of the nic @k; where the value is NULL, unset what an outer tapctl has left. */
static int set_variables(size_t k, const char *const values[static VARIABLES])
{
	char name[64];
	int result = 0;

	for (unsigned i = 0; i < VARIABLES && result == 0; i++) {
		name_variable(name, k, i);
		result = values[i] ? setenv(name, values[i], 1) : unsetenv(name);
	}
	return result < 0 ? -errno : 0;
}

static bool has_variables(size_t k)
{
	char name[64];

	name_variable(name, k, 0);
	return getenv(name);
}

static int describe_nic(const struct nic *nic, size_t k)
{
	char guest[MAC_STRLEN], host[MAC_STRLEN], fd[16], mtu[16], *fds = NULL, *vhost_fds = NULL;
	int err = join_fds(&fds, nic->fds, nic->want->queues);

	if (!err)
		err = join_fds(&vhost_fds, nic->vhost_fds, nic->want->queues);
	snprintf(fd, sizeof(fd), "%d", nic->fds[0]);
	snprintf(mtu, sizeof(mtu), "%u", nic->link.mtu);
	if (!err)
		err = set_variables(
			k, (const char *const[VARIABLES]){ fd, fds, vhost_fds, nic->link.name,
							   mac_format(guest, nic->guest),
							   mac_format(host, nic->host), mtu });
	free(fds);
	free(vhost_fds);
	return err;
}

int environment_put(const struct nic *nics, size_t count)
{
	static const char *const none[VARIABLES];
	int err = 0;

	for (size_t k = 0; !err && (k < count || has_variables(k)); k++)
		err = k < count ? describe_nic(&nics[k], k) : set_variables(k, none);
	if (err)
		return report_error(err, "cannot set the environment: %s", strerror(-err));
	return 0;
}
