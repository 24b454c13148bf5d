/* SPDX-License-Identifier: MIT */
/*
 * What the host's packet filter does with frames that a bridge passes to it.
 */
#pragma once

#include <stdbool.h>

/*
 * Whether a forward chain of nftables drops, by its policy, the IPv4 packets that no rule accepts.
 * Also what iptables(8) has set, unless it is the legacy one. 0 or a negative errno: it needs
 * CAP_NET_ADMIN (-EPERM).
 */
int nftables_forward_drops(bool *drops);
