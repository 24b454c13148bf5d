/* SPDX-License-Identifier: MIT */
/*
 * What not every C library has (musl, older ones of GNU), by its system call.
 */
#pragma once

#include <errno.h>
#include <sys/types.h>

#ifndef TEMP_FAILURE_RETRY
#define TEMP_FAILURE_RETRY(call)                        \
	({                                              \
		long result;                            \
                                                        \
		do                                      \
			result = (long)(call);          \
		while (result == -1 && errno == EINTR); \
		result;                                 \
	})
#endif

/* Close @first and all descriptors above it. */
void libc_close_from(int first);

/* Whether @path in @dir is a character device, whose number goes to @rdev: 1, 0 or a negative
 * errno. A file on a server that does not answer is not waited for. */
int libc_find_device(int dir, const char *path, dev_t *rdev);

/* Mount the file system @type at no place: a descriptor or a negative errno. */
int libc_mount_detached(const char *type);
