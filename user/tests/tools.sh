# The output of the tools, as far as POSIX defines it.
export LC_ALL=C
tmp=${TMPDIR:-/tmp}/tools.$$
mkdir "$tmp" && cd "$tmp" || exit 1
exec 2>/dev/null
list() { ls "$@" | cat; }		# one a line, also on a terminal

echo "--- echo, cat, tee"
echo -n no newline; echo
echo a b | cat; echo x > 1; echo y > 2; cat 1 - 2 < 1; cat none 2>/dev/null; echo $?
echo both | tee t1 t2; cat t1 t2; echo more | tee -a t1 >/dev/null; cat t1
env echo via exec

echo "--- seq, head, tail, wc"
seq 3; seq 2 4; seq 10 -5 0; seq 5 4
seq 20 | head; seq 20 | head -n 2; seq 20 | tail -n 3; seq 5 | tail -n +4; seq 3 | tail
seq 100 | wc -l; echo one two three | wc -w; printf_free=abc; echo $printf_free | wc -c
seq 10 > ten; wc -l ten

echo "--- sort, uniq, tr"
{ echo pear; echo apple; echo fig; echo apple; } > fruit
sort fruit; sort -r fruit; sort -u fruit; sort fruit | uniq; sort fruit | uniq -c; sort fruit | uniq -d
seq 8 12 | sort; seq 8 12 | sort -n; seq 8 12 | sort -rn
echo Hello | tr a-z A-Z; echo Hello | tr -d l; echo a:b:c | tr : '\n'; echo abc | tr abc x

echo "--- grep"
{ echo one; echo two; echo three; echo 'a.b'; echo 'axb'; echo ONE; } > lines
grep o lines; grep -v o lines; grep -n e lines; grep -c e lines; grep -i one lines
grep '^t' lines; grep 'e$' lines; grep 'a\.b' lines; grep 'a.b' lines; grep 'th*r' lines
grep '[xw]' lines; grep '^[^t]*$' lines; grep 'e*$' lines | wc -l; grep -q two lines; echo $?
grep zzz lines; echo $?; grep one lines fruit; grep '^.*e.*$' lines

echo "--- files"
mkdir -p d/e/f; mkdir -p d/e/f; list d/e; mkdir d 2>/dev/null; echo $?
touch d/new; list d; list -a d/e
cp lines d/copy; cat d/copy | wc -l; cp lines fruit d; list d; cp -r d d2; list d2 d2/e
mv d2 d3; list d3; mv ten fruit d3; list d3
ln ten2 none 2>/dev/null; echo $?; ln lines hard; cat hard | wc -l; ln -s lines soft; cat soft | wc -l
ls -l soft | grep -c '^l.* soft -> lines$'; ls -l d3/ten | grep -c '^-rw'
rm hard soft; list; rm none 2>/dev/null; echo $?; rm -f none; echo $?; rm d 2>/dev/null; echo $?
rm -r d d3; list
cd /tmp && pwd; cd "$tmp" || exit 1

echo "--- the rest"
true; echo $?; false; echo $?
sleep 0.01; echo $?; sleep -1 2>/dev/null || echo refused
yes | head -n 3; yes no | head -n 1
env -i A=1 B=2 env | sort; env X=y sh -c 'echo $X'
date +%Y | wc -c
time sh -c 'exit 3' 2>/dev/null; echo $?
sh -c 'kill -KILL $$' 2>/dev/null; echo $?; kill -0 $$; echo $?; kill 999999 2>/dev/null; echo $?
cd /; rm -r "$tmp"; echo end
