/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow one element at a time, and the search in one that qsort(3) has sorted.
 */
#pragma once

#include <stddef.h>

/*
 * Make room for one more element of @size behind the @count that @array holds (NULL: none). It is
 * doubled at every power of two, so that n elements cost log n calls. Returns the array, maybe
 * moved, or NULL when there is no memory: the old one is still there.
 */
void *array_grow(void *array, size_t count, size_t size);

/* The first of @count elements that is not below @key, as @compare has it; @count: all are. */
size_t array_find(const void *array, size_t count, size_t size, const void *key,
		  int (*compare)(const void *, const void *));
