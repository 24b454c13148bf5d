/* SPDX-License-Identifier: MIT */
/*
 * Privileges: who runs COMMAND, and what it must not inherit.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "lib/report.h"

struct privs_user {
	bool wanted;
	uid_t uid;
	gid_t gid;
	char name[64]; /* whose supplementary groups; "": none */
};

/*
 * Whether this process has its capabilities from the file of its program, and its caller may have
 * none. Then what it does is for the access file to decide, and the capabilities are effective only
 * while they are needed.
 */
bool privs_are_lent(void);

/* What capabilities that are lent are needed for. */
enum privs_use {
	PRIVS_NONE,
	PRIVS_LINKS, /* CAP_NET_ADMIN */
	PRIVS_NODES, /* CAP_DAC_OVERRIDE: the character device of a macvtap */
	PRIVS_NAMESPACES, /* CAP_SYS_ADMIN and CAP_NET_ADMIN: the lease of a macvtap */
	PRIVS_AUDIT, /* CAP_AUDIT_WRITE */
};

/*
 * Make the lent capabilities for @use effective, as far as they are there, and no other ones.
 * Capabilities of one's own stay as they are. It fails in ways that the kernel tells again when
 * what they are needed for is done.
 */
void privs_use(enum privs_use use);

/* Whether the capabilities for @use are there. */
bool privs_suffice(enum privs_use use);

/* Give up all capabilities for good but CAP_NET_ADMIN. */
int privs_keep_links(void);

/*
 * Take away what COMMAND would get of tapctl's: the ambient and inheritable capabilities, and all
 * capabilities that are lent.
 */
int privs_clear_inherited(void);

/*
 * Become @user for good: no capability in any set, no way to gain one (no_new_privs, locked
 * securebits), the user's own groups only. Read back before it returns 0; there is no half of it to
 * go on with.
 */
int privs_become(const struct privs_user *user);
