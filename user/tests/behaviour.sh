# More of what the shell does: traps, locals, $IFS, options, read. Any POSIX shell prints the same.
exec 2>/dev/null
t() {
	printf '== %s\n' "$1"
	sh -c "$1" name one 'two words' </dev/null
	printf 'status %d\n' $?
}
cd "${TMPDIR:-/tmp}" || exit 1

t "trap 'echo bye' EXIT; echo hi"
t "trap 'echo bye \$?' EXIT; exit 3"
t "trap 'echo bye; exit 5' EXIT; exit 3"
t "trap 'echo bye' EXIT; false"
t "trap 'echo bye' 0; sh -c 'exit 4'"
t "trap 'echo bye' EXIT; (echo sub); echo x | cat; y=\$(echo z); echo \$y"
t "(trap 'echo sub' EXIT; echo in); echo out"
t "trap 'echo got' TERM; kill -TERM \$\$; echo after"
t "trap 'echo got' TERM INT HUP; kill -HUP \$\$; kill -INT \$\$; echo after"
t "trap '' TERM; kill -TERM \$\$; echo ignored; trap - TERM; kill -TERM \$\$; echo never"
t "trap '' TERM; sh -c 'kill -TERM \$\$; echo ignored too'"
t "trap 'echo u' USR1; kill -USR1 \$\$; kill -USR1 \$\$; trap"
t "trap 'echo u' USR1; trap - USR1; kill -USR1 \$\$; echo never"
t "trap 'false' USR1; true; kill -USR1 \$\$; echo \$?"
t "trap 'echo t; break' USR1; while :; do kill -USR1 \$\$; done; echo out"
t "trap 'echo in child' TERM; (kill -TERM \$(sh -c 'echo \$PPID'); echo never); echo \$?"
t "trap 'echo bye' EXIT; set -e; false; echo never"
t "trap 'echo chld done' USR1; (kill -USR1 \$\$) & wait \$!; wait; echo end"
t 'f() { local x=1 y; x=2; y=3; echo $x $y; }; x=0; f; echo $x [$y]'
t 'f() { local x; x=5; g; }; g() { echo $x; x=6; }; x=1; f; echo $x'
t 'f() { local x=$1; [ $1 -gt 0 ] && f $(($1 - 1)); echo $x; }; f 3'
t 'f() { local IFS=:; x=a:b; echo $x; }; f; echo $x'
t 'x=1; x=2 true; echo $x; x=3 :; echo $x; f() { echo $x; }; x=4 f'
t 'IFS=:; x=a:b::c; for i in $x; do echo "($i)"; done'
t 'IFS=:; x=:a:; for i in $x; do echo "($i)"; done'
t 'IFS=" :"; x=" a : b  c:: d "; for i in $x; do echo "($i)"; done'
t 'IFS=; x="a b"; for i in $x; do echo "($i)"; done'
t 'IFS=,; set -- a b c; echo "$*"; echo "$@"; x="$*"; echo "$x"'
t 'IFS=; set -- a b c; echo "$*"'
t 'unset IFS; x="a  b"; for i in $x; do echo "($i)"; done'
t 'IFS=-; for i in $(echo a-b c); do echo "($i)"; done'
t 'echo "a:b c:d" | { IFS=: read p q r; echo "$p|$q|$r|$IFS" | head -n 1; }'
t 'echo "  a  b  c  " | { read x y; echo "$x|$y"; }'
t 'echo "  a  b  " | { IFS= read -r x; echo "[$x]"; }'
t 'printf "a\\\\ b c\n" | { read x y; echo "$x|$y"; }'
t 'printf "a\\\\\nb c\n" | { read x y; echo "$x|$y"; }'
t 'printf "a::b\n" | { IFS=: read x y z; echo "$x|$y|$z"; }'
t 'printf "a:b:\n" | { IFS=: read x y; echo "$x|$y"; }'
t 'printf "a:\n" | { IFS=: read x; echo "$x"; }'
t 'printf "no end" | { read x; echo "$? $x"; }'
t 'read x; echo "$? [$x]"'
t 'set -u; echo ${nope-fine} ${nope:-too} ${nope+no}; echo $nope; echo never'
t 'set -u; echo "${nope}"; echo never'
t 'set -u; echo ${#nope}; echo never'
t 'set -u; set +u; echo [$nope]'
t 'set -u; echo "$@" $# $*; shift 2; echo "$@" end'
t 'set -- 1 2 3 4 5 6 7 8 9 10 11; echo $10 ${10} ${11} ${12}'
t 'echo ${nope?} ; echo never'
t 'echo ${nope:?text}; echo never'
t 'command -v echo; command -v cd; command -v nothere; echo $?'
t 'f() { echo function; }; command f; echo $?'
t 'echo() { printf "mine\n"; }; echo x; command echo x'
t 'echo $((1 ? 2 : 3)) $((0 ? 2 : 1 ? 4 : 5)) $((0x10)) $((010)) $((~0)) $(((1 ? 2 : 3) + 1))'
t 'touch -r / o; touch n; [ n -nt o ] && echo newer; [ o -ot n ] && echo older; [ n -ef ./n ] && echo same'
t '[ none -nt n ] || echo not newer; [ n -ot none ] || echo not older; [ n -ef o ] || echo others'
t '[ a \< b ] && echo less; [ b \> a ] && echo more; [ b \< a ] || echo not'
t 'echo "echo dotted \$1; return 7; echo never" >d.sh; . ./d.sh; echo $?; rm d.sh'
t 'f() { . ./e.sh; echo in f; }; echo "return 2" >e.sh; f; rm e.sh'
t 'set -e; f() { false; echo reached; }; f || :; if f; then echo t; fi; f; echo never'
t 'true | false | true; echo $?; ! true | false; echo $?'
t 'exit 300'
t 'exit'
t 'false; exit'
t 'rm -f n o; f() { return; }; false; f; echo $?'
echo end
