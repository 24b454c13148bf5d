/* SPDX-License-Identifier: MIT */
/*
 * Privileges: who runs COMMAND, and what it must not inherit.
 */
#ifndef TAPCTL_PRIVS_H
#define TAPCTL_PRIVS_H

#include <stdbool.h>
#include <sys/types.h>

#include "report.h"

struct privs_user {
	bool wanted;
	uid_t uid;
	gid_t gid;
	char name[64]; /* whose supplementary groups; "": none */
};

/* A user or group by name or number. False: there is none. */
bool privs_find_user(uid_t *uid, const char *word);
bool privs_find_group(gid_t *gid, const char *word);

/* Read USER[:GROUP]. A user known only by number needs a GROUP. Returns 0 or -EINVAL. */
int privs_parse(struct privs_user *user, const char *text, struct report *report);

/* Clear the ambient and inheritable capabilities, which COMMAND would get. */
int privs_clear_inherited(struct report *report);

/*
 * Become @user for good: no capability in any set, no way to gain one (no_new_privs, locked
 * securebits), the user's own groups only. Read back before it returns 0; there is no half of it to
 * go on with.
 */
int privs_become(const struct privs_user *user, struct report *report);

#endif
