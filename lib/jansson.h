/* SPDX-License-Identifier: MIT */
/*
 * JSON by jansson, which is loaded when it is first needed: most calls never need it.
 */
#pragma once

#include <stdbool.h>

/* One of jansson's functions has the name of one of lib/json.h, and is not used. */
#define json_string jansson_string
#include <jansson.h>
#undef json_string

/* The functions of jansson's that are used, under their own names; its inline ones and macros that
 * call no function (json_typeof) can be used as they are. */
struct json_library {
	json_t *(*loads)(const char *text, size_t flags, json_error_t *error);
	json_t *(*load_callback)(json_load_callback_t read, void *data, size_t flags,
				 json_error_t *error);
	char *(*dumps)(const json_t *json, size_t flags); /* free() it */
	void (*delete)(json_t *json); /* of a value that nobody else has */
	size_t (*array_size)(const json_t *array);
	json_t *(*array_get)(const json_t *array, size_t index);
	json_t *(*object_get)(const json_t *object, const char *key);
	void *(*object_iter)(json_t *object);
	void *(*object_iter_next)(json_t *object, void *iter);
	const char *(*object_iter_key)(void *iter);
	json_t *(*object_iter_value)(void *iter);
	const char *(*string_value)(const json_t *string);
	json_int_t (*integer_value)(const json_t *integer);
};

/* Load the library, or find it loaded; false where it is not installed. */
bool json_load(struct json_library *library);
