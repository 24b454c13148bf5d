#!/usr/bin/env bats
# What this kernel lacks, tried on one that has it: the tests that matter most here, all by make check-vm.
# bats file_tags=once
load ../tools/helpers

@test "vm: VLANs, bonds, vhost-net, limits and reasons for drops on a kernel of Debian's" {
	[ ! -c /dev/vhost-net ] || ! (requires_vlan_filtering) >/dev/null || skip "this kernel has them itself"
	requires_root # in a user namespace the files would have no owner
	[ -e build/vm/linux-image-amd64/vmlinux ] || skip "no machine could be built: see build/check/vm.log"
	local status=0
	FILTER='^(add: VLANs$|policy: a --vlan|clients: qemu takes|traffic: policing|drops: nft|check)' \
		"$TESTS/tools/vm" tests/{commands/add,subjects/policy,subjects/clients,subjects/traffic,subjects/drops,commands/check_vlan}.bats \
		>"$WORK/out" 2>&1 3>&- 4>&- || status=$?
	sed 's/^/# vm: /' "$WORK/out" >&3
	[ "$status" = 0 ]
	grep -qx '13 passed, 0 failed, 0 skipped' "$WORK/out"
}
