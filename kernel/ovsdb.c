/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "kernel/ovsdb.h"
#include "lib/json.h"
#include "lib/libc.h"
#include "lib/report.h"

#define TO_ANSWER 5 /* seconds, beside those for what it is to wait for */

static void forget_answer(struct ovsdb *db)
{
	if (db->answer)
		db->json.delete(db->answer);
	db->answer = NULL;
}

void ovsdb_close(struct ovsdb *db)
{
	forget_answer(db);
	if (db->out)
		fclose(db->out);
	free(db->text);
	if (db->fd >= 0)
		close(db->fd);
	*db = (struct ovsdb){ .fd = -1 };
}

static const char *directory(void)
{
	const char *dir = getenv("OVS_RUNDIR");

	return dir && *dir ? dir : "/run/openvswitch";
}

#define SOCKET "db.sock"

static int refuse_open(int err)
{
	if (err == -ENOENT || err == -ECONNREFUSED)
		return report_failure(
			"no-ovs", err,
			"%s/" SOCKET ": Open vSwitch does not run here, its database does "
			"not listen there\nstart it, or say by OVS_RUNDIR where it is",
			directory());
	return report_error(err,
			    "%s/" SOCKET ": cannot connect to the database of Open vSwitch: %s",
			    directory(), strerror(-err));
}

