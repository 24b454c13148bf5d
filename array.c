/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "array.h"

void *array_grow(void *array, size_t count, size_t size)
{
	if ((count & (count - 1)) != 0)
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}
