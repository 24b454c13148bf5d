/* SPDX-License-Identifier: MIT */
/*
 * What was probably meant by a word that is not known.
 *
 * Pure.
 */
#pragma once

#include <stddef.h>

/* The one of @count words in @known that @word was to be: begun, or with a letter or two wrong,
 * missing or in the wrong place. NULL: none is near. */
const char *suggest_word(const char *word, const char *const known[], size_t count);
