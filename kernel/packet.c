/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "kernel/packet.h"

/* In a ring a large frame takes no more than a small one; in a socket's queue it counts in full. */
#define SLOT 256 /* PACKET_SNAP and some 70 bytes of headers */
#define SLOTS 16384
#define BLOCK 131072
#define BLOCKS (SLOTS / (BLOCK / SLOT))

#define LOAD(size, offset) BPF_STMT(BPF_LD | (size) | BPF_ABS, (uint32_t)(offset))
#define EQUAL(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)

static uint32_t number(const uint8_t *bytes, size_t count)
{
	uint32_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static int fill_socket(struct packet_ring *ring, const struct sock_fprog *program)
{
	const struct tpacket_req request = { .tp_block_size = BLOCK,
					     .tp_block_nr = BLOCKS,
					     .tp_frame_size = SLOT,
					     .tp_frame_nr = SLOTS };
	const int version = TPACKET_V2;
	void *memory;

	if (setsockopt(ring->fd, SOL_SOCKET, SO_ATTACH_FILTER, program, sizeof(*program)) < 0 ||
	    setsockopt(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) < 0 ||
	    setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)) < 0)
		return -errno;
	memory = mmap(NULL, (size_t)BLOCK * BLOCKS, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
		      0);
	if (memory == MAP_FAILED)
		return -errno;
	ring->memory = memory;
	return 0;
}

static int open_ring(struct packet_ring *ring, struct sock_filter *filter, unsigned short count)
{
	const struct sock_fprog program = { .len = count, .filter = filter };
	int err;

	*ring = (struct packet_ring){ .fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0) };
	if (ring->fd < 0)
		return -errno;
	err = fill_socket(ring, &program);
	if (err)
		packet_close(ring);
	return err;
}

int packet_start(const struct packet_ring *ring, int ifindex)
{
	const struct sockaddr_ll address = { .sll_family = AF_PACKET,
					     .sll_protocol = htons(ETH_P_ALL),
					     .sll_ifindex = ifindex };

	return bind(ring->fd, (const void *)&address, sizeof(address)) < 0 ? -errno : 0;
}

void packet_close(struct packet_ring *ring)
{
	if (ring->memory)
		munmap(ring->memory, (size_t)BLOCK * BLOCKS);
	close(ring->fd);
	*ring = (struct packet_ring){ .memory = NULL };
}

int packet_open(struct packet_ring *ring, const uint8_t guest[static MAC_LEN], enum packet_all all)
{
	uint32_t high = number(guest, 4), low = number(guest + 4, 2);
	/* Jumps are counted from the next line; the last two are the ends. */
	struct sock_filter filter[] = {
		LOAD(BPF_B, SKF_AD_OFF + SKF_AD_PKTTYPE),
		EQUAL(PACKET_OUTGOING, all == PACKET_ALL_OUT ? 21 : 0,
		      all == PACKET_ALL_IN ? 21 : 0),
		/* to the guest, from the guest */
		LOAD(BPF_W, 0),
		EQUAL(high, 0, 2),
		LOAD(BPF_H, 4),
		EQUAL(low, 17, 0),
		LOAD(BPF_W, 6),
		EQUAL(high, 0, 2),
		LOAD(BPF_H, 10),
		EQUAL(low, 13, 0),
		/* to a group */
		LOAD(BPF_B, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 12),
		LOAD(BPF_H, 12),
		EQUAL(ETH_P_ARP, 9, 0),
		EQUAL(ETH_P_IP, 0, 4),
		/* UDP to the port of a DHCP client */
		LOAD(BPF_B, 14 + 9),
		EQUAL(IPPROTO_UDP, 0, 7),
		LOAD(BPF_H, 14 + 20 + 2),
		EQUAL(68, 4, 5),
		/* solicited-node multicast */
		LOAD(BPF_H, 0),
		EQUAL(0x3333, 0, 3),
		LOAD(BPF_B, 2),
		EQUAL(0xff, 0, 1),
		RETURN(PACKET_SNAP),
		RETURN(0),
	};

	return open_ring(ring, filter, sizeof(filter) / sizeof(*filter));
}

int packet_open_peer(struct packet_ring *ring, const uint8_t peer[static 4])
{
	struct sock_filter filter[] = {
		LOAD(BPF_H, SKF_AD_OFF + SKF_AD_PROTOCOL),
		EQUAL(ETH_P_IP, 0, 5),
		LOAD(BPF_W, SKF_NET_OFF + 12),
		EQUAL(number(peer, 4), 2, 0),
		LOAD(BPF_W, SKF_NET_OFF + 16),
		EQUAL(number(peer, 4), 0, 1),
		RETURN(PACKET_SNAP),
		RETURN(0),
	};

	return open_ring(ring, filter, sizeof(filter) / sizeof(*filter));
}

bool packet_next(struct packet_ring *ring, struct packet *packet)
{
	struct tpacket2_hdr *slot = (void *)(ring->memory + (size_t)ring->next * SLOT);
	const struct sockaddr_ll *from;

	if (ring->held) {
		__atomic_store_n(&slot->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		ring->held = false;
		ring->next = (ring->next + 1) % SLOTS;
		slot = (void *)(ring->memory + (size_t)ring->next * SLOT);
	}
	if (!(__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
		return false;
	/* Its size is aligned as TPACKET_ALIGN() has it. */
	from = (const void *)(slot + 1);
	ring->held = true;
	packet->out = from->sll_pkttype == PACKET_OUTGOING;
	packet->bytes = (const uint8_t *)slot + slot->tp_mac;
	packet->len = slot->tp_snaplen < PACKET_SNAP ? slot->tp_snaplen : PACKET_SNAP;
	return true;
}

void packet_forget_error(const struct packet_ring *ring)
{
	socklen_t size = sizeof(int);
	int err;

	(void)getsockopt(ring->fd, SOL_SOCKET, SO_ERROR, &err, &size);
}

unsigned packet_missed(const struct packet_ring *ring)
{
	struct tpacket_stats stats = { .tp_drops = 0 };
	socklen_t size = sizeof(stats);

	if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
		return 0;
	return stats.tp_drops;
}
