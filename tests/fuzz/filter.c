/* SPDX-License-Identifier: MIT */
/*
 * The program of --ip against a plain statement of its rules: for any list of addresses and any
 * frame they agree, and the program reads nothing beyond the frame.
 *
 * The first bytes are the list and what is to be set right in the frame, which is the rest: a sum
 * or an address is hardly ever right by chance.
 */
#include <errno.h>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kernel/filter.h"
#include "tests/fuzz/fuzz.h"

#define NET 14

static const uint8_t guest[MAC_LEN] = { 0x52, 0x54, 0, 0x84, 0xe3, 0x62 };

struct frame {
	uint8_t bytes[512];
	size_t len;
	bool tagged; /* the tag is not in the frame */
};

/* --- the program, run by a small interpreter --- */

struct machine {
	const struct frame *frame;
	uint32_t a, x, cells[BPF_MEMWORDS];
};

static uint32_t load(const struct frame *frame, uint64_t at, size_t size)
{
	uint32_t value = 0;

	always(at + size <= frame->len, "every load is inside the frame");
	for (size_t i = 0; i < size; i++)
		value = value << 8 | frame->bytes[at + i];
	return value;
}

static void run_load(struct machine *m, const struct sock_filter *op)
{
	size_t size = BPF_SIZE(op->code) == BPF_W ? 4 : BPF_SIZE(op->code) == BPF_H ? 2 : 1;
	uint32_t tag = (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT);

	switch (BPF_MODE(op->code)) {
	case BPF_ABS:
		m->a = op->k == tag ? m->frame->tagged : load(m->frame, op->k, size);
		break;
	case BPF_IND:
		m->a = load(m->frame, (uint64_t)m->x + op->k, size);
		break;
	case BPF_LEN:
		m->a = (uint32_t)m->frame->len;
		break;
	case BPF_IMM:
		m->a = op->k;
		break;
	default:
		always(BPF_MODE(op->code) == BPF_MEM && op->k < BPF_MEMWORDS, "a known load");
		m->a = m->cells[op->k];
	}
}

static void run_load_x(struct machine *m, const struct sock_filter *op)
{
	if (BPF_MODE(op->code) == BPF_MSH)
		m->x = (load(m->frame, op->k, 1) & 0xf) * 4;
	else
		m->x = BPF_MODE(op->code) == BPF_IMM ? op->k : m->cells[op->k];
}

static void run_alu(struct machine *m, const struct sock_filter *op)
{
	uint32_t with = BPF_SRC(op->code) == BPF_X ? m->x : op->k;

	switch (BPF_OP(op->code)) {
	case BPF_ADD:
		m->a += with;
		break;
	case BPF_SUB:
		m->a -= with;
		break;
	case BPF_AND:
		m->a &= with;
		break;
	case BPF_OR:
		m->a |= with;
		break;
	case BPF_LSH:
		m->a <<= with;
		break;
	case BPF_RSH:
		m->a >>= with;
		break;
	default:
		always(BPF_OP(op->code) == BPF_MOD && with, "a known operation");
		m->a %= with;
	}
}

static bool is_true(const struct machine *m, const struct sock_filter *op)
{
	uint32_t with = BPF_SRC(op->code) == BPF_X ? m->x : op->k;

	switch (BPF_OP(op->code)) {
	case BPF_JEQ:
		return m->a == with;
	case BPF_JGT:
		return m->a > with;
	case BPF_JGE:
		return m->a >= with;
	default:
		always(BPF_OP(op->code) == BPF_JSET, "a known condition");
		return m->a & with;
	}
}

