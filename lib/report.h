/* SPDX-License-Identifier: MIT */
/*
 * What a module has to tell the user: the process's one line of error, which the command line
 * prints in the end, and warnings and steps that are told as they happen.
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

/* The line of error; "": there is none. */
const char *report_line(void);

/* What was kept is no failure: begin again without a line. */
void report_forget(void);

enum report_kind {
	REPORT_WARNING,
	REPORT_STEP, /* told only when --verbose asks for it */
};

/* Who is told warnings and steps from now on; nobody is at first. */
typedef void report_fn(enum report_kind kind, const char *line);
void report_to(report_fn *tell);

/* Tell a warning or a step at once. */
void report_tell(enum report_kind kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
