/* id [-u|-g|-G] [-n] [user]: prints ids: user, group and groups. -n: names instead of numbers. */
#include <err.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "options.h"

#define GROUPS 256

struct who {
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS];
	int n;
};

static struct who of_caller(void)
{
	struct who w = { .uid = geteuid(), .gid = getegid() };

	w.n = getgroups(GROUPS, w.groups);
	if (w.n < 0)
		err(1, "getgroups");
	return w;
}

static struct who of_user(const char *name)
{
	struct passwd *pw = getpwnam(name);
	struct who w = { .n = GROUPS };

	if (!pw)
		errx(1, "'%s': no such user", name);
	w.uid = pw->pw_uid;
	w.gid = pw->pw_gid;
	getgrouplist(name, w.gid, w.groups, &w.n);
	return w;
}

static const char *group_name(gid_t gid)
{
	struct group *gr = getgrgid(gid);

	return gr ? gr->gr_name : NULL;
}

static const char *user_name(uid_t uid)
{
	struct passwd *pw = getpwuid(uid);

	return pw ? pw->pw_name : NULL;
}

/* Shows "0(root)" or, if @what asks for one kind of id, only the number or the name. */
static void show(unsigned id, const char *name, char what, bool names)
{
	if (what && names && name)
		fputs(name, stdout);
	else
		printf("%u", id);
	if (!what && name)
		printf("(%s)", name);
}

static void show_groups(const struct who *w, char what, bool names)
{
	show(w->gid, group_name(w->gid), what, names);
	for (int i = 0; i < w->n; i++)
		if (w->groups[i] != w->gid) {
			putchar(what ? ' ' : ',');
			show(w->groups[i], group_name(w->groups[i]), what, names);
		}
}

static const struct options options = {
	.letters = "ugGnr",
	.names = "u:user g:group G:groups n:name r:real",
	.bad = 1,
};

int main(int argc, char **argv)
{
	bool names = false;
	char what = 0;
	struct who w;
	int c;

	while ((c = next_option(argc, argv, &options)) != -1) {
		if (c == 'n')
			names = true;
		else if (c != 'r')
			what = c;
	}
	w = argv[optind] ? of_user(argv[optind]) : of_caller();
	if (!what)
		printf("uid=");
	if (!what || what == 'u')
		show(w.uid, user_name(w.uid), what, names);
	if (!what)
		printf(" gid=");
	if (!what || what == 'g')
		show(w.gid, group_name(w.gid), what, names);
	if (!what)
		printf(" groups=");
	if (!what || what == 'G')
		show_groups(&w, what, names);
	putchar('\n');
	return 0;
}
