/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow one element at a time, and the search in a sorted one.
 */
#pragma once

#include <stddef.h>

/*
 * Make space for one more element of @size after the @count in @array (NULL: none). It is doubled
 * at every power of two, so that n elements cost log n calls. Returns the array, maybe moved, or
 * NULL when there is no memory: @array is then unchanged.
 */
void *array_grow(void *array, size_t count, size_t size);

/* The first of @count elements that is not below @key, as @compare has it; @count: all are. */
size_t array_find(const void *array, size_t count, size_t size, const void *key,
		  int (*compare)(const void *, const void *));
