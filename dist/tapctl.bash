# bash completion for tapctl: it is tapctl itself that knows.
# shellcheck shell=bash

_tapctl() {
	local words word line=${COMP_LINE:0:COMP_POINT} kept
	# Not COMP_WORDS, which are cut at each colon of an address and at =.
	read -ra words <<<"$line"
	[[ $line = *[![:space:]] ]] || words+=("")
	# Behind sudo, or with variables before it.
	while [[ ${#words[@]} -gt 1 && ${words[0]##*/} != tapctl ]]; do words=("${words[@]:1}"); done
	for word in "${words[@]:0:${#words[@]}-1}"; do
		if [[ $word = -- ]]; then
			# COMMAND and its words.
			compopt -o default
			[[ ${words[-2]} != -- ]] || mapfile -t COMPREPLY < <(compgen -c -- "${words[-1]}")
			return
		fi
	done
	mapfile -t COMPREPLY < <("$1" complete -- "${words[@]}" 2>/dev/null)
	# readline has the part up to the last colon or = already.
	kept=${words[-1]%"${words[-1]##*[:=]}"}
	[[ $COMP_WORDBREAKS = *:* || $kept != *: ]] || kept=
	COMPREPLY=("${COMPREPLY[@]#"$kept"}")
}

complete -F _tapctl tapctl
