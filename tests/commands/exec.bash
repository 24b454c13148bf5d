# What the two files of exec share: a bridge, a probe in COMMAND's place, and how a failure looks.
# shellcheck shell=bash disable=SC2034,SC2154 # used by the files that load this, set by run

setup_file() { build_probe; }

setup() {
	setup_namespace
	add_bridge br0
}

# It failed by itself, one line says so and holds the words, and the links are those of before.
failed_with() { # STATUS WORD...
	[ "$status" = "$1" ]
	[ -z "$output" ]
	[ "$(grep -vc '^tapctl: warning: ' <<<"$stderr")" = 1 ]
	[[ $stderr = *"tapctl: "* ]]
	stderr_holds "${@:2}"
	[ "$(links)" = $'br0\nlo' ] || { links; return 1; }
}

# Programs called NAME that are the probe, in $WORK/bin.
stand_in() {
	local name
	mkdir -p "$WORK/bin"
	for name; do
		ln -sf "$PROBE" "$WORK/bin/$name"
	done
}
