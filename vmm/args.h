/* SPDX-License-Identifier: MIT */
/*
 * What the words of COMMAND tell: the guest addresses in them, and whether it will close its fds.
 *
 * Pure: it looks at strings.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "macutil.h"

/*
 * Collect the distinct addresses of mac=ADDRESS, macaddr=ADDRESS and their JSON form
 * "mac":"ADDRESS" in @words (ends with NULL) into @macs. Returns how many there are, though only
 * the first @max are kept.
 */
size_t args_find_macs(char *const words[], uint8_t macs[][MAC_LEN], size_t max);

/* The first value in @words, up to a comma, a quote or the end, that such a key has and that is no
 * address; NULL when there is none. */
const char *args_find_fault(char *const words[]);

/* Whether @mac stands anywhere in @words, in any spelling. */
bool args_mention_mac(char *const words[], const uint8_t mac[static MAC_LEN]);

/*
 * Whether COMMAND is a qemu that gets a network card (netdev=, -nic) by @words and no address at
 * all: its guest will have 52:54:00:12:34:56.
 */
bool args_lack_mac(char *const words[]);

/* Whether COMMAND is such a qemu and no word has a place for the device's fd: nobody uses it. */
bool args_lack_fd(char *const words[]);

/* The name of COMMAND when it is known to close all fds from 3 upwards, else NULL. */
const char *args_close_fds(char *const words[]);
