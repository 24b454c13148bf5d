/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "lib/array.h"

void *array_grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}

size_t array_find(const void *array, size_t count, size_t size, const void *key,
		  int (*compare)(const void *, const void *))
{
	size_t low = 0;

	while (low < count) {
		size_t middle = low + (count - low) / 2;

		if (compare((const char *)array + middle * size, key) < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}
