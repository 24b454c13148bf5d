/* SPDX-License-Identifier: MIT */
/*
 * What a module has to tell the user: the process's one line of error, which tapctl.c prints at the
 * end, and warnings and steps, which are told as they happen.
 *
 * Nothing is printed here: tapctl.c and commands/ do that.
 */
#pragma once

/*
 * Keep the line of error, "SUBJECT: what went wrong[: what to do]". The first one stands: what
 * fails while cleaning up must not hide the cause. Returns @err, a negative errno, so that a caller
 * can `return report_error(...)`.
 */
int report_error(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The line of error, or "". */
const char *report_line(void);

/* Forget the line: what it told is not a failure. */
void report_forget(void);

enum report_kind {
	REPORT_WARNING,
	REPORT_STEP, /* told only when --verbose asks for it */
};

/* Send warnings and steps to @tell from now on; at first they are dropped. */
typedef void report_fn(enum report_kind kind, const char *line);
void report_to(report_fn *tell);

/* Tell a warning or a step at once. */
void report_tell(enum report_kind kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
