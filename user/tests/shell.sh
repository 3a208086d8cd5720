# What the shell does, by its output. Any POSIX shell prints the same.
tmp=${TMPDIR:-/tmp}/shell.$$
mkdir "$tmp" && cd "$tmp" || exit 1
exec 2>/dev/null

echo "--- words"
a='x y'  b=z
echo $a "$a" '$a' \$a "\$a" a"$b"c ${b}d "${b}"
echo [$unset] ["$unset"] [${unset:-default}] [${b:-default}] [${b:+set}] [${unset:+set}]
echo ${#a} ${a#x} ${a%y} [${a% *}]
path=/usr/lib/file.tar.gz
echo ${path##*/} ${path%/*} ${path#*/} ${path%%.*} ${path%.*}
: ${made:=value}; echo $made
set -- one 'two words' '' four
echo $# "$1" "$2" [$3] "$4"
for p in "$@"; do echo "[$p]"; done
for p in $*; do echo "($p)"; done
echo "$*"
shift 2; echo $# "$2"

echo "--- substitution"
echo $(echo inner) "$(echo 'a   b')" $(echo 'a   b') `echo back`
echo "$(echo "nested $(echo deep)")"
x=$(printf_missing 2>/dev/null; echo after); echo $x
echo $((1 + 2 * 3)) $(((1 + 2) * 3)) $((7 / 2)) $((7 % 4)) $((-3)) $((1 < 2)) $((1 && 0))
i=5; echo $((i + 1)) $(($i * 2)) $((i == 5))

echo "--- lists and conditions"
true && echo and; false || echo or; ! false && echo not
if true; then echo then; else echo else; fi
if false; then echo then; elif true; then echo elif; else echo else; fi
false; echo $?
(exit 7); echo $?
{ echo group; echo of two; } | cat
i=0; while [ $i -lt 3 ]; do echo $i; i=$((i + 1)); done
until [ $i -eq 0 ]; do i=$((i - 1)); done; echo $i
for i in 1 2 3 4 5; do
	[ $i = 2 ] && continue
	[ $i = 4 ] && break
	echo loop $i
done
for i in 1 2; do for j in 1 2; do [ $j = 2 ] && continue 2; echo $i$j; done; done
case abc in a) echo no;; a*) echo star;; *) echo no;; esac
case "*" in \*) echo quoted star;; esac
case x in [a-m]) echo low;; [n-z]) echo high;; esac
case y in x|y) echo either;; esac
f() { echo "f: $1 $#"; return 3; }
f a b; echo $?
g() { for i in 1 2; do return $i; done; }; g; echo $?

echo "--- redirection"
echo one > file; echo two >> file; cat < file
cat nothing 2>/dev/null || echo failed
{ echo out; echo err >&2; } > both 2>&1; cat both
echo swapped 2>&1 >/dev/null
cat <<END
here $b $((2 + 2)) $(echo sub) \$b
END
cat <<'END'
literal $b
END
cat <<-END
	no tabs
	END
while read x y; do echo "$y $x"; done <<END
1 2
3 4 5
END
exec 3> third; echo to three >&3; exec 3>&-; cat third
if true; then echo in if; fi > infile; cat infile

echo "--- files"
mkdir d; echo > d/b.c; echo > d/a.c; echo > d/x.h; echo > d/.hidden
echo d/*.c d/* d/?.h */a.c d/nothing* "d/*" d/[ab].c
[ -f d/a.c ] && [ -d d ] && [ ! -e d/zzz ] && [ -s file ] && echo tests
[ a = a -a b != c ] && [ -z "" -o x ] && [ 3 -gt 2 ] && [ -n s ] && echo more tests

echo "--- processes"
sleep 0 & wait $!; echo $?
(exit 9) & wait $!; echo $?
(exit 5); x=$?; echo $x $?
x=$(exit 4); echo $?; x=1; echo $?; x=$(exit 4) y=2; echo $?; false; x=$?$(true); echo $x
sh -c 'exit 4'; echo $?
sh -c 'kill -TERM $$'; echo $?
sh -c 'echo $0 $1' name arg
echo a b c | while read x; do echo "read $x"; done
echo piped | cat | cat | cat
true | false; echo $?
false | true; echo $?
V=only sh -c 'echo $V'; echo [$V]
export W=exported; sh -c 'echo $W'
unset W; sh -c 'echo [$W]'
missing_program 2>/dev/null; echo $?
(echo in; exit 5; echo never); echo $?
sh -c 'set -e; false; echo never'; echo $?
sh -c 'set -e; if false; then :; fi; false || true; echo reached'
eval 'echo eval $b'; false; eval 'echo $?'
echo 'echo dot $b; z=1' > script; . ./script; echo $z
echo done; cd /; rm -r "$tmp"