static uint32_t run(const struct program *p, const struct frame *frame)
{
	struct machine m = { .frame = frame };

	for (size_t at = 0;; at++) {
		const struct sock_filter *op = &p->ops[at];

		always(at < p->count, "the program ends with a return");
		switch (BPF_CLASS(op->code)) {
		case BPF_LD:
			run_load(&m, op);
			break;
		case BPF_LDX:
			run_load_x(&m, op);
			break;
		case BPF_ST:
			m.cells[op->k] = m.a;
			break;
		case BPF_ALU:
			run_alu(&m, op);
			break;
		case BPF_JMP:
			at += BPF_OP(op->code) == BPF_JA ? op->k :
			      is_true(&m, op)		 ? op->jt :
							   op->jf;
			break;
		case BPF_RET:
			return op->k;
		default:
			if (BPF_MISCOP(op->code) == BPF_TAX)
				m.x = m.a;
			else
				m.a = m.x;
		}
	}
}

/* Its own check: every jump arrives, and no cell is read before it was set. */
static bool kernel_takes(struct program *p)
{
	const struct sock_fprog filter = { .len = (unsigned short)p->count, .filter = p->ops };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	int failed = setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));

	close(fd);
	return !failed || errno != EINVAL;
}

/* --- the rules --- */

static unsigned u8(const struct frame *frame, size_t at)
{
	return load(frame, at, 1);
}

static unsigned u16(const struct frame *frame, size_t at)
{
	return load(frame, at, 2);
}

static bool are(const struct frame *frame, size_t at, const void *bytes, size_t count)
{
	return memcmp(frame->bytes + at, bytes, count) == 0;
}

