# sort, uniq, wc and other filters with more options that people type; GNU's print the same.
export LC_ALL=C
tmp=${TMPDIR:-/tmp}/sort.$$
mkdir "$tmp" && cd "$tmp" || exit 1
t() {
	printf '== %s\n' "$*"
	eval "$*" >"$tmp.out" 2>"$tmp.err" </dev/null
	printf 'status %d\n' $?
	cat "$tmp.out" "$tmp.err"
}
# Versions of GNU's cmp differ in whether they quote the name of a file.
unquoted() {
	"$@" 2>"$tmp.quoted"
	set -- $?
	tr -d \' <"$tmp.quoted" >&2
	return $1
}
printf 'b 10 x\na 9 y\nB 2 z\n  c 3 x\na 10 a\n' > w
printf 'x:3:1K\ny:1:2M\nz:2:900\nx:3:1K\n' > f
printf '10\n9\n-5\n2.5\nabc\n\n 7\n0\n' > n
printf 'a-1.10\na-1.9\na-1.2b\n' > v
t sort w
t sort -f w
t sort -b w
t sort -k 2 w
t sort -k 2n w
t sort -k2,2n -k3 w
t sort -k 3,3 -s w
t sort -k 3,3r w
t sort -k 2,2 -n -r w
t sort -t : -k 2,2n f
t sort -t: -k1,1 -u f
t sort -t: -k3h f
t sort -u f
t sort -n n
t sort -nr n
t sort -nu n
t sort -V v
t sort -c w
t sort -c v
t sort -k 1.2 w
t sort -o w2 w
t cat w2
t sort w f
t 'sort --reverse --key=1,1 w'
t sort -rs -k3,3 w
printf 'a\na\nb\nA\nc\nc\nc\n' > u
t uniq u
t uniq -c u
t uniq -d u
t uniq -u u
t uniq -i u
t uniq -ci u
printf '1 x\n2 x\n3 y\n' > k
t uniq -f 1 k
t uniq -s 2 k
t uniq -w 1 u
t uniq -c k out
t cat out
t wc w
t wc w f n
t wc -l w
t wc -lw w f
t wc -c w
t wc -m w
t wc -L w
t 'cat w | wc'
t 'cat w | wc -l'
t 'cat w | wc -lc - f'
t tac w
t tac w f
t 'printf "a\nb" | tac'
t rev w
t 'printf "abc" | rev'
t basename -a /x/y z/w.c
t basename -s .c a.c d/b.c
t cmp w w
t cmp w f
t cmp -s w f
t unquoted cmp -l k u
t 'head -c 3 w > s; unquoted cmp w s'
t 'head -n 2 w > s; unquoted cmp w s'
t 'unquoted cmp /dev/null w'
mkdir -p d/e; ln -s e d/l; ln -s ../w d/e/up; ln -s d/e dir
t 'readlink -f d/l/up dir/../x | sed "s,^$tmp,,"'
t readlink -n dir
t readlink -e dir/none
t 'cd d; realpath l/up ../w . .. e/none | sed "s,^$tmp,,"; cd ..'
t realpath dir/none/x
t realpath /
t mktemp -u abc.XX
t 'f=$(mktemp); [ -f "$f" ] && echo made; rm "$f"'
t 'd=$(mktemp -d); [ -d "$d" ] && echo made; rmdir "$d"'
t 'f=$(mktemp ./x.XXXXXX); expr "$f" : "./x\.......$"; rm "$f"'
t 'mktemp -q none/xXXX'
t timeout 5 true
t timeout 5 false
t timeout 5 sh -c '"exit 3"'
t timeout 0.1 sleep 10
t timeout -s KILL 0.1 sleep 10
t 'timeout --preserve-status 0.1 sleep 10'
t nice
t nice -n 5 nice
t nice -3 nice
t nice -n 3 nice -n 4 nice
t nice nice
t nice -n 5
t 'nice -n 5 sh -c "nice"'
t 'mkfifo p; [ -p p ] && echo fifo'
t 'mkfifo -m 600 q; ls -l q | cut -c 1-10'
t mkdir -v new
t mkdir -m 700 priv
t 'ls -ld priv | cut -c 1-10'
t mkdir -pv p1/p2
t rm -v w2
t rm -d new
t rm -rv p1
t rmdir -p d/none
t 'mkdir -p r/s; rmdir -p r/s; ls -d r'
t cp -v w w3
t cp -r d d2
t 'ls d2 d2/e'
t 'cp -n k w3 2>/dev/null' # some versions of GNU's warn
t 'cmp w w3'
t 'touch -r w w4; [ w4 -nt w ] || [ w4 -ot w ] || echo same time'
t 'touch -c nothere; ls nothere'
t mv -v w3 w5
t 'mv -n k w5 2>/dev/null || :' # versions of GNU's differ
t ls k w5
t 'mkdir to; cp -t to k u; ls to'
t 'mv -t to k u; ls to'
t ln -v w w6
t ln -sv w w7
t ln -s w w7
t ln -sf f w7
t readlink w7
t 'ln -s d/e sub; ln -sfn d sub; readlink sub'
t sleep 0.01s 0m
t 'echo x | tee t1 t2; cat t1 t2'
t 'echo y | tee -a t1; cat t1'
t 'env -u HOME env | grep -c ^HOME='
t 'env -i A=1 env'
t id -un
t groups root
t 'seq 5 | head -v -n 1'
t 'head -qn 1 w f; tail -v -n 1 w'
cd /; rm -r "$tmp" "$tmp.out" "$tmp.err"; echo end
