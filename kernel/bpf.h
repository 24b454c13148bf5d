/* SPDX-License-Identifier: MIT */
/*
 * Classic BPF programs, written one instruction after the other.
 *
 * A and X are the machine's two registers. Jumps go forward only: those that are to meet are kept
 * in a struct jumps until bpf_land(). A load beyond the packet's end would end the program with 0
 * (net/core/filter.c, bpf_convert_filter): check lengths first. A load from the packet becomes some
 * 15 of the kernel's instructions, one from a cell a single one. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <linux/filter.h>

#define BPF_OPS 1536

/* A conditional jump reaches 255 instructions; one that is to be far takes a second one. */
#define JUMPS_MAX 64
struct jumps {
	unsigned at[JUMPS_MAX], count;
	bool far;
};

struct program {
	struct sock_filter ops[BPF_OPS];
	unsigned count;
	uint32_t refusal; /* what it returns for a packet without what is required */
	struct jumps refused;
};

/* Append one instruction; returns its index. */
unsigned bpf_put(struct program *p, unsigned code, unsigned jt, unsigned jf, uint32_t k);

/* A = @size (BPF_W, BPF_H, BPF_B) at @offset, or at X + @offset; the length of the packet; a
 * number; X; or the memory @cell. */
void bpf_load(struct program *p, unsigned size, uint32_t offset);
void bpf_load_at_x(struct program *p, unsigned size, uint32_t offset);
void bpf_load_length(struct program *p);
void bpf_load_number(struct program *p, uint32_t number);
void bpf_load_x(struct program *p);
void bpf_load_cell(struct program *p, uint32_t cell);

/* X = A, or the memory @cell. */
void bpf_set_x(struct program *p);
void bpf_set_x_cell(struct program *p, uint32_t cell);

/* The memory @cell = A. */
void bpf_store(struct program *p, uint32_t cell);

/* A = A @operation @k (BPF_ADD ...), with | BPF_X for X in the place of @k. */
void bpf_compute(struct program *p, unsigned operation, uint32_t k);

void bpf_return(struct program *p, uint32_t value);

/* Go on only when A @condition (BPF_JEQ ...) @k is true, or is false; | BPF_X as above. */
void bpf_require(struct program *p, unsigned condition, uint32_t k);
void bpf_forbid(struct program *p, unsigned condition, uint32_t k);

/* Go on only when the packet has that value at @offset, or at least that length. */
void bpf_require_at(struct program *p, unsigned size, uint32_t offset, uint32_t value);
void bpf_require_length(struct program *p, uint32_t length);

/* What did not go on returns here. */
void bpf_refuse(struct program *p);

/*
 * What did not go on is sent on from here, over any distance, to bpf_refuse(): at the latest 255
 * instructions behind the first bpf_require() or bpf_forbid() since the last time. The second is
 * for where others pass by.
 */
void bpf_relay(struct program *p);
void bpf_relay_aside(struct program *p);

/* Jump always, when the condition is true, or when it is false. */
void bpf_jump(struct program *p, struct jumps *jumps);
void bpf_jump_if(struct program *p, struct jumps *jumps, unsigned condition, uint32_t k);
void bpf_jump_unless(struct program *p, struct jumps *jumps, unsigned condition, uint32_t k);

/* Here the @jumps meet; none are left in it. One that does not reach it makes the program invalid:
 * the kernel refuses it (EINVAL). */
void bpf_land(struct program *p, struct jumps *jumps);
