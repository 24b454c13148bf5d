/* SPDX-License-Identifier: MIT */
/*
 * Frames as they pass a device: a packet socket with a filter in the kernel, so that only the first
 * bytes of a guest's frames are copied.
 *
 * Such a socket sees what comes in before tc and netfilter, and what goes out after them. Nothing
 * is changed: the device is not made promiscuous. It needs CAP_NET_RAW.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "macutil.h"

#define PACKET_SNAP \
	128 /* the bytes of a frame that are copied: enough for a DHCP client's address */
#define PACKET_BATCH 64

struct packet {
	bool out; /* it leaves by the device; else it comes in */
	size_t len; /* of @bytes: 0 to PACKET_SNAP */
	uint8_t bytes[PACKET_SNAP]; /* from the Ethernet header on */
};

enum packet_all { PACKET_NOT_ALL, PACKET_ALL_IN, PACKET_ALL_OUT };

/*
 * Listen on the device @ifindex for frames from and to @guest, for what is sent to a group and may
 * be for it (ARP, DHCP answers, IPv6 neighbours), and for @all that comes in or goes out. Returns a
 * descriptor that does not block, close-on-exec, or a negative errno.
 */
int packet_open(int ifindex, const uint8_t guest[static MAC_LEN], enum packet_all all);

/* The same for all IPv4 packets from and to the address @peer, whatever the device is. */
int packet_open_peer(int ifindex, const uint8_t peer[static 4]);

/* Read what has come. Returns how many packets, 0 when there are none now, or a negative errno
 * (-ENETDOWN: the device went down or away, as told once). */
int packet_read(int fd, struct packet packets[static PACKET_BATCH]);

/* How many packets the kernel had to drop since the last call, because they were not read in time.
 */
unsigned packet_dropped(int fd);
