/* SPDX-License-Identifier: MIT */
/*
 * What a frame is about, by what people know: ARP, DHCP, IPv4, IPv6 neighbours, other.
 *
 * Pure. Frames are data from outside: any bytes of any length may come.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macutil.h"

enum frame_kind { KIND_ARP, KIND_DHCP, KIND_IPV4, KIND_NEIGHBOUR, KIND_OTHER, KINDS };

/* What one frame says of itself. */
struct frame {
	uint8_t to[MAC_LEN], from[MAC_LEN];
	enum frame_kind kind;
	bool asks, answers; /* one may be both */
	uint8_t client[MAC_LEN]; /* whom a DHCP answer is for */
	bool has_ip; /* of IPv4 and ARP: */
	uint8_t ip_from[4], ip_to[4];
	uint8_t end_from[3], end_to[3]; /* of IPv6: the last bytes of its addresses, or 0 */
};

/* Whether that address is a group's, and whether that is everybody. */
bool frame_is_group(const uint8_t mac[static MAC_LEN]);
bool frame_is_broadcast(const uint8_t mac[static MAC_LEN]);

/* Read the first @len bytes of a frame. False: it is no frame of Ethernet. */
bool frame_read(struct frame *frame, const uint8_t *bytes, size_t len);
