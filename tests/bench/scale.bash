# The part of tests/bench/run about a thousand of everything.
# shellcheck shell=bash disable=SC2086,SC2154 # lists of words; run has the functions

# Says how long COMMAND takes, and that for each of COUNT.
took() { # LABEL COUNT COMMAND...
	local begin end
	begin=$(date +%s%N)
	"${@:3}" >/dev/null
	end=$(date +%s%N)
	printf '  %-52s %6d ms  %6d us each\n' "$1" $(((end - begin) / 1000000)) $(((end - begin) / 1000 / $2))
}

# Each wave holds its devices until all of it run, and nothing of it is left when the next begins.
waves() { # WAVES SIZE
	local wave k hold said
	mkfifo "$work/said" "$work/hold"
	exec {said}<>"$work/said" {hold}<>"$work/hold"
	for ((wave = 0; wave < $1; wave++)); do
		for ((k = 0; k < $2; k++)); do
			tapctl exec --no-audit --bridge br$((k % 4)) --mac "$(mac_of "$k")" -- \
				sh -c 'echo >"$0/said"; read -r _ <"$0/hold"' "$work" {hold}>&- {said}>&- &
		done
		for ((k = 0; k < $2; k++)); do read -rt 60 _ <&"$said"; done
		for ((k = 0; k < $2; k++)); do echo >&"$hold"; done
		wait
		[ -z "$(ip -br link show type tun)" ]
	done
	rm "$work/said" "$work/hold"
}

part_scale() {
	local k batch=() devices
	add_cable v0
	for k in 0 1 2 3; do
		add_bridge br$k
		add_cable up$k
		ip link set up$k master br$k
	done
	heading "A thousand at once"
	took "1,000 exec, in five waves, on four bridges" 1000 waves 5 200
	for ((k = 0; k < 700; k++)); do batch+=(--mac "$(mac_of $k)" --bridge br$((k % 4))); done
	for ((k = 700; k < 1000; k++)); do batch+=(--mac "$(mac_of $k)" --link v0); done
	took "one add: 700 taps on four bridges, 300 macvtaps" 1000 tapctl add "${batch[@]}"
	took "check, nothing is wrong" 1000 tapctl check
	read -ra devices <<<"$(names tap 0 700)$(names mvt 700 300)"
	took "attach, all of them are as they should be" 1000 tapctl attach "${devices[@]}"
	took "del of all" 1000 tapctl del "${devices[@]}"
}
