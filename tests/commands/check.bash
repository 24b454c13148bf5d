# What the files about check share: devices that are held, findings, and their remedies.
# shellcheck shell=bash disable=SC2034,SC2086,SC2119,SC2120,SC2154 # set and used by the files that load this; WORDS is a list of words

A=52:54:00:84:e3:62 TAP=tap52540084e362 MVT=mvt52540084e362 HOST=fe:54:00:84:e3:62
B=52:54:00:84:e3:63 TAPB=tap52540084e363

setup() {
	setup_namespace
	mkfifo "$WORK/held"
	exec {held}<>"$WORK/held"
}

# A process that has the devices open: hold NIC-OPTION... [-- SCRIPT, which runs with them first]
hold() {
	local script=:
	if [ "${*: -2:1}" = -- ]; then
		script=${*: -1}
		set -- "${@:1:$#-2}"
	fi
	nsenter --net="/run/netns/$NS" -- "$TAPCTL" exec "$@" -- bash -c "$script"'; echo "$?" >"$0"; exec sleep infinity' \
		"$WORK/held" >"$WORK/log" 2>&1 3>&- 4>&- {held}>&- &
	HOLDER=$!
	local answer=nothing
	read -rt 20 answer <&"$held" || :
	[ "$answer" = 0 ] || { echo "held: $answer"; cat "$WORK/log"; return 1; }
}

# Release the last one held: release DEVICE
release() {
	kill "$HOLDER"
	wait_until 10 no_link "$1" >/dev/null
}

# A frame from MAC to everybody, for fd 3 without a vnet header: frame_from MAC [TAG]
frame_from() {
	printf '%b' "\\xff\\xff\\xff\\xff\\xff\\xff\\x${1//:/\\x}${2-}\\x88\\xb5" >"$WORK/frame"
	head -c 46 /dev/zero >>"$WORK/frame"
	echo "cat '$WORK/frame' >&3"
}

# br0 with an uplink to another namespace, and a guest's open tap on it.
sound_bridge() {
	ip link add br0 type bridge
	add_cable uplink far "far$NS"
	ip link set uplink address 02:00:00:00:00:02
	ip link set uplink master br0
	ip link set br0 up
	hold --bridge br0 --mac $A --no-vnet-hdr "$@"
}
sound_macvtap() {
	requires_macvtap
	add_cable wire far "far$NS"
	hold --link wire --mac $A
}

