/* SPDX-License-Identifier: MIT */
/*
 * Arrays that grow one element at a time.
 */
#ifndef TAPCTL_ARRAY_H
#define TAPCTL_ARRAY_H

#include <stddef.h>

/*
 * Make room for one more element of @size behind the @count that @array holds (NULL: none). It is
 * doubled at every power of two, so that n elements cost log n calls. Returns the array, maybe
 * moved, or NULL when there is no memory: the old one is still there.
 */
void *array_grow(void *array, size_t count, size_t size);

#endif
