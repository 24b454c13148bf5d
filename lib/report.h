/* SPDX-License-Identifier: MIT */
/*
 * What a module has to tell the user: the process's one line of error, which tapctl.c prints at the
 * end, and warnings and steps, which are told as they happen.
 *
 * A line is "SUBJECT: what went wrong: what to do"; what to do stands behind a newline in the
 * format, if there is anything. Nothing is printed here: tapctl.c and commands/ do that.
 */
#pragma once

/*
 * Keep the line of error. The first one stands: what fails while cleaning up must not hide the
 * cause. Returns @err, a negative errno, so that a caller can `return report_error(...)`.
 */
int report_error(int err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same, of a kind that @err does not tell: @word, which scripts may know, as "no-such-bridge".
 */
int report_failure(const char *word, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* What is invalid was so in the command line: its word is "usage". */
void report_misuse(void);

/* The line of error, or "". */
const char *report_line(void);

/* Its parts: the word for its kind, and the texts, NULL where there is none, the subject without
 * quotation marks. They stay until the next call. */
struct report_parts {
	const char *word, *subject, *message, *remedy;
};
void report_get_parts(struct report_parts *parts);

/* Forget the line: what it told is not a failure. */
void report_forget(void);

enum report_kind {
	REPORT_WARNING,
	REPORT_STEP, /* told only when --verbose asks for it */
};

/* Send warnings, and with REPORT_STEP steps, too, to @tell from now on; at first all is dropped. */
typedef void report_fn(enum report_kind kind, const char *line);
void report_to(report_fn *tell, enum report_kind most);

/* Tell a warning or a step at once. */
void report_tell(enum report_kind kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
