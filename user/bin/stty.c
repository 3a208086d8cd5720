/*
 * stty [-a | size] [setting...]: prints or changes the settings of the terminal. A setting is sane,
 * raw, -raw, rows N, cols N, a flag (echo) or its opposite (-echo), or a key and a character (intr
 * ^C, erase ^?).
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const struct flag {
	const char *name;
	int group;			/* 0: input, 1: output, 2: local */
	tcflag_t bit;
} flags[] = {
	{ "brkint", 0, BRKINT }, { "icrnl", 0, ICRNL }, { "inlcr", 0, INLCR },
	{ "igncr", 0, IGNCR }, { "ixon", 0, IXON }, { "opost", 1, OPOST }, { "onlcr", 1, ONLCR },
	{ "isig", 2, ISIG }, { "icanon", 2, ICANON }, { "iexten", 2, IEXTEN }, { "echo", 2, ECHO },
	{ "echoe", 2, ECHOE }, { "echok", 2, ECHOK }, { "echonl", 2, ECHONL },
	{ "noflsh", 2, NOFLSH }, { "tostop", 2, TOSTOP },
};

static const struct key {
	const char *name;
	int index;
	cc_t usual;
} keys[] = {
	{ "intr", VINTR, 3 }, { "quit", VQUIT, 28 }, { "erase", VERASE, 127 },
	{ "kill", VKILL, 21 }, { "eof", VEOF, 4 }, { "susp", VSUSP, 26 },
};

#define COUNT(array)	(sizeof(array) / sizeof(*(array)))

static struct termios t;
static struct winsize size;

static tcflag_t *group(int i)
{
	return i == 0 ? &t.c_iflag : i == 1 ? &t.c_oflag : &t.c_lflag;
}

static void show(void)
{
	printf("rows %u; columns %u;\n", size.ws_row, size.ws_col);
	for (size_t i = 0; i < COUNT(keys); i++) {
		cc_t c = t.c_cc[keys[i].index];
		bool control = c < ' ' || c == 0x7f;

		printf("%s = %s%c; ", keys[i].name, control ? "^" : "", control ? c ^ 0x40 : c);
	}
	printf("min = %d; time = %d;", t.c_cc[VMIN], t.c_cc[VTIME]);
	for (size_t i = 0; i < COUNT(flags); i++)
		printf("%s%s%s", i == 0 || flags[i].group != flags[i - 1].group ? "\n" : " ",
		       *group(flags[i].group) & flags[i].bit ? "" : "-", flags[i].name);
	putchar('\n');
}

static void set_raw(bool raw)
{
	const tcflag_t in = BRKINT | ICRNL | IXON, local = ISIG | ICANON;

	t.c_iflag = raw ? t.c_iflag & ~(in | INLCR | IGNCR) : t.c_iflag | in;
	t.c_oflag = raw ? t.c_oflag & ~(tcflag_t)OPOST : t.c_oflag | OPOST;
	t.c_lflag = raw ? t.c_lflag & ~local : t.c_lflag | local;
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	if (!raw)
		t.c_cc[VEOF] = 4;
}

static void set_sane(void)
{
	set_raw(false);
	t.c_iflag &= ~(tcflag_t)(INLCR | IGNCR);
	t.c_oflag |= ONLCR;
	t.c_lflag |= IEXTEN | ECHO | ECHOE | ECHOK;
	t.c_lflag &= ~(tcflag_t)(ECHONL | NOFLSH | TOSTOP);
	for (size_t i = 0; i < COUNT(keys); i++)
		t.c_cc[keys[i].index] = keys[i].usual;
}

/* Sets a flag or, with '-' before it, clears it. Returns false if there is no such flag. */
static bool set_flag(const char *name)
{
	bool off = *name == '-';

	for (size_t i = 0; i < COUNT(flags); i++) {
		tcflag_t *to = group(flags[i].group);

		if (strcmp(name + off, flags[i].name))
			continue;
		*to = off ? *to & ~flags[i].bit : *to | flags[i].bit;
		return true;
	}
	return false;
}

/* Makes a setting that takes a value. */
static bool set_value(const char *name, const char *value)
{
	if (!strcmp(name, "rows"))
		size.ws_row = atoi(value);
	else if (!strcmp(name, "cols") || !strcmp(name, "columns"))
		size.ws_col = atoi(value);
	else if (!strcmp(name, "min") || !strcmp(name, "time"))
		t.c_cc[*name == 'm' ? VMIN : VTIME] = atoi(value);
	else
		for (size_t i = 0; ; i++) {
			if (i == COUNT(keys))
				return false;
			if (strcmp(name, keys[i].name))
				continue;
			t.c_cc[keys[i].index] = value[0] != '^' || !value[1] ? value[0]
					      : value[1] == '?' ? 0x7f : value[1] & 0x1f;
			break;
		}
	return true;
}

int main(int argc, char **argv)
{
	if (tcgetattr(0, &t))
		err(1, "standard input");
	ioctl(0, TIOCGWINSZ, &size);
	if (argc == 1 || !strcmp(argv[1], "-a")) {
		show();
		return 0;
	}
	if (!strcmp(argv[1], "size")) {
		printf("%u %u\n", size.ws_row, size.ws_col);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];

		if (!strcmp(word, "sane"))
			set_sane();
		else if (!strcmp(word, "raw") || !strcmp(word, "-cooked"))
			set_raw(true);
		else if (!strcmp(word, "cooked") || !strcmp(word, "-raw"))
			set_raw(false);
		else if (set_flag(word))
			continue;
		else if (i + 1 == argc || !set_value(word, argv[++i]))
			errx(1, "invalid argument '%s'", word);
	}
	if (ioctl(0, TIOCSWINSZ, &size) || tcsetattr(0, TCSADRAIN, &t))
		err(1, "standard input");
	return 0;
}
