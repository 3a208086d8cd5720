# grep with the options people type, and its messages; GNU's prints the same.
export LC_ALL=C
tmp=${TMPDIR:-/tmp}/grep.$$
mkdir "$tmp" && cd "$tmp" || exit 1
t() {
	printf '== %s\n' "$*"
	eval "$*" >"$tmp.out" 2>"$tmp.err"
	printf 'status %d\n' $?
	cat "$tmp.out" "$tmp.err"
}

printf 'one\ntwo three\nThree\na.b\naxb\nfoo_bar foo bar\n\nabcabc x1y22z\n(a|b)*\nlast' > f
printf 'alpha\nbeta\nthree\n' > g
mkdir -p d/e; echo 'int three;' > d/x.c; echo nothing > d/e/y; printf 'three\000\n' > d/bin; : > empty
seq 30 > n

t grep three f
t grep -i three f g
t grep -v e f
t grep -vi THREE f
t grep -c e f g
t grep -c zzz f g
t grep -n o f
t grep -nv o f
t grep -l three f g n
t grep -L three f g n
t grep -q one f
t grep -q zzz f
t grep -w foo f
t grep -w bar f
t grep -ow foo f
t grep -x one f
t grep -x on f
t grep -xE "'on|one|two three'" f
t grep -o "'[a-c]*'" f
t grep -on "'[0-9][0-9]*'" f
t grep -oE "'abc|x[0-9]|z'" f
t grep -F a.b f
t grep -F "'(a|b)*'" f
t grep -Fx one f
t grep -Fi ONE f
t grep -e one -e beta f g
t grep -e one -e "'[Tt]hree'" -o f g
t grep -E "'(abc)+'" f
t grep -E "'^(one|last)$'" f
t grep -E "'a{2}|b{1,2}'" f
t grep "'\(abc\)\1'" f
t grep -E "'([a-z])o?\1'" f
t grep "'x\|z'" f
t grep "'o\+'" f
t grep "'^$'" f
t grep -n "'^'" g
t grep "''" empty
t grep -c "''" f
t grep "'[[:upper:]]'" f
t grep "'[[:digit:]][[:digit:]]*'" f
t grep "'[^a-z .]'" f
t grep "'\bbar\b'" f
t grep "'\<foo'" f
t grep "'\w_\w'" f
t grep -A 1 two f
t grep -B 1 -n two f
t grep -C 1 x f
t grep -A 2 -B 1 "'^[15]$'" n
t grep -n -A1 5 n
t grep -c -A1 5 n
t grep -m 2 1 n
t grep -m 2 -A 1 1 n
t grep -m 1 -c 1 n
t grep -H one f
t grep -h three f g
t 'grep three < f'
t 'cat f | grep -H three'
t 'cat g | grep three - f'
t 'grep -r three d | sort'
t '(cd d; grep -r three | sort)'
t 'grep -rn three d/x.c d/e | sort'
t 'grep -rl three . | sort'
t 'grep -rc t d | sort'
t 'grep -rh three d/x.c'
t grep three d
t grep -s three d none g
t grep three none f
t grep -q three none f
t grep -q zzz none f
t grep three d/bin
t grep -c three d/bin
t grep zzz d/bin
t grep "'\(a'" f
t grep "'[a'" f
t grep "'a\{1'" f
t grep "'[[:foo:]]'" f
t grep -E "'(a'" f
t grep "'[z-a]'" f
t grep --ignore-case --line-number THREE g
t grep --count --regexp=e g
t grep --max-count 1 e g
t grep -f none f
t grep -nf g f
t 'printf "b\nA\n" | grep -if - g'
t "printf 'one\nbeta' | { read a; read b; grep \"\$a
\$b\" f g; }"
t 'grep -z 2>/dev/null </dev/null; echo $?'
t 'grep 2>&1 | head -n 1'
t 'grep --bogus x f 2>&1 | head -n 1'
t 'yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -n 200 | grep -cE "(a*)*b"'
cd /; rm -r "$tmp" "$tmp.out" "$tmp.err"; echo end
