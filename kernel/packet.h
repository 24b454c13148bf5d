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

#define PACKET_SNAP 128 /* bytes of a frame that are copied: a DHCP client's address is in them */

/* The socket, and the memory into which the kernel copies; all zeros when it is closed. */
struct packet_ring {
	int fd; /* for poll(2) */
	uint8_t *memory;
	unsigned next; /* the slot that is read next */
	bool held; /* and what is there was handed out */
};

struct packet {
	bool out; /* it leaves by the device; else it comes in */
	size_t len; /* of @bytes: 0 to PACKET_SNAP */
	const uint8_t *bytes; /* from the Ethernet header on, until the next call */
};

enum packet_all { PACKET_NOT_ALL, PACKET_ALL_IN, PACKET_ALL_OUT };

/*
 * Open a ring for frames from and to @guest, for what is sent to a group and may be for it (ARP,
 * DHCP answers, IPv6 neighbours), and for @all that comes in or goes out; or for all IPv4 packets
 * from and to the address @peer, whatever the device is. 0 or a negative errno. The kernel takes
 * its time: nothing is heard before packet_start(). Close with packet_close().
 */
int packet_open(struct packet_ring *ring, const uint8_t guest[static MAC_LEN], enum packet_all all);
int packet_open_peer(struct packet_ring *ring, const uint8_t peer[static 4]);

/* Listen on the device @ifindex from now on. 0 or a negative errno. */
int packet_start(const struct packet_ring *ring, int ifindex);

void packet_close(struct packet_ring *ring);

/* The next packet that has come. False: there is none now. */
bool packet_next(struct packet_ring *ring, struct packet *packet);

/* A device that went down is an error of the socket, once: forget it and listen on. */
void packet_forget_error(const struct packet_ring *ring);

/* How many packets came and were not read in time. For one call. */
unsigned packet_missed(const struct packet_ring *ring);
