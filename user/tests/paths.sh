# basename, dirname, rmdir, readlink, xargs, by their output, which is the same on Linux.
export LC_ALL=C
tmp=${TMPDIR:-/tmp}/paths.$$
mkdir "$tmp" && cd "$tmp" || exit 1
exec 2>/dev/null
for p in /usr/lib a a/ / a/b/c.txt /x //; do basename "$p"; dirname "$p"; done
basename a/b.c .c; basename .c .c; basename x.c x.c; basename; echo $?
mkdir d e e/f; rmdir d; echo $?; rmdir e none; echo $?; ls
ln -s some/where link; readlink link; readlink e; echo $?
printf 'a b\nc\td\n\n' | xargs; printf 'a b c' | xargs -n 2 echo x; printf '' | xargs echo none
echo 1 | xargs false; echo $?; echo 1 | xargs no_such_program; echo $?
cd /; rm -r "$tmp"; echo end
