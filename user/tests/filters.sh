# Filters, ls and find with the options people type, by their output; GNU's print the same.
export LC_ALL=C
tmp=${TMPDIR:-/tmp}/filters.$$
mkdir "$tmp" && cd "$tmp" || exit 1
exec 2>/dev/null
t() {
	printf '== %s\n' "$*"
	eval "$*" >"$tmp.out"	# no terminal, or ls would make columns
	printf 'status %d\n' $?
	cat "$tmp.out"
}

mkdir d d/e; seq 30 > n; seq 2000 > big; head -c 100 /dev/zero > z; head -c 1300000 /dev/zero > m
printf 'a\tb\tc\nx:y:z\nnone\n\n\n\nlast' > f; printf 'q\001\200z' > ctl
echo hi > d/e/one; touch d/empty d/.hid; ln -s f link

t head -3 n
t head -n 2 n f
t head -c 5 n
t head -q -n1 n f
t head none
t head -n x n
t head -0 n
t tail -3 n
t tail -n +28 n
t tail -c 4 n
t tail -c +70 n
t tail -n 2 f
t tail -n 1 f n
t 'seq 5 | tail -2'
t tail -n 100 n
t tail -n 0 n
t 'printf "a\nb" | tail -n 1'
t 'printf "\n\n" | tail -n 1'
t 'tail -c 3 f'
t cat -n f
t cat -b f
t cat -s f
t cat -A ctl f
t cat -e f
t cat none
t cat d
t cut -c 1-2,4 f
t cut -f 2 f
t cut -f 2 -s f
t cut -d : -f 1,3 f
t cut -d : -f 2- f
t cut -c -3 n
t cut -b 2 n
t 'echo Hello World | tr a-z A-Z'
t 'echo aabbcc | tr -s a-z'
t 'echo abc123 | tr -cd 0-9'
t 'echo "a  b" | tr -s " "'
t 'echo Abc | tr "[:upper:]" "[:lower:]"'
t 'echo a-b | tr - _'
t 'echo abc | tr -d b'
t 'printf "a\nb" | tr "\n" " "'
t 'echo aab | tr -s a x'
t 'echo abc | tr a-c "\101-\103"'
t seq 3
t seq -w 8 11
t seq -s , 3
t seq 5 -2 1
t seq 3 1
t seq -3 -1
t seq -w -2 2
t date -u -d @0
t date -u -d @86399 +%F_%T
t 'date -u -d "2024-02-29 12:34:56" +%s'
t 'date -u -d 2024-03-01 "+%a %j"'
t hexdump -C f
t hexdump f
t hexdump -C z
t hexdump -C -n 5 f
t hexdump -s 3 -n 4 -C f
t hexdump -v z
t 'printf abc | hexdump'
t 'hexdump /dev/null'
t 'ls | cat'
t ls -1
t 'ls -a d'
t 'ls -A d'
t 'ls -d d f'
t ls -R
t 'ls -S f n m z'
t 'ls -r'
t ls none
t 'ls -F'
t 'ls d f'
t 'ls n d none'
t 'ls -R d d/e'
t 'ls d -a'
t 'find . | sort'
t 'find d -name "*e*" | sort'
t 'find . -type f -size +1 | sort'
t 'find . -maxdepth 1 -type d'
t 'find d -name one -exec cat {} \;'
t 'find . -type l'
t 'find . -empty | sort'
t 'find . -name n -o -name f | sort'
t 'find . ! -type d -a -size -1 | sort'
t 'find . \( -name d -prune \) -o -print | sort'
t 'find d -mindepth 2'
t 'find none'
t 'find . -size +1000k'
t 'find . -size 3c'
t 'find d -name empty -delete; ls d'
t 'find . -iname N'
t 'find . -bogus x'
cd /; rm -r "$tmp" "$tmp.out"; echo end
