/*
 * groups [user...]: prints the names of the groups that each user is in; without a user, your own.
 */
#include <err.h>
#include <grp.h>
#include <pwd.h>

#include "options.h"

#define GROUPS 256

static void show(const gid_t *groups, int n)
{
	for (int i = 0; i < n; i++) {
		struct group *gr = getgrgid(groups[i]);

		if (gr)
			printf("%s%s", i ? " " : "", gr->gr_name);
		else
			printf("%s%u", i ? " " : "", groups[i]);
	}
	putchar('\n');
}

/* Shows the effective group first, because it may not be among the others. */
static void show_own(void)
{
	gid_t groups[GROUPS + 1] = { getegid() }, others[GROUPS];
	int n = getgroups(GROUPS, others), all = 1;

	for (int i = 0; i < n; i++)
		if (others[i] != groups[0])
			groups[all++] = others[i];
	show(groups, all);
}

static const struct options options = { .letters = "", .bad = 1 };

int main(int argc, char **argv)
{
	int status = 0;

	next_option(argc, argv, &options);
	if (optind == argc)
		show_own();
	for (; optind < argc; optind++) {
		struct passwd *pw = getpwnam(argv[optind]);
		gid_t groups[GROUPS];
		int n = GROUPS;

		if (!pw) {
			fprintf(stderr, "groups: '%s': no such user\n", argv[optind]);
			status = 1;
			continue;
		}
		getgrouplist(pw->pw_name, pw->pw_gid, groups, &n);
		printf("%s : ", pw->pw_name);
		show(groups, n);
	}
	return status;
}
