/* SPDX-License-Identifier: MIT */
/*
 * The database of Open vSwitch: transactions by OVSDB (RFC 7047), which is JSON-RPC over a Unix
 * socket.
 *
 * Functions return 0 or a negative errno. What is read stays valid until the next ovsdb_begin() or
 * ovsdb_commit().
 */
#pragma once

#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "lib/jansson.h"

struct ovsdb {
	int fd;
	struct json_library json;
	/* the transactions under construction, and the answer to one that was sent */
	FILE *out;
	char *text;
	size_t text_len;
	int begun, awaited; /* ids */
	json_t *answer;
	/* what is received and not yet read */
	struct timespec deadline;
	size_t at, len;
	char buffer[4096];
};

/* Connect. -ENOENT, -ECONNREFUSED: nobody listens there. A failure has a line of error. After
 * success, end with ovsdb_close(). */
int ovsdb_open(struct ovsdb *db);
void ovsdb_close(struct ovsdb *db);

/* Begin a transaction: its operations come next, by json_format(), a comma before each. More may be
 * begun before the first is committed: they are sent together. */
FILE *ovsdb_begin(struct ovsdb *db);

/*
 * Commit what was begun, or where more was begun, go on to the next one: wait for what its
 * operations wait for, at most @seconds. -EAGAIN, without a line of error: what the operation
 * number @failed (NULL: none waits) waits for is not so; all else has one, as -ELIBACC: jansson is
 * missing.
 */
int ovsdb_commit(struct ovsdb *db, int seconds, size_t *failed);

/* The row number @index that the `select` number @operation has found. NULL: no more. */
const json_t *ovsdb_row(const struct ovsdb *db, size_t operation, size_t index);

/*
 * In a column: element @index of a set, or the one value that it has; the text or the number of
 * that; the text for a key of a map. NULL or 0: there is none.
 */
const json_t *ovsdb_element(const struct ovsdb *db, const json_t *row, const char *column,
			    size_t index);
const char *ovsdb_text(const struct ovsdb *db, const json_t *row, const char *column);
int ovsdb_number(const struct ovsdb *db, const json_t *row, const char *column);
const char *ovsdb_map_text(const struct ovsdb *db, const json_t *row, const char *column,
			   const char *key);

/* The text of a value that is a UUID. */
const char *ovsdb_uuid(const struct ovsdb *db, const json_t *value);