# The findings are these and no others: only NAME:ID... (of all devices, or of $WORDS). wait_until calls
# this, too, and what it calls goes on after a failure unless it is told to return.
only() {
	local i count=0
	run_tapctl check --json ${WORDS:-}
	[[ $status = 1 && -z "$stderr" ]] || return
	diff <(printf '%s\n' "$@" | sort) <(findings '!= "note"') || return
	# The same for people, and below each what to do.
	run_tapctl check ${WORDS:-}
	[ $status = 1 ] || return
	for ((i = 0; i < ${#lines[@]}; i += 2)); do
		[[ "${lines[i]}" =~ ^[^:\ ]+:\ (error|warning|note):\ .+$ && "${lines[i + 1]}" = "    "* ]] || return
		[ "${BASH_REMATCH[1]}" = note ] || count=$((count + 1))
		[[ -n "${WORDS:-}" || "${BASH_REMATCH[1]}" != note ]] || return
	done
	[ "$count" = "$#" ]
}
# What of $output is of such a severity, as NAME:ID.
findings() { jq -r ".[] | select(.severity $1) | .name + \":\" + .id" <<<"$output" | sort; }
# Nothing is wrong. What is worth a note is told when it is asked for.
silent() {
	run_tapctl check ${WORDS:-}
	[[ $status = 0 && -z "$stderr" && (-z "$output" || -n "${WORDS:-}") ]] || return
	run_tapctl check --json ${WORDS:-}
	[[ $status = 0 && -z "$(findings '!= "note"')" ]]
}
# Nothing is wrong, and these are the notes: notes NAME:ID...
notes() {
	silent || return
	diff <([ $# = 0 ] || printf '%s\n' "$@" | sort) <(findings '== "note"')
}
# Run what the one finding, or else the one note, names as its remedy; what it cannot know is $UPLINK and $VID.
mend() {
	local remedy
	remedy=$(tapctl check --json ${WORDS:-} | jq -r '[.[] | select(.severity != "note")][0] // .[0] | .remedy')
	echo "remedy: $remedy"
	remedy=${remedy/DEVICE/${UPLINK-}} remedy=${remedy/VID/${VID-}}
	PATH=$(dirname "$TAPCTL"):$PATH inside bash -ec "${remedy%% (*}" >/dev/null
}

# br0 with an uplink to the namespace far$NS, 192.0.2.1, and a guest on it who answers: its device is bound to
# another one, in a namespace of its own, with the address 192.0.2.2. guest_on NIC-OPTION...
guest_on() {
	command ip netns add "guest$NS"
	# Without IPv6 it sends nothing of its own accord.
	[ -z "${SILENT_GUEST:-}" ] || inside_of "guest$NS" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	# With its address before it is up: it would announce itself with another one.
	command ip -n "guest$NS" tuntap add g0 mode tap
	command ip -n "guest$NS" link set g0 address $A up
	command ip -n "guest$NS" addr add 192.0.2.2/24 dev g0
	hold "$@" --mac $A --no-vnet-hdr -- "
		nsenter --net=/run/netns/guest$NS socat FD:3 TUN,tun-type=tap,iff-no-pi,tun-name=g0 3>&3 &
		until ip -n guest$NS -br link show g0 up | grep -q LOWER_UP; do :; done"
}
# The same guest in little: a program that speaks only when spoken to, or as WORDS of guest.py's say.
# stand_in NIC-OPTION... [-- WORD...]; also with $GUEST_MAC and $GUEST_IP for its addresses
stand_in() {
	local options=()
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	[[ " ${options[*]} " = *" --mac "* ]] || options+=("--mac" "$A")
	rm -f "$WORK/begun"
	hold "${options[@]}" --no-vnet-hdr -- "BEGUN='$WORK/begun' setpriv --pdeathsig KILL python3 '$TESTS/tools/guest.py' ${GUEST_MAC:-$A} ${GUEST_IP:-192.0.2.2} ${*:2} & :"
	wait_until 30 test -e "$WORK/begun"
}
answering_bridge() {
	ip link add br0 type bridge
	add_cable uplink far "far$NS"
	command ip -n "far$NS" addr add 192.0.2.1/24 dev far
	ip link set uplink address 02:00:00:00:00:02
	ip link set uplink master br0
	ip link set br0 up
}
guest_on_bridge() {
	answering_bridge
	guest_on --bridge br0 "$@"
	answers
	notes
}
answers() { inside_of "far$NS" ping -c 1 -W "${1:-5}" 192.0.2.2 >/dev/null; }
no_answer() { ! answers 0.3 || { echo "it answers"; return 1; }; }
unanswered() { ! ${PING:-answers} 0.3; }
# COMMAND breaks it: nobody answers $PING (answers), and check names FINDING. Its remedy is run, or $CURE in its
# place, and there is an answer. dead FINDING COMMAND...
dead() {
	"${@:2}" || return
	wait_until 10 only "$1" >/dev/null || { only "$1"; return 1; }
	# A lost carrier reaches the bridge up to a second later.
	wait_until 5 unanswered || return
	${CURE:-mend} || return
	wait_until 10 notes >/dev/null || { notes; return 1; }
	${PING:-answers} 5 || { echo "$1: it does not answer"; return 1; }
}
# The remedy of the one finding is run; then nothing is found, and the guest answers.
mended() {
	mend
	notes
	answers
}
# br0 with the host's address and nothing else: host_bridge [ADDRESS]
host_bridge() {
	add_bridge br0
	ip addr add "${1:-192.0.2.1/24}" dev br0
}
