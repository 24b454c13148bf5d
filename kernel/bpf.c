/* SPDX-License-Identifier: MIT */
#include "kernel/bpf.h"

enum {
	OPEN = UINT8_MAX, /* a conditional jump's distance that is not known yet */
	INVALID = UINT16_MAX, /* no instruction has this code */
};

unsigned bpf_put(struct program *p, unsigned code, unsigned jt, unsigned jf, uint32_t k)
{
	p->ops[p->count] = (struct sock_filter){ (uint16_t)code, (uint8_t)jt, (uint8_t)jf, k };
	return p->count++;
}

void bpf_load(struct program *p, unsigned size, uint32_t offset)
{
	bpf_put(p, BPF_LD | BPF_ABS | size, 0, 0, offset);
}

void bpf_load_at_x(struct program *p, unsigned size, uint32_t offset)
{
	bpf_put(p, BPF_LD | BPF_IND | size, 0, 0, offset);
}

void bpf_load_length(struct program *p)
{
	bpf_put(p, BPF_LD | BPF_W | BPF_LEN, 0, 0, 0);
}

void bpf_load_number(struct program *p, uint32_t number)
{
	bpf_put(p, BPF_LD | BPF_IMM, 0, 0, number);
}

void bpf_load_x(struct program *p)
{
	bpf_put(p, BPF_MISC | BPF_TXA, 0, 0, 0);
}

void bpf_load_cell(struct program *p, uint32_t cell)
{
	bpf_put(p, BPF_LD | BPF_MEM, 0, 0, cell);
}

void bpf_set_x(struct program *p)
{
	bpf_put(p, BPF_MISC | BPF_TAX, 0, 0, 0);
}

void bpf_set_x_cell(struct program *p, uint32_t cell)
{
	bpf_put(p, BPF_LDX | BPF_MEM, 0, 0, cell);
}

void bpf_store(struct program *p, uint32_t cell)
{
	bpf_put(p, BPF_ST, 0, 0, cell);
}

void bpf_compute(struct program *p, unsigned operation, uint32_t k)
{
	bpf_put(p, BPF_ALU | operation, 0, 0, k);
}

void bpf_return(struct program *p, uint32_t value)
{
	bpf_put(p, BPF_RET, 0, 0, value);
}

void bpf_require(struct program *p, unsigned condition, uint32_t k)
{
	bpf_jump_unless(p, &p->refused, condition, k);
}

void bpf_forbid(struct program *p, unsigned condition, uint32_t k)
{
	bpf_jump_if(p, &p->refused, condition, k);
}

void bpf_require_at(struct program *p, unsigned size, uint32_t offset, uint32_t value)
{
	bpf_load(p, size, offset);
	bpf_require(p, BPF_JEQ, value);
}

void bpf_require_length(struct program *p, uint32_t length)
{
	bpf_load_length(p);
	bpf_require(p, BPF_JGE, length);
}

void bpf_refuse(struct program *p)
{
	bpf_land(p, &p->refused);
	bpf_return(p, p->refusal);
}

void bpf_relay(struct program *p)
{
	bpf_land(p, &p->refused);
	bpf_jump(p, &p->refused);
}

/* Not by a return: the kernel's check takes it that what is behind one comes from there, with the
 * cells that were set before it only (net/core/filter.c, check_load_and_stores). */
void bpf_relay_aside(struct program *p)
{
	struct jumps over = { .count = 0 };

	bpf_jump(p, &over);
	bpf_relay(p);
	bpf_land(p, &over);
}

static void keep(struct jumps *jumps, unsigned at)
{
	jumps->at[jumps->count++] = at;
}

void bpf_jump(struct program *p, struct jumps *jumps)
{
	keep(jumps, bpf_put(p, BPF_JMP | BPF_JA, 0, 0, 0));
}

void bpf_jump_if(struct program *p, struct jumps *jumps, unsigned condition, uint32_t k)
{
	unsigned at = bpf_put(p, BPF_JMP | condition, jumps->far ? 0 : OPEN, jumps->far, k);

	if (jumps->far)
		bpf_jump(p, jumps);
	else
		keep(jumps, at);
}

void bpf_jump_unless(struct program *p, struct jumps *jumps, unsigned condition, uint32_t k)
{
	unsigned at = bpf_put(p, BPF_JMP | condition, jumps->far, jumps->far ? 0 : OPEN, k);

	if (jumps->far)
		bpf_jump(p, jumps);
	else
		keep(jumps, at);
}

/* The field of a conditional jump that is still open. */
static void set_distance(struct sock_filter *op, unsigned distance)
{
	if (distance >= OPEN)
		op->code = INVALID;
	else if (op->jt == OPEN)
		op->jt = (uint8_t)distance;
	else
		op->jf = (uint8_t)distance;
}

void bpf_land(struct program *p, struct jumps *jumps)
{
	while (jumps->count) {
		unsigned at = jumps->at[--jumps->count], distance = p->count - at - 1;

		if (p->ops[at].code == (BPF_JMP | BPF_JA))
			p->ops[at].k = distance;
		else
			set_distance(&p->ops[at], distance);
	}
}
