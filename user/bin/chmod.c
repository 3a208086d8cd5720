/*
 * chmod [-R] mode file...: changes who may do what with files. The mode is octal, or clauses such
 * as u+x,go-w,a=rX: for the owner (u), the group (g), others (o) or all (a), add, take away or set
 * rights. X means x for folders and for files that someone may execute already; s and t are the
 * set-id and sticky bits. -R: everything below a folder, too.
 */
#include "owner.h"

static const char *wanted;
static bool below;

static _Noreturn void bad_mode(void)
{
	static char *name[] = { "chmod", NULL };

	warnx("invalid mode: '%s'", wanted);
	bad_usage(name, 1);
}

/* Returns the bits that the letter @c stands for in all classes of @who. */
static mode_t bits_of(char c, mode_t who, mode_t mode)
{
	switch (c) {
	case 'r':
		return who & 0444;
	case 'w':
		return who & 0222;
	case 'X':
		return S_ISDIR(mode) || (mode & 0111) ? who & 0111 : 0;
	case 'x':
		return who & 0111;
	case 's':
		return (who & 0100 ? S_ISUID : 0) | (who & 0010 ? S_ISGID : 0);
	case 't':
		return S_ISVTX;
	default:
		bad_mode();
	}
}

/* Applies the clause at *@s to @mode, and moves *@s behind the clause. */
static mode_t apply(const char **s, mode_t mode)
{
	mode_t who = 0, bits = 0, mask = umask(0);
	char how;

	umask(mask);
	for (; **s && strchr("ugoa", **s); ++*s)
		who |= **s == 'u' ? 0700 : **s == 'g' ? 0070
				   : **s == 'o'       ? 0007
						      : 0777;
	mask = who ? 0 : mask; /* without a class: all, except what the umask denies */
	who = who ? who : 0777;
	how = *(*s)++;
	if (!how || !strchr("+-=", how))
		bad_mode();
	for (; **s && **s != ','; ++*s)
		bits |= bits_of(**s, who, mode) & ~mask;
	if (how == '-')
		return mode & ~bits;
	if (how == '=')
		mode &= ~(who & ~mask);
	return mode | bits;
}

static int change(const char *path)
{
	const char *s = wanted;
	struct stat st;
	char *end;
	mode_t mode = strtoul(wanted, &end, 8);

	if (*wanted && !*end)
		return chmod(path, mode);
	if (stat(path, &st))
		return -1;
	mode = st.st_mode;
	do
		mode = apply(&s, mode);
	while (*s++ == ',');
	return chmod(path, mode & 07777);
}

static const struct options options = { .letters = "+R", .names = "R:recursive", .bad = 1 };

int main(int argc, char **argv)
{
	int status = 0;

	if (argc > 1 && !strcmp(argv[1], "-R")) /* getopt() would take the mode -w for an option */
		below = optind++;
	changed = "permissions";
	if (argc > optind && argv[optind][0] == '-' && !strchr("rwxXst", argv[optind][1]))
		next_option(argc, argv, &options);
	need_two(argc, argv);
	wanted = argv[optind];
	while (argv[++optind])
		status |= for_tree(argv[optind], below, change);
	return status;
}