static bool is_in(const struct ip_address *prefix, const uint8_t *address)
{
	for (unsigned bit = 0; bit < prefix->length; bit++)
		if ((prefix->bytes[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

static bool is_listed(const struct prefixes *allowed, const uint8_t *address, bool is_ipv6)
{
	for (unsigned i = 0; i < allowed->count; i++)
		if ((allowed->list[i].family == AF_INET6) == is_ipv6 &&
		    is_in(&allowed->list[i], address))
			return true;
	return false;
}

static bool is_own6(const struct prefixes *allowed, const uint8_t *address)
{
	static const uint8_t link_local[16] = { 0xfe, 0x80, 0,	  0,	0,    0,    0,	  0,
						0x50, 0x54, 0x00, 0xff, 0xfe, 0x84, 0xe3, 0x62 };

	return memcmp(address, link_local, 16) == 0 || is_listed(allowed, address, true);
}

static const uint8_t zeros[16], ones[4] = { 255, 255, 255, 255 };

/* The ones' complement sum of an even number of bytes (RFC 1071). */
static unsigned long sum(const struct frame *frame, size_t at, size_t count)
{
	unsigned long total = 0;

	for (size_t i = 0; i < count; i += 2)
		total += u16(frame, at + i);
	return total;
}

static unsigned folded(unsigned long total)
{
	while (total > 0xffff)
		total = (total >> 16) + (total & 0xffff);
	return (unsigned)total;
}

static bool arp_passes(const struct frame *frame, const struct prefixes *allowed, bool reverse)
{
	static const uint8_t format[] = { 0, 1, 8, 0, 6, 4 };
	unsigned operation;

	if (frame->len < NET + 28 || !are(frame, NET, format, 6) ||
	    !are(frame, NET + 8, guest, MAC_LEN))
		return false;
	operation = u16(frame, NET + 6);
	if (reverse)
		return operation == 3 && are(frame, NET + 14, zeros, 4) &&
		       are(frame, NET + 18, guest, MAC_LEN) && are(frame, NET + 24, zeros, 4);
	if (operation != 1 && operation != 2)
		return false;
	return is_listed(allowed, frame->bytes + NET + 14, false) ||
	       (operation == 1 && are(frame, NET + 14, zeros, 4) &&
		is_listed(allowed, frame->bytes + NET + 24, false));
}

static bool ipv4_passes(const struct frame *frame, const struct prefixes *allowed)
{
	unsigned header, total, fragment;
	bool has_ports;

	if (frame->len < NET + 20 || u8(frame, NET) >> 4 != 4)
		return false;
	header = (u8(frame, NET) & 15) * 4;
	total = u16(frame, NET + 2);
	if (header < 20 || total < header || frame->len < NET + total)
		return false;
	if (folded(sum(frame, NET, header)) != 0xffff)
		return false;
	fragment = u16(frame, NET + 6);
	has_ports = u8(frame, NET + 9) == 17 && !(fragment & 0x1fff);
	if (has_ports && (total < header + 8 || u16(frame, NET + header) == 67))
		return false;
	if (is_listed(allowed, frame->bytes + NET + 12, false))
		return true;
	return has_ports && !(fragment & 0x2000) && are(frame, NET + 12, zeros, 4) &&
	       are(frame, NET + 16, ones, 4) && u16(frame, NET + header) == 68 &&
	       u16(frame, NET + header + 2) == 67;
}

static bool nd_passes(const struct frame *frame, const struct prefixes *allowed, size_t end,
		      bool unspecified)
{
	size_t len = end - (NET + 40);
	unsigned type = u8(frame, NET + 40);

	if (len % 8 || len > 48 || (type != 133 && len < 24))
		return false;
	if (type == 136 && unspecified)
		return false;
	if ((type == 136 || (type == 135 && unspecified)) &&
	    !is_own6(allowed, frame->bytes + NET + 48))
		return false;
	return folded(sum(frame, NET + 8, 32) + sum(frame, NET + 40, len) + len + 58) == 0xffff;
}

static bool is_extension(unsigned header)
{
	return header == 0 || header == 43 || header == 44 || header == 51 || header == 60 ||
	       header == 135 || header == 139 || header == 140;
}

static bool protocol_passes(const struct frame *frame, const struct prefixes *allowed, size_t at,
			    size_t end, unsigned protocol, bool unspecified)
{
	unsigned type;

	if (protocol == 59)
		return !unspecified;
	if (at + (protocol == 6 ? 20 : 8) > end)
		return false;
	if (protocol == 17 && u16(frame, at) == 547)
		return false;
	type = u8(frame, at);
	if (protocol != 58)
		return !unspecified;
	if (type == 134 || type == 137)
		return false;
	if (type == 133 || type == 135 || type == 136)
		return at == NET + 40 && nd_passes(frame, allowed, end, unspecified);
	return !unspecified || type == 131 || type == 132 || type == 143;
}

static bool ipv6_passes(const struct frame *frame, const struct prefixes *allowed)
{
	size_t at = NET + 40, end;
	bool unspecified;
	unsigned header;

	if (frame->len < NET + 40 || u8(frame, NET) >> 4 != 6)
		return false;
	end = NET + 40 + u16(frame, NET + 4);
	if (end > frame->len)
		return false;
	unspecified = !is_own6(allowed, frame->bytes + NET + 8);
	if (unspecified && !are(frame, NET + 8, zeros, 16))
		return false;
	header = u8(frame, NET + 6);
	for (unsigned extensions = 0; is_extension(header); extensions++) {
		size_t len;

		if (extensions == 4 || at + 8 > end)
			return false;
		if (header == 44 && u16(frame, at + 2) & 0xfff8)
			return !unspecified;
		len = header == 44 ? 8 :
		      header == 51 ? (u8(frame, at + 1) + 2) * 4 :
				     (u8(frame, at + 1) + 1) * 8;
		header = u8(frame, at);
		at += len;
	}
	return protocol_passes(frame, allowed, at, end, header, unspecified);
}

static bool passes(const struct frame *frame, const struct prefixes *allowed)
{
	if (frame->len < NET || frame->tagged || !are(frame, 6, guest, MAC_LEN))
		return false;
	switch (u16(frame, 12)) {
	case 0x0800:
		return ipv4_passes(frame, allowed);
	case 0x86dd:
		return ipv6_passes(frame, allowed);
	case 0x0806:
		return arp_passes(frame, allowed, false);
	case 0x8035:
		return arp_passes(frame, allowed, true);
	default:
		return false;
	}
}

/* --- what is made of the input --- */

struct input {
	const uint8_t *bytes;
	size_t len;
};

static uint8_t take(struct input *input)
{
	if (!input->len)
		return 0;
	input->len--;
	return *input->bytes++;
}

static void take_prefixes(struct prefixes *allowed, struct input *input)
{
	unsigned count = take(input) % (PREFIXES_MAX + 1);

	*allowed = (struct prefixes){ .count = count };
	for (unsigned i = 0; i < count && input->len; i++) {
		struct ip_address *prefix = &allowed->list[i];
		uint8_t choice = take(input);

		prefix->family = choice & 128 ? AF_INET6 : AF_INET;
		prefix->length = choice & 128 ? choice & 64 ? 128 : choice * 2 & 127 :
				 choice & 64  ? 32 :
						choice & 31;
		for (unsigned bit = 0; bit < prefix->length; bit += 8) {
			unsigned left = prefix->length - bit;

			prefix->bytes[bit / 8] = take(input) &
						 (uint8_t)(left < 8 ? 0xff00 >> left : 0xff);
		}
	}
}

static void store(struct frame *frame, size_t at, unsigned value)
{
	frame->bytes[at] = (uint8_t)(value >> 8);
	frame->bytes[at + 1] = (uint8_t)value;
}

static void repair_ipv4(struct frame *frame)
{
	size_t header = (size_t)4 * (frame->bytes[NET] & 15);

	if (header < 20 || frame->len < NET + header)
		return;
	store(frame, NET + 10, 0);
	store(frame, NET + 10, 0xffff & ~folded(sum(frame, NET, header)));
}

static void repair_ipv6(struct frame *frame)
{
	size_t len = frame->len - (NET + 40);

	if (frame->len < NET + 44 || len % 2)
		return;
	store(frame, NET + 4, (unsigned)len);
	store(frame, NET + 42, 0);
	store(frame, NET + 42,
	      0xffff & ~folded(sum(frame, NET + 8, 32) + sum(frame, NET + 40, len) + len + 58));
}

/* What a bit of @choice asks for is set right, where the frame is long enough. */
static void repair(struct frame *frame, const struct prefixes *allowed, uint8_t choice)
{
	static const unsigned types[] = { 0x0800, 0x86dd, 0x0806, 0x8035 };
	unsigned type = types[choice & 3];
	const struct ip_address *first = &allowed->list[0];

	frame->tagged = (choice & 0xf0) == 0xf0;
	if (frame->len < NET + 60)
		return;
	if (choice & 4)
		memcpy(frame->bytes + 6, guest, MAC_LEN);
	if (choice & 8)
		store(frame, 12, type);
	if (choice & 16 && allowed->count)
		memcpy(frame->bytes + NET +
			       (type == 0x0800 ? 12 :
				type == 0x86dd ? 8 :
						 14),
		       first->bytes, first->family == AF_INET6 ? 16 : 4);
	if (choice & 32 && allowed->count && first->family == AF_INET6)
		memcpy(frame->bytes + NET + 48, first->bytes, 16);
	if (choice & 64 && type == 0x0800)
		repair_ipv4(frame);
	if (choice & 64 && type == 0x86dd)
		repair_ipv6(frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = { data, size };
	struct prefixes allowed;
	struct program program;
	struct frame frame;
	uint8_t choice;
	uint32_t verdict;

	take_prefixes(&allowed, &input);
	choice = take(&input);
	frame.len = input.len < sizeof(frame.bytes) ? input.len : sizeof(frame.bytes);
	memcpy(frame.bytes, input.bytes, frame.len);
	repair(&frame, &allowed, choice);
	filter_write(&program, guest, &allowed);
	always(program.count <= BPF_OPS, "there is room for the program");
	if (choice % 64 == 0) /* it takes a while */
		always(kernel_takes(&program), "the kernel takes the program");
	verdict = run(&program, &frame);
	always(verdict == 2 || verdict == UINT32_MAX, "it drops, or lets what comes next decide");
	always((verdict == UINT32_MAX) == passes(&frame, &allowed), "the rules say the same");
	return 0;
}