int ovsdb_open(struct ovsdb *db)
{
	/* Also for connecting, where the server's queue is full. */
	const struct timeval patience = { .tv_sec = TO_ANSWER };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int len, err = 0;

	*db = (struct ovsdb){ .fd = -1 };
	len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" SOCKET, directory());
	if (len >= (int)sizeof(address.sun_path))
		return refuse_open(-ENAMETOOLONG);
	db->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (db->fd < 0)
		return refuse_open(-errno);
	setsockopt(db->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(db->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		err = errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (!err)
		db->out = open_memstream(&db->text, &db->text_len);
	if (!err && !db->out)
		err = -ENOMEM;
	if (!err)
		return 0;
	ovsdb_close(db);
	return refuse_open(err);
}

/* --- messages --- */

static int send_all(const struct ovsdb *db, const char *text, size_t len)
{
	while (len) {
		ssize_t n = TEMP_FAILURE_RETRY(send(db->fd, text, len, MSG_NOSIGNAL));

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : errno == EPIPE ? -ECONNRESET : -errno;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

static int milliseconds_left(const struct ovsdb *db)
{
	struct timespec now;
	long left;

	clock_gettime(CLOCK_MONOTONIC, &now);
	left = (db->deadline.tv_sec - now.tv_sec) * 1000 +
	       (db->deadline.tv_nsec - now.tv_nsec) / 1000000;
	return left > 0 ? (int)left : 0;
}

/* For jansson, which would keep for itself whatever it gets beyond the end of a message: one byte
 * at a time. errno tells why there is none. */
static size_t read_byte(void *byte, size_t size, void *data)
{
	struct ovsdb *db = data;

	(void)size;
	if (db->at == db->len) {
		struct pollfd wait = { .fd = db->fd, .events = POLLIN };
		int ready = (int)TEMP_FAILURE_RETRY(poll(&wait, 1, milliseconds_left(db)));
		ssize_t n = 0;

		if (ready > 0)
			n = TEMP_FAILURE_RETRY(recv(db->fd, db->buffer, sizeof(db->buffer), 0));
		if (ready == 0 || (ready > 0 && n == 0))
			errno = ready == 0 ? ETIMEDOUT : ECONNRESET;
		if (n <= 0)
			return (size_t)-1;
		db->len = (size_t)n;
		db->at = 0;
	}
	*(char *)byte = db->buffer[db->at++];
	return 1;
}

/* The server asks whether we are alive: it gets its words back. */
static int answer_echo(const struct ovsdb *db, const json_t *message)
{
	char *id = db->json.dumps(db->json.object_get(message, "id"), JSON_ENCODE_ANY);
	char *params = db->json.dumps(db->json.object_get(message, "params"), JSON_ENCODE_ANY);
	char *text = NULL;
	int err = -ENOMEM, len = -1;

	if (id && params)
		len = asprintf(&text, "{\"id\":%s,\"result\":%s,\"error\":null}", id, params);
	if (len >= 0)
		err = send_all(db, text, (size_t)len);
	free(id);
	free(params);
	free(len < 0 ? NULL : text);
	return err;
}

/* What the message that came is to the call: 1: its answer; 0: something else. */
static int judge_message(const struct ovsdb *db)
{
	const struct json_library *json = &db->json;
	const char *method = json->string_value(json->object_get(db->answer, "method"));
	const json_t *id = json->object_get(db->answer, "id");

	if (method)
		return strcmp(method, "echo") == 0 ? answer_echo(db, db->answer) : 0;
	return json_is_integer(id) && json->integer_value(id) == db->awaited;
}

static int receive_answer(struct ovsdb *db)
{
	int done = 0;

	while (!done) {
		forget_answer(db);
		errno = EPROTO;
		db->answer = db->json.load_callback(read_byte, db, JSON_DISABLE_EOF_CHECK, NULL);
		done = db->answer ? judge_message(db) : -errno;
	}
	return done < 0 ? done : 0;
}

/* --- transactions --- */

FILE *ovsdb_begin(struct ovsdb *db)
{
	forget_answer(db);
	if (ftell(db->out))
		json_format(db->out, "]}");
	else /* whatever has no answer yet is not waited for any more */
		db->awaited = db->begun;
	json_format(db->out, "{'method':'transact','id':%d,'params':['Open_vSwitch'", ++db->begun);
	return db->out;
}

static int send_begun(struct ovsdb *db)
{
	int err;

	json_format(db->out, "]}");
	err = fflush(db->out) != 0 || ferror(db->out) ? -ENOMEM : 0;
	if (!err)
		err = send_all(db, db->text, db->text_len);
	rewind(db->out);
	return err;
}

static int refuse(int err, const char *why)
{
	return report_error(err, "the database of Open vSwitch: %s",
			    why		       ? why :
			    err == -ETIMEDOUT  ? "it does not answer" :
			    err == -ECONNRESET ? "it closed the connection" :
			    err == -EPROTO     ? "its answer makes no sense" :
			    err == -ELIBACC    ? "it speaks JSON, and libjansson.so.4 is not "
						 "installed" :
						 strerror(-err));
}

int ovsdb_commit(struct ovsdb *db, int seconds, size_t *failed)
{
	const struct json_library *json = &db->json;
	const json_t *result, *operation;
	int err = ftell(db->out) ? send_begun(db) : 0;

	clock_gettime(CLOCK_MONOTONIC, &db->deadline);
	db->deadline.tv_sec += seconds + TO_ANSWER;
	db->awaited++;
	/* The library is loaded while the server works. */
	if (!err && !json->loads && !json_load(&db->json))
		err = -ELIBACC;
	if (!err)
		err = receive_answer(db);
	if (err)
		return refuse(err, NULL);
	result = json->object_get(db->answer, "result");
	if (!json->array_size(result))
		return refuse(-EPROTO, "it refuses a transaction");
	for (size_t i = 0; (operation = json->array_get(result, i)); i++) {
		const char *error = json->string_value(json->object_get(operation, "error"));

		if (error && failed && strcmp(error, "timed out") == 0) {
			*failed = i;
			return -EAGAIN;
		}
		if (error)
			return refuse(-EPROTO, error);
	}
	return 0;
}

/* --- what was read --- */

const json_t *ovsdb_row(const struct ovsdb *db, size_t operation, size_t index)
{
	const struct json_library *json = &db->json;
	const json_t *result = json->object_get(db->answer, "result");

	return json->array_get(json->object_get(json->array_get(result, operation), "rows"), index);
}

/* A set of one element may be that alone; anything else is ["set", [...]]. */
const json_t *ovsdb_element(const struct ovsdb *db, const json_t *row, const char *column,
			    size_t index)
{
	const struct json_library *json = &db->json;
	const json_t *value = json->object_get(row, column);
	const char *word = json->string_value(json->array_get(value, 0));

	if (word && strcmp(word, "set") == 0)
		return json->array_get(json->array_get(value, 1), index);
	return index ? NULL : value;
}

const char *ovsdb_text(const struct ovsdb *db, const json_t *row, const char *column)
{
	return db->json.string_value(ovsdb_element(db, row, column, 0));
}

int ovsdb_number(const struct ovsdb *db, const json_t *row, const char *column)
{
	return (int)db->json.integer_value(ovsdb_element(db, row, column, 0));
}

const char *ovsdb_map_text(const struct ovsdb *db, const json_t *row, const char *column,
			   const char *key)
{
	const struct json_library *json = &db->json;
	const json_t *pairs = json->array_get(json->object_get(row, column), 1), *pair;

	for (size_t i = 0; (pair = json->array_get(pairs, i)); i++) {
		const char *is = json->string_value(json->array_get(pair, 0));

		if (is && strcmp(is, key) == 0)
			return json->string_value(json->array_get(pair, 1));
	}
	return NULL;
}

const char *ovsdb_uuid(const struct ovsdb *db, const json_t *value)
{
	return db->json.string_value(db->json.array_get(value, 1));
}
