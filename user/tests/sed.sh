# sed with what people write, and its messages; GNU's prints the same.
export LC_ALL=C
tmp=${TMPDIR:-/tmp}/sed.$$
mkdir "$tmp" && cd "$tmp" || exit 1
t() {
	printf '== %s\n' "$*"
	eval "$*" >"$tmp.out" 2>"$tmp.err"
	printf 'status %d\n' $?
	cat "$tmp.out" "$tmp.err"
}

printf 'one\ntwo three\nThree\na/b/c\naxbxc\nfoo bar foo bar foo\n\nlast' > f
seq 12 > n
printf 'key=value\nname = x y\n# comment\n' > conf

t sed s/o/0/ f
t sed s/o/0/g f
t sed s/o/0/2 f
t sed s/o/0/2g f
t sed -n s/o/0/p f
t sed "'s/foo/<&>/g'" f
t sed "'s/\(foo\) \(bar\)/\2 \1/'" f
t sed -E "'s/(foo) (bar)/\2 \1/g'" f
t sed "'s/x*/-/g'" f
t sed "'s|/|:|g'" f
t sed "'s,a\,b,x,;s/\//!/'" f
t sed "'s/three/3/I'" f
t sed "'s/^/> /;s/$/ </'" f
t sed "'s/[aeiou]//g'" f
t sed "'s/[/]/_/g'" f
t sed "'s/b*$/X/'" f
t sed "'s/ /\n/g'" f
t sed "'s/ /\t/;s/\t/TAB/'" f
t sed "'s/a\|b/#/g'" f
t sed -E "'s/a|b/#/g;s/#+/&&/'" f
t sed "'s/\&/and/;s/o/\&/'" f
t sed -n 3p n
t sed -n '\$p' n
t sed -n 2,4p n
t sed -n "'2,+1p'" n
t sed -n "'0~4p'" n
t sed -n "'1~3p'" n
t sed -n "'/5/,/7/p'" n
t sed -n "'/1/,3p'" n
t sed -n "'0,/1/p'" n
t sed -n "'1,/1/p'" n
t sed -n "'5,2p'" n
t sed -n "'/^1/!p'" n
t sed "'3,\$d'" n
t sed "'\$!d'" n
t sed "'/1/d'" n
t sed "'/^\$/d'" f
t sed 3q n
t sed "'3q5'" n
t sed "'3Q'" n
t sed -n "'/2/{s/2/two/;p}'" n
t sed -n "'/2/{
s/2/two/
p
}'" n
t sed "'2,3!s/\$/x/'" n
t sed -n "'\$='" n
t sed = f
t sed "'y/abc/xyz/'" f
t sed "'1a after'" n
t sed "'1i\\
before\\
more'" n
t sed "'2,4c changed'" n
t sed "'2c changed'" n
t sed "'\$!N;s/\n/ /'" n
t sed "'N;P;D'" n
t sed "'n;d'" n
t sed G n
t sed -n "'1!G;h;\$p'" n
t sed "'x;1d'" n
t sed -n "'H;\${x;s/\n/,/g;p}'" n
t sed "':a;N;\$!ba;s/\n/+/g'" n
t sed -E "':a;s/^([0-9])(x*)\$/\1\2x/;/x{3}/!ta'" n
t sed -n "'/two/{n;p}'" f
t sed -e 1d -e 2d n
t sed -n -e "'/1/p'" -e "'/2/p'" n
t 'sed "s/a/b/" < f'
t 'cat f | sed -n "1p" - n'
t sed -n "'\$p'" f n
t sed -s -n "'\$p'" f n
t sed -n "'1p'" f none n
t sed -n "'/o/l'" f
t "printf 'a\tb\\\\c\001\n' | sed -n l"
t "sed 's/ *= */=/;/^#/d' conf"
t 'cp f g; sed -i s/one/ONE/ g; cat g'
t 'cp f g; sed -i.bak 1d g; cat g; cat g.bak | head -n 2'
t 'cp n g; sed -i 2q g; cat g'
t 'cp n g; cp n h; sed -i 1d g h; head -n 1 g h'
t 'printf "1d\n# no\ns/2/two/\n" > s; sed -f s n'
t 'sed "2r conf" n'
t 'sed -n "/2/w out" n; cat out'
t "printf 'a\nb' | sed p"
t "printf 'a\nb' | sed '\$a end'"
t "printf 'x' | sed s/x/y/"
t sed "'//s/b/X/;/foo/s//F/g'" f
t sed "'s/\(a*\)*b/X/'" f
t sed k n
t sed "'s/a/b'" n
t sed "'s/a/b/k'" n
t sed "'/a'" n
t sed "'s/\(a/b/'" n
t sed "'{p'" n
t sed "'p}'" n
t sed "'b nowhere'" n
t sed "'p x'" n
t sed "'y/ab/c/'" n
t sed "'2'" n
t sed "'s/a/b/0'" n
t sed -e p -e k n
t sed p .
t sed --quiet --expression=1p n
t sed -n --regexp-extended "'s/(1)/<\1>/p'" n
t 'sed --bogus 2>&1 | head -n 1'
cd /; rm -r "$tmp" "$tmp.out" "$tmp.err"; echo end
