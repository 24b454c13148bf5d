/* SPDX-License-Identifier: MIT */
/*
 * MAC addresses: parse, format, check, derive, draw, and the device names made from them.
 *
 * Pure: no I/O but getrandom(2), nothing printed, no state. A result is written only on success.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAC_LEN 6 /* octets, ETH_ALEN */
#define MAC_STRLEN 18 /* "52:54:00:84:e3:62" and its NUL */
#define MAC_NAMELEN 16 /* "tap52540084e362" and its NUL, IFNAMSIZ */

/* qemu gives this address to every guest whose -device names none (hw/net/net.c,
 * qemu_macaddr_default_if_unset). */
extern const uint8_t mac_qemu_default[MAC_LEN];

/*
 * Read the address that is the whole of @text: 52:54:00:84:e3:62, 52-54-00-84-e3-62,
 * 5254.0084.e362 or 52540084e362, in either case. False for anything else.
 */
bool mac_parse(uint8_t mac[static MAC_LEN], const char *text);

/* The same for the first @len bytes of @text, which need no NUL after them. */
bool mac_parse_span(uint8_t mac[static MAC_LEN], const char *text, size_t len);

/* Lower case with colons, into @text. Returns @text. */
char *mac_format(char text[static MAC_STRLEN], const uint8_t mac[static MAC_LEN]);

bool mac_equal(const uint8_t a[static MAC_LEN], const uint8_t b[static MAC_LEN]);
bool mac_is_zero(const uint8_t mac[static MAC_LEN]);

/*
 * Why a device cannot have this address, in words that follow the address ("is a group address"),
 * or NULL when it can. The kernel's is_valid_ether_addr() refuses the same two
 * (linux/etherdevice.h).
 */
const char *mac_fault(const uint8_t mac[static MAC_LEN]);

/*
 * The address of the host side of a guest's tap: the guest's with its first octet fe, or fa when
 * that octet is fe already. The two always differ: a bridge keeps frames for a port's own address
 * (libvirt, src/util/virnetdevtap.c, has the same rule).
 */
void mac_derive_host(uint8_t host[static MAC_LEN], const uint8_t guest[static MAC_LEN]);

/* Draw a guest address with qemu's prefix 52:54:00. Returns 0 or a negative errno of getrandom(2).
 */
int mac_draw(uint8_t mac[static MAC_LEN]);

/* The default name of a guest's device: @prefix, three letters, and the twelve hex digits. */
void mac_name(char name[static MAC_NAMELEN], const char prefix[static 4],
	      const uint8_t mac[static MAC_LEN]);
