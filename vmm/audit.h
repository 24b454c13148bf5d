/* SPDX-License-Identifier: MIT */
/*
 * The records in the kernel's audit log, as libvirt writes them for a guest's network device.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nic/nic.h"

/*
 * Record which devices were opened for these nics, and that they are now passed to a command, or
 * when @success is false, that they are not. A kernel without audit, or a caller who may not write
 * there, is not a failure.
 */
void audit_nics(const struct nic *nics, size_t count, bool success);
