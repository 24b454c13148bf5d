# The part of tests/bench/run about a whole qemu, wired by those that people use for it.
# shellcheck shell=bash disable=SC2016,SC2154 # for another shell to expand; run has the functions and the variables

# libvirt's daemon with nothing of this machine's, and a domain that waits at its first instruction.
# Its pid is in $daemon.
start_libvirt() { # DOMAIN BRIDGE MAC
	local place tries
	for place in /etc/libvirt /var/lib/libvirt /var/cache/libvirt /var/log/libvirt; do
		[ -d $place ] || return 1
		mount -t tmpfs tmpfs $place
	done
	for place in passwd group; do
		{ cat /etc/$place && echo 'libvirt-qemu:x:64055:64055::/:/bin/false'; } >"/run/$place"
		mount --bind "/run/$place" /etc/$place
	done
	mkdir /etc/libvirt/qemu
	# Without the things that are not there in a namespace: no slower than it is on a host.
	cat >/etc/libvirt/qemu.conf <<-END
		user = "root"
		group = "root"
		security_driver = "none"
		cgroup_controllers = []
		namespaces = []
		remember_owner = 0
		stdio_handler = "file"
	END
	printf 'auth_unix_ro = "none"\nauth_unix_rw = "none"\n' >/etc/libvirt/libvirtd.conf
	cat >"$work/domain.xml" <<-END
		<domain type='qemu'>
		  <name>$1</name>
		  <memory unit='MiB'>64</memory>
		  <os><type arch='x86_64' machine='q35'>hvm</type></os>
		  <devices>
		    <emulator>$(command -v qemu-system-x86_64)</emulator>
		    <interface type='bridge'>
		      <mac address='$3'/><source bridge='$2'/><model type='virtio'/><rom enabled='no'/>
		    </interface>
		    <memballoon model='none'/>
		  </devices>
		</domain>
	END
	libvirtd >"$work/libvirtd.log" 2>&1 &
	daemon=$!
	for ((tries = 0; tries < 100; tries++)); do
		virsh -q define "$work/domain.xml" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}

# By the kernel's clock, from TUNSETIFF until the end of a call that the pattern LAST names, in µs: the
# median of seven runs.
wiring_time() { # LABEL LAST PERF-WORDS...
	local run
	for ((run = 0; run < 7; run++)); do
		perf record -q -o "$work/perf.data" -e syscalls:sys_enter_ioctl -e syscalls:sys_exit_ioctl \
			-e syscalls:sys_enter_execve -e syscalls:sys_enter_sendmsg "${@:3}" >/dev/null 2>&1 </dev/null || :
		virsh -q destroy guest 2>/dev/null || :
		perf script -i "$work/perf.data" -F comm,time,event,trace 2>/dev/null | awk -v last="$2" '
			/cmd: 0x400454ca/ && !begin { thread = $1; begin = $2 + 0; next }
			!begin || $1 != thread || end { next }
			/sys_enter/ { is_last = $0 ~ last }
			is_last && (/sys_exit/ || !/ioctl/) { end = $2 + 0 }
			END { if (end) printf "%.0f\n", (end - begin) * 1e6 }'
	done | sort -n | awk -v label="$1" '
		{ time[NR] = $1 }
		END { printf "  %-40s %s\n", label, NR ? time[int((NR + 1) / 2)] " us" : "not seen" }'
}

part_vmms() {
	local mac=52:54:00:00:00:00 tap=tap525400000000 own given helper ours
	local vmm="qemu-system-x86_64 -accel tcg -M q35 -m 64 -S -nodefaults -display none"
	local stdio="-monitor stdio"
	local card="-device virtio-net-pci,netdev=n0,mac=$mac,romfile="
	add_bridge br0
	[ -d /etc/qemu ] || { note "qemu-bridge-helper is not here (no /etc/qemu)" && return; }
	mount -t tmpfs tmpfs /etc/qemu
	echo allow br0 >/etc/qemu/bridge.conf
	echo quit >"$work/quit"
	printf '#!/bin/sh\nexec ip link set $1 address fe:54:00:00:00:00 master br0 up\n' >"$work/ifup"
	printf '#!/bin/sh\nexec tapctl bridge-helper "$@"\n' >"$work/helper"
	chmod +x "$work/ifup" "$work/helper"
	own=$(script own <<<"exec $vmm $stdio $card -netdev tap,id=n0,ifname=$tap,script=$work/ifup,downscript=no <$work/quit")
	given=$(script given <<<"exec tapctl exec --bridge br0 --mac $mac -- $vmm $stdio $card -netdev tap,id=n0,fd=3 <$work/quit")
	helper=$(script helped <<<"exec $vmm $stdio $card -netdev bridge,id=n0,br=br0 <$work/quit")
	ours=$(script ours <<<"exec $vmm $stdio $card -netdev bridge,id=n0,br=br0,helper=$work/helper <$work/quit")

	heading "A whole qemu that quits at once"
	timer -n 15 "tapctl exec -- qemu ... fd=3" "$given" "qemu ... ifname=,script= that runs ip once" "$own" \
		"qemu -netdev bridge" "$helper" "the same with tapctl bridge-helper" "$ours" | table tapctl
	echo
	daemon=''
	trap '[ -z "$daemon" ] || kill $daemon' EXIT
	if start_libvirt guest br0 $mac; then
		# 8 and 9 are timer's, which waits until nobody has them.
		given=$(script until <<<"exec 8>&- 9>&-
			exec tapctl exec --bridge br0 --mac $mac -- $vmm -daemonize -name wired $card -netdev tap,id=n0,fd=3")
		note "Until qemu runs (-daemonize, virsh start --paused):"
		echo
		timer -n 11 -a "virsh -q destroy guest 2>/dev/null; pkill -f '[n]ame wired'
				while ip link show $tap >/dev/null 2>&1; do :; done" \
			"tapctl exec -- qemu -daemonize" "$given" \
			"virsh start, libvirtd running" "virsh -q start --paused guest" | table tapctl
		echo
	else
		note "libvirt is not here: install libvirt-daemon, libvirt-daemon-driver-qemu and libvirt-clients" \
			"($(tail -n 1 "$work/libvirtd.log" 2>/dev/null))"
	fi
	mount -t tracefs tracefs /sys/kernel/tracing
	note "The wiring alone, by the kernel's clock (perf): from TUNSETIFF until the device is up on its" \
		"bridge and, but for libvirt, the next program or the sending of the descriptor:"
	echo
	wiring_time "tapctl exec" execve -- tapctl exec --bridge br0 --mac $mac -- true
	wiring_time "qemu-bridge-helper" sendmsg -- sh "$work/helped"
	! virsh -q list >/dev/null 2>&1 || wiring_time "libvirt" "cmd: 0x00008914" -p "$daemon" -- virsh -q start --paused guest
}
