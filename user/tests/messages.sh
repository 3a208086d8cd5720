# The error messages and the status of tools; GNU's have the same.
export LC_ALL=C
tmp=${TMPDIR:-/tmp}/messages.$$
mkdir "$tmp" && cd "$tmp" || exit 1
t() {
	printf '== %s\n' "$*"
	eval "$*" >"$tmp.out" 2>"$tmp.err" </dev/null
	printf 'status %d\n' $?
	cat "$tmp.out" "$tmp.err"
}
mkdir d d/e full; echo hi > f; touch full/x; ln -s f link; ln -s loop loop; ln -s none/x dangling

for tool in cat head tail wc sort uniq cut tee touch mkdir rmdir rm cp mv ln ls chmod chown chgrp seq sleep \
	basename dirname readlink id date tr printf env yes nproc mktemp timeout nice \
	realpath tac rev mkfifo tty sync test; do
	case $tool in env|yes|printf|tr|timeout|nice|test|sleep|rev) ;; *) t $tool --bogus ;; esac
	case $tool in printf|yes|test|nice|timeout|rev|date) ;; *) t "$tool -@" ;; esac
done
for tool in cat head tail wc sort uniq; do
	t $tool none
	# Versions of GNU's uniq differ in the message, but not in the status.
	if [ $tool = uniq ]; then t "uniq d 2>/dev/null"; else t $tool d; fi
	t "$tool none f"
	t $tool f/x
done
t cut -f 1 none
t cut
t cut -f
t tr
t tr a
t head -n x f
t head -c x f
t tail -n x f
t touch
t touch none/x
t mkdir
t mkdir d
t mkdir none/x
t mkdir f/x
t rmdir
t rmdir none
t rmdir full
t rmdir f
t rm
t rm none
t rm d
t rm -f none
t rm -f
t rm f/x
t cp
t cp f
t cp none x
t cp d x
t cp f none/x
t cp f f
t cp f link none
t cp f none d
t mv
t mv f
t mv none x
t mv f none/x
t mv f f
t mv f link none
t mv d d/e
t ln
t ln f f
t ln -s f f
t ln none x
t ln d x
t ln -s x none/y
t ls none
t ls none f
t ls f/x
t chmod
t chmod 644
t chmod 644 none
t chmod 9 f
t chmod u+q f
t chown
t chown 0
t chown 0 none
t chown nobody_here f
t chgrp no_such_group f
t seq
t seq x
t seq 1 2 3 4
t sleep
t sleep x
t sleep 1x
t basename
t basename a b c
t dirname
t readlink
t readlink f
t readlink none
t realpath none/x
t realpath
t id nobody_here
t env no_such_program
t env ./f
t date -d rubbish
t tee none/x
t tee d
t nproc x
t mktemp x
t mktemp /none/aXXX
t cmp f none
t timeout
t timeout 1
t timeout x true
t nice -n x true
t nice no_such_program
t timeout 5 no_such_program
t mkfifo f
t mkfifo
t ls loop/x
t cat loop
t cat dangling
t xargs --bogus
cd /; rm -r "$tmp" "$tmp.out" "$tmp.err"; echo end
