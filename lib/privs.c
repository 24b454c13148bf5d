/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <unistd.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/xattr.h>

#include <linux/capability.h>
#include <linux/securebits.h>

#include "lib/privs.h"
#include "lib/report.h"

#define CAP_WORDS 2 /* of 32 bits each, _LINUX_CAPABILITY_U32S_3 */

static int capabilities_get(struct __user_cap_data_struct data[static CAP_WORDS])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

static int capabilities_set(const struct __user_cap_data_struct data[static CAP_WORDS])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };

	return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

/*
 * AT_SECURE is also set where a security module wants it: then the file has no capabilities. Root
 * could change the access file anyway.
 */
bool privs_from_file(void)
{
	if (!getauxval(AT_SECURE) || getuid() == 0)
		return false;
	return getxattr("/proc/self/exe", "security.capability", NULL, 0) >= 0 ||
	       (errno != ENODATA && errno != EOPNOTSUPP);
}

/* All of them are in the first word. */
static uint32_t capabilities_for(enum privs_use use)
{
	static const uint32_t masks[] = {
		[PRIVS_LINKS] = 1U << CAP_NET_ADMIN,
		[PRIVS_NODES] = 1U << CAP_DAC_OVERRIDE,
		[PRIVS_NAMESPACES] = 1U << CAP_SYS_ADMIN | 1U << CAP_NET_ADMIN,
		[PRIVS_AUDIT] = 1U << CAP_AUDIT_WRITE,
	};

	return masks[use];
}

void privs_use(enum privs_use use)
{
	struct __user_cap_data_struct data[CAP_WORDS];

	if (!privs_from_file() || capabilities_get(data) < 0)
		return;
	data[0].effective = data[0].permitted & capabilities_for(use);
	data[1].effective = 0;
	capabilities_set(data);
}

bool privs_suffice(enum privs_use use)
{
	struct __user_cap_data_struct data[CAP_WORDS];

	return capabilities_get(data) == 0 && !(capabilities_for(use) & ~data[0].permitted);
}

int privs_keep(enum privs_use use)
{
	struct __user_cap_data_struct data[CAP_WORDS];
	uint32_t kept = capabilities_for(use);
	int err = capabilities_get(data);

	if (err)
		return err;
	kept &= data[0].permitted;
	memset(data, 0, sizeof(data));
	data[0].permitted = data[0].effective = kept;
	return capabilities_set(data);
}

int privs_clear_inherited(void)
{
	struct __user_cap_data_struct data[CAP_WORDS] = { 0 };
	int err = capabilities_get(data);

	/* An empty inheritable set empties the ambient one too (capabilities(7)). */
	if (!err && privs_from_file()) {
		memset(data, 0, sizeof(data));
		err = capabilities_set(data);
		if (!err)
			err = capabilities_get(data);
		if (!err && (data[0].permitted || data[1].permitted))
			err = -EPERM;
	} else if (!err && (data[0].inheritable || data[1].inheritable)) {
		data[0].inheritable = data[1].inheritable = 0;
		err = capabilities_set(data);
	}
	if (err)
		return report_error(err, "cannot clear the capabilities for COMMAND: %s",
				    strerror(-err));
	return 0;
}

static int drop_bounding(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	return 0;
}

/* The order matters: each step removes what the steps before it need. */
static int give_up(const struct privs_user *user, const char **step)
{
	static const struct __user_cap_data_struct none[CAP_WORDS];
	int err;

	*step = "the capability bounding set";
	err = drop_bounding();
	if (err)
		return err;
	*step = "the securebits";
	if (prctl(PR_SET_SECUREBITS,
		  SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
			  SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |
			  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
		  0, 0, 0) < 0)
		return -errno;
	*step = "the groups";
	if ((user->name[0] ? initgroups(user->name, user->gid) : setgroups(0, NULL)) < 0)
		return -errno;
	*step = "the group";
	if (setresgid(user->gid, user->gid, user->gid) < 0)
		return -errno;
	*step = "the user";
	if (setresuid(user->uid, user->uid, user->uid) < 0)
		return -errno;
	*step = "the capabilities";
	err = capabilities_set(none);
	if (err)
		return err;
	*step = "no_new_privs";
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* The state that the kernel reports, whatever the calls returned. */
static bool has_given_up(const struct privs_user *user)
{
	struct __user_cap_data_struct data[CAP_WORDS] = { 0 };
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) < 0 || getresgid(&rgid, &egid, &sgid) < 0 ||
	    capabilities_get(data) < 0)
		return false;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 1)
			return false;
	for (int i = 0; i < CAP_WORDS; i++)
		if (data[i].effective || data[i].permitted || data[i].inheritable)
			return false;
	return ruid == user->uid && euid == user->uid && suid == user->uid && rgid == user->gid &&
	       egid == user->gid && sgid == user->gid &&
	       prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

int privs_become(const struct privs_user *user)
{
	const char *step, *name = user->name[0] ? user->name : "by number";
	int err = give_up(user, &step);

	if (err)
		return report_error(err, "--user %s: cannot change %s: %s", name, step,
				    strerror(-err));
	if (!has_given_up(user))
		return report_error(-EPERM, "--user %s: privileges are left after giving them up",
				    name);
	return 0;
}
