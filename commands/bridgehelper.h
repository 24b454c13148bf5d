/* SPDX-License-Identifier: MIT */
/*
 * qemu's bridge helper: make a tap on a bridge that the access file allows, and pass its fd on
 * through a Unix socket.
 */
#pragma once

#include "nic/nic.h"
#include "lib/report.h"

/* Make the tap @want, which lives as long as its fd, and send that through @socket. */
int bridgehelper_serve(const struct nic_options *want, int socket, bool audit);
