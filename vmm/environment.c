/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static int set_variables(size_t k, const char *const values[static VARIABLES])
{
	char name[64];
	int result = 0;

	for (unsigned i = 0; i < VARIABLES && result == 0; i++) {
		name_variable(name, k, i);
		result = values[i] ? setenv(name, values[i], 1) : 0;
	}
	return result < 0 ? -errno : 0;
}

/* Whether @entry is a variable of some nic. */
static bool is_ours(const char *entry)
{
	if (strncmp(entry, "TAPCTL_", 7) != 0)
		return false;
	entry += 7;
	for (unsigned i = 0; i < VARIABLES; i++) {
		size_t len = strlen(variables[i]);
		const char *rest = entry + len;

		if (strncmp(entry, variables[i], len) != 0)
			continue;
		if (*rest == '_')
			rest += 1 + strspn(rest + 1, "0123456789");
		if (*rest == '=')
			return true;
	}
	return false;
}

/* What an outer tapctl has left, however much: in one pass. */
static void forget_outer(void)
{
	char **to = environ;

	for (char **from = environ; from && *from; from++)
		if (!is_ours(*from))
			*to++ = *from;
	if (to)
		*to = NULL;
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
	int err = 0;

	forget_outer();
	for (size_t k = 0; !err && k < count; k++)
		err = describe_nic(&nics[k], k);
	if (err)
		return report_error(err, "cannot set the environment: %s", strerror(-err));
	return 0;
}
