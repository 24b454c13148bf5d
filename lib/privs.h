/* SPDX-License-Identifier: MIT */
/*
 * Privileges: who runs COMMAND, and what it must not inherit.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct privs_user {
	bool wanted;
	uid_t uid;
	gid_t gid;
	char name[64]; /* whose supplementary groups; "": none */
};

/*
 * Whether this process has its capabilities from its program's file, and the caller may have none:
 * an unprivileged caller. Then the access file decides what it may do, and the capabilities are
 * effective only while they are needed.
 */
bool privs_from_file(void);

/* What the capabilities from the file are needed for. */
enum privs_use {
	PRIVS_NONE,
	PRIVS_LINKS, /* CAP_NET_ADMIN */
	PRIVS_NODES, /* CAP_DAC_OVERRIDE: the character device of a macvtap */
	PRIVS_NAMESPACES, /* CAP_SYS_ADMIN and CAP_NET_ADMIN: the lease of a macvtap */
	PRIVS_AUDIT, /* CAP_AUDIT_WRITE */
};

/*
 * Make the file's capabilities for @use effective, as far as there are any, and no others. The
 * caller's own stay as they are. A failure shows when what they are needed for is refused.
 */
void privs_use(enum privs_use use);

/* Whether this process has the capabilities for @use. */
bool privs_suffice(enum privs_use use);

/* Give up all capabilities for good but those for @use. */
int privs_keep(enum privs_use use);

/*
 * Take away what COMMAND would inherit: the ambient and inheritable capabilities, and all from the
 * file.
 */
int privs_clear_inherited(void);

/*
 * Become @user for good: no capability in any set, no way to gain one (no_new_privs, locked
 * securebits), the user's own groups only. Read back before it returns 0; after a failure, exit.
 */
int privs_become(const struct privs_user *user);
