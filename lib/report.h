/* SPDX-License-Identifier: MIT */
/*
 * What a room has to tell the user: the one line of error that travels up to the command line, and
 * warnings and steps that are told as they happen.
 *
 * No room but tapctl.c writes to standard error; it fills in the function @tell.
 */
#pragma once

enum report_kind {
	REPORT_WARNING,
	REPORT_STEP, /* told only when --verbose asks for it */
};

struct report {
	char error[512];
	void (*tell)(enum report_kind kind, const char *line);
};

/*
 * Keep a line of error, "SUBJECT: what went wrong[: what to do]". The first one stands: what fails
 * while cleaning up must not hide the cause. Returns @err, a negative errno, so that a caller can
 * `return report_error(...)`.
 */
int report_error(struct report *r, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Tell a warning or a step at once. */
void report_tell(const struct report *r, enum report_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
