# expr, and its messages; GNU's prints the same.
export LC_ALL=C
t() {
	printf '%s -> ' "$*"
	expr "$@" 2>&1
	printf 'status %d\n' $?
}
t 1 + 2; t 2 + 3 \* 4; t \( 2 + 3 \) \* 4; t 7 / 2; t -7 / 2; t -7 % 3; t 5 - 5; t 3 - 10; t 1 / 0
t 1 % 0
t x + 1; t "" + 1; t 1 +; t + ; t ; t 1 2; t \( 1; t \( 1 2
t a = a; t a = b; t a != b; t 2 \< 10; t a \< b; t 10 \<= 9; t 3 \>= 3; t abc \> abd; t 1 = 01
t a == a
t 0 \| 7; t "" \| ""; t 5 \| 7; t 5 \& 7; t 5 \& 0; t "" \& 3; t 1 \| 2 \& 0; t 1 = 1 \& 2 = 2
t abc : 'a.c'; t abc : 'b'; t abc : '\(b\)'; t abcdef : 'ab\(.*\)f'; t abc : '\(x\)'; t aaa : 'a*'
t "a b" : '.* '
t length hello; t length ""; t substr hello 2 3; t substr hello 0 3; t substr hello 4 9
t index hello ol; t index hello x
t match abc 'a\(.\)'; t + length; t a : '\('; t x = x = 1; t 1 + 2 + 3 - 4; t 8 / 2 / 2
t length = length; t \) ; t 0; t ""; t 00; t -0
t /usr/lib : '.*/\(.*\)'; t 5 : '[0-9]*$'; t -- 3 + 4
i=0; while expr $i \< 5 >/dev/null; do i=$(expr $i + 1); done; echo $i
