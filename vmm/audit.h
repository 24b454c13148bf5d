/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's audit log is told: the records that libvirt writes of a guest's network device.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "nic/nic.h"

/*
 * Record which devices were opened for these nics, and that they are now handed to a command, or
 * when @success is false, that they are not. A kernel without audit, or a caller who may not write
 * there, is no failure.
 */
void audit_nics(const struct nic *nics, size_t count, bool success);
