/* SPDX-License-Identifier: MIT */
/*
 * Frames at the hops of a trace: the first byte of each says at which hop and whether out, or that
 * the kernel dropped it, the second how long it is. Whatever comes, every sum is that of its parts
 * and there is one verdict.
 */
#include "tests/fuzz/fuzz.h"
#include "inspect/verdict.h"

static void begin(struct trace *trace, uint8_t choice)
{
	static const struct hop hops[] = {
		{ .role = HOP_DEVICE, .name = "tap", .ifindex = 1 },
		{ .role = HOP_BRIDGE,
		  .name = "br0",
		  .ifindex = 2,
		  .address = { 2, 0, 0, 0, 0, 1 } },
		{ .role = HOP_UPLINK, .name = "eth0", .address = { 2 }, .outward = true },
		{ .role = HOP_BELOW, .name = "eth1", .address = { 2 }, .outward = true },
	};

	*trace = (struct trace){ .guest = { 0x52, 0x54, 0, 0x84, 0xe3, 0x62 },
				 .place = choice & 3,
				 .count = choice >> 2 & 3 };
	trace->count++;
	memcpy(trace->hops, hops, sizeof(hops));
	trace->has_peer = choice & 16;
}

static unsigned kinds(const unsigned *counts)
{
	unsigned sum = 0;

	for (size_t k = 0; k < KINDS; k++)
		sum += counts[k];
	return sum;
}

/* A copy of its own, so that reading past its end is seen. */
static bool feed(struct trace *trace, uint8_t where, const uint8_t *bytes, size_t len)
{
	struct hop *hop = &trace->hops[where % trace->count];
	char *copy = as_string(bytes, len);
	struct frame frame;
	bool whole = frame_read(&frame, (const uint8_t *)copy, len), lost = where & 64;
	struct drop drop = { .in_port = where & 3, .function = { (char)(where & 31) } };

	always(whole == (len >= 14), "a frame has an Ethernet header");
	always(frame.kind < KINDS, "its kind is one of them");
	if (whole && lost)
		trace_count_drop(trace, &drop, &frame);
	else if (whole)
		trace_count(trace, hop, &frame, where & 128);
	free(copy);
	return whole && !lost;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verdict verdict, again;
	unsigned fed = 0, counted = 0;
	struct trace trace;

	if (!size)
		return 0;
	begin(&trace, *data++);
	size--;
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		fed += feed(&trace, data[0], data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	for (enum hop_role role = 0; role < HOP_ROLES; role++) {
		struct counts sum = trace_sum(&trace, role);

		for (size_t way = 0; way < WAYS; way++) {
			counted += kinds(sum.all[way]);
			always(kinds(sum.beyond[way]) <= kinds(sum.all[way]),
			       "what goes beyond is a part of all");
		}
		always(kinds(sum.broadcast) <= kinds(sum.all[FROM_GUEST]), "so is broadcast");
	}
	always(counted <= fed, "no frame is counted twice");
	verdict_find(&trace, &verdict);
	verdict_find(&trace, &again);
	always(verdict.id && *verdict.where && *verdict.remedy, "there is a verdict");
	always(verdict.id == again.id, "and always the same one");
	always(!verdict.dropped || (!verdict.flows && *verdict.drop),
	       "drops explain what is wrong");
	always(verdict.flows == (strcmp(verdict.id, "flows") == 0), "only one says that it flows");
	return 0;
}
