/* SPDX-License-Identifier: MIT */
#include "kernel/bpf.h"

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

void bpf_set_x_number(struct program *p, uint32_t number)
{
	bpf_put(p, BPF_LDX | BPF_IMM, 0, 0, number);
}

void bpf_set_x_cell(struct program *p, uint32_t cell)
{
	bpf_put(p, BPF_LDX | BPF_MEM, 0, 0, cell);
}

void bpf_set_x_header(struct program *p, uint32_t offset)
{
	bpf_put(p, BPF_LDX | BPF_B | BPF_MSH, 0, 0, offset);
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
	bpf_put(p, BPF_JMP | condition, 1, 0, k);
	bpf_return(p, p->refusal);
}

void bpf_forbid(struct program *p, unsigned condition, uint32_t k)
{
	bpf_put(p, BPF_JMP | condition, 0, 1, k);
	bpf_return(p, p->refusal);
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

void bpf_jump(struct program *p, struct jumps *jumps)
{
	jumps->at[jumps->count++] = bpf_put(p, BPF_JMP | BPF_JA, 0, 0, 0);
}

void bpf_jump_if(struct program *p, struct jumps *jumps, unsigned condition, uint32_t k)
{
	bpf_put(p, BPF_JMP | condition, 0, 1, k);
	bpf_jump(p, jumps);
}

void bpf_jump_unless(struct program *p, struct jumps *jumps, unsigned condition, uint32_t k)
{
	bpf_put(p, BPF_JMP | condition, 1, 0, k);
	bpf_jump(p, jumps);
}

void bpf_land(struct program *p, struct jumps *jumps)
{
	while (jumps->count) {
		unsigned at = jumps->at[--jumps->count];

		p->ops[at].k = p->count - at - 1;
	}
}

void bpf_land_false(struct program *p, unsigned first, unsigned code)
{
	for (unsigned at = first; at < p->count; at++)
		if (p->ops[at].code == (BPF_JMP | code))
			p->ops[at].jf = (uint8_t)(p->count - at - 1);
}
