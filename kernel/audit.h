/* SPDX-License-Identifier: MIT */
/*
 * The kernel's audit log: records of virtual machine resources, as audit-tools read them.
 */
#pragma once

struct nl;

/* Open a socket. 0 or a negative errno. Close it with nl_close(). */
int audit_open(struct nl **nl);

/*
 * Put the text of a record; send the records, in one call unless there are hundreds. Neither waits
 * for an answer: the kernel drops the records when audit is off.
 */
void audit_put(struct nl *nl, const char *text);
void audit_send(struct nl *nl);
