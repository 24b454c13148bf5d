# Open vSwitch for tests (tools/switches): with the userspace datapath unless said, in the test's namespace, with a database
# and a run directory of its own. The bats files load this.
# shellcheck shell=bash disable=SC2034,SC2154 # used by the files that load this, set by run

requires_switch() {
	requires_root
	[ -e "$SWITCHES/complete" ] || skip "Open vSwitch could not be fetched: see build/check/switches.log"
}

# Their programs, in a namespace: switch_program NAMESPACE PROGRAM ARG...
switch_program() {
	local words
	mapfile -t words < <("$TESTS/tools/switches" env "$SWITCHES" "$WORK/ovs.$1")
	inside_of "$1" env "${words[@]}" "${@:2}"
}
vsctl() { switch_program "$NS" ovs-vsctl --timeout=20 "$@"; }

start_database() { # [NAMESPACE]
	local ns=${1:-$NS}
	local dir=$WORK/ovs.$ns
	switch_program "$ns" ovsdb-server --remote="punix:$dir/db.sock" --pidfile="$dir/ovsdb.pid" --detach --no-chdir \
		--log-file="$dir/ovsdb.log" "$dir/conf.db" 2>/dev/null
}
start_vswitchd() { # [NAMESPACE]
	local ns=${1:-$NS}
	local dir=$WORK/ovs.$ns
	switch_program "$ns" ovs-vswitchd --pidfile="$dir/ovs-vswitchd.pid" --detach --no-chdir \
		--log-file="$dir/vswitchd.log" 2>/dev/null
}
# A database, ovs-vswitchd and the bridge br-int; tapctl looks for it here.
start_switch() { # [NAMESPACE [DATAPATH]]
	local ns=${1:-$NS}
	export OVS_RUNDIR=$WORK/ovs.$ns
	inside_of "$ns" "$TESTS/tools/switches" start "$SWITCHES" "$OVS_RUNDIR" "${@:2}"
}
stop() { # PIDFILE...
	local file
	for file; do
		kill "$(cat "$OVS_RUNDIR/$file")"
		wait_until 10 gone_file "$OVS_RUNDIR/$file"
	done
}
gone_file() { [ ! -e "$1" ]; }

ports() { vsctl list-ports br-int | sort; }
# One column of a row: column Interface NAME external_ids:iface-id
column() { vsctl --if-exists get "$1" "$2" "$3" | tr -d '"'; }
# Those of taps; others are the test's own.
no_taps() { ! ports | grep '^tap'; }
one_tap() { [ "$(ports | grep '^tap')" = "$1" ] || { ports; return 1; }; }

# OVN's databases and northd, for all chassis, in $CENTRAL.
start_central() {
	CENTRAL=$WORK/central
	mkdir "$CENTRAL"
	mkdir -p "$WORK/ovs.$NS"
	local base
	for base in nb sb; do
		switch_program "$NS" ovsdb-tool create "$CENTRAL/$base.db" "$SWITCHES/tree/usr/share/ovn/ovn-$base.ovsschema"
		switch_program "$NS" ovsdb-server --remote="punix:$CENTRAL/$base.sock" --pidfile="$CENTRAL/$base.pid" --detach \
			--no-chdir --unixctl="$CENTRAL/$base.ctl" --log-file="$CENTRAL/$base.log" "$CENTRAL/$base.db" 2>/dev/null
	done
	switch_program "$NS" ovn-northd --ovnnb-db="unix:$CENTRAL/nb.sock" --ovnsb-db="unix:$CENTRAL/sb.sock" --detach \
		--no-chdir --pidfile="$CENTRAL/northd.pid" --log-file="$CENTRAL/northd.log" 2>/dev/null
}
nbctl() { switch_program "$NS" ovn-nbctl --timeout=20 --db="unix:$CENTRAL/nb.sock" "$@"; }
# Logical ports of the logical switch net1: logical_port NAME MAC
logical_port() {
	nbctl --may-exist ls-add net1 -- lsp-add net1 "$1" -- lsp-set-addresses "$1" "$2" -- lsp-set-port-security "$1" "$2"
}
# A host of OVN's with the address IP, beyond the link UPLINK: its userspace datapath sends tunnels by a bridge.
start_chassis() { # NAMESPACE IP UPLINK
	local ns=$1
	local dir=$WORK/ovs.$ns
	start_switch "$ns"
	switch_program "$ns" ovs-vsctl --timeout=20 add-br br-phy -- set bridge br-phy datapath_type=netdev -- \
		add-port br-phy "$3" -- set Open_vSwitch . external_ids:system-id="$ns" external_ids:ovn-encap-type=geneve \
		external_ids:ovn-encap-ip="$2" external_ids:ovn-remote="unix:$CENTRAL/sb.sock" \
		external_ids:ovn-bridge-datapath-type=netdev
	command ip -n "$ns" addr add "$2/24" dev br-phy
	command ip -n "$ns" link set br-phy up
	start_controller "$ns"
}
start_controller() { # NAMESPACE
	local dir=$WORK/ovs.$1
	switch_program "$1" ovn-controller "unix:$dir/db.sock" --detach --no-chdir --pidfile="$dir/controller.pid" \
		--log-file="$dir/controller.log" 2>/dev/null
}
