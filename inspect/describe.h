/* SPDX-License-Identifier: MIT */
/*
 * A device in a word or two, for people: how it is, and who has it.
 */
#pragma once

#include "inspect/inventory.h"
#include "inspect/table.h"

enum state {
	STATE_RUNNING, /* its VMM has it open */
	STATE_WAITING, /* for its guest: nobody has it open */
	STATE_UP, /* that is all that is known, or all there is to know */
	STATE_NO_CARRIER, /* that of the lower device, or switched off by who has it open */
	STATE_DOWN,
	STATE_OFF_BRIDGE, /* that it was made for */
};

/*
 * How it is, of a device that was looked up; with @holders (NULL: not read) also whether a tap
 * without carrier is open.
 */
enum state device_state(const struct device *device, const struct holders *holders);
const char *state_word(enum state state);
enum colour state_colour(enum state state);

/* Whether its address is the one that follows from its guest's. */
bool device_has_usual_address(const struct link *link);

/*
 * Who has the device open, one after the other: "web[28366], qemu-system-x86[28367]", or, @full,
 * "qemu-system-x86[28366] web". "": nobody. The caller frees it; NULL: no memory.
 */
char *device_holders(const struct device *device, const struct holders *holders, bool full);
