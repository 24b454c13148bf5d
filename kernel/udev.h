/* SPDX-License-Identifier: MIT */
/*
 * udev, as far as it handles new links: it gives one whose address is still the kernel's own choice
 * another one (MACAddressPolicy=).
 */
#pragma once

/*
 * Wait until udev has done with the link @ifindex, at most for ten seconds of its work. Where there
 * is no udev, or not for this network namespace, it returns at once.
 */
void udev_wait(int ifindex);
