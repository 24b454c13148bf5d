/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>

#include "kernel/packet.h"

#define BUFFER (8 << 20) /* a frame counts with its whole size: some hundred large ones */

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

/* The filter comes before the device, and so nothing else gets in. */
static int listen_on(int ifindex, struct sock_filter *filter, unsigned short count)
{
	const struct sock_fprog program = { .len = count, .filter = filter };
	const struct sockaddr_ll address = { .sll_family = AF_PACKET,
					     .sll_protocol = htons(ETH_P_ALL),
					     .sll_ifindex = ifindex };
	const int size = BUFFER;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	/* Without CAP_NET_ADMIN the usual size has to do. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0 ||
	    bind(fd, (const void *)&address, sizeof(address)) < 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

int packet_open(int ifindex, const uint8_t guest[static MAC_LEN], enum packet_all all)
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

	return listen_on(ifindex, filter, sizeof(filter) / sizeof(*filter));
}

int packet_open_peer(int ifindex, const uint8_t peer[static 4])
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

	return listen_on(ifindex, filter, sizeof(filter) / sizeof(*filter));
}

int packet_read(int fd, struct packet packets[static PACKET_BATCH])
{
	struct mmsghdr messages[PACKET_BATCH] = { { .msg_len = 0 } };
	struct sockaddr_ll from[PACKET_BATCH] = { { .sll_pkttype = 0 } };
	struct iovec parts[PACKET_BATCH];
	int count;

	for (int i = 0; i < PACKET_BATCH; i++) {
		parts[i] = (struct iovec){ .iov_base = packets[i].bytes, .iov_len = PACKET_SNAP };
		messages[i].msg_hdr = (struct msghdr){ .msg_name = &from[i],
						       .msg_namelen = sizeof(from[i]),
						       .msg_iov = &parts[i],
						       .msg_iovlen = 1 };
	}
	count = (int)TEMP_FAILURE_RETRY(recvmmsg(fd, messages, PACKET_BATCH, MSG_DONTWAIT, NULL));
	if (count < 0)
		return errno == EAGAIN ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		packets[i].out = from[i].sll_pkttype == PACKET_OUTGOING;
		packets[i].len = messages[i].msg_len < PACKET_SNAP ? messages[i].msg_len :
								     PACKET_SNAP;
	}
	return count;
}

unsigned packet_dropped(int fd)
{
	struct tpacket_stats stats = { .tp_drops = 0 };
	socklen_t size = sizeof(stats);

	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &stats, &size) < 0)
		return 0;
	return stats.tp_drops;
}
