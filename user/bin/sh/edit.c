/*
 * The line editor: what each key does to the line, and how the line is drawn.
 *
 * The terminal may be a serial line, which cannot tell how wide the screen is. So nothing depends
 * on where lines wrap: of a line too long for @columns, the part around the cursor is shown. A
 * character typed at the end is simply written; after anything else the line is drawn anew.
 *
 * A character may be several bytes (UTF-8): the cursor is never between them.
 */
#include "edit.h"

#include <stdio.h>
#include <string.h>

#define CTRL(c)	((c) & 0x1f)
#define ESCAPE	0x1b
#define DEL	0x7f

static bool is_control(char c)
{
	return (unsigned char)c < ' ' || c == DEL;
}

static bool inside_character(char c)
{
	return (c & 0xc0) == 0x80;
}

/* Returns how many columns @n bytes take. A control character is shown as ^C. */
static size_t columns_of(const char *s, size_t n)
{
	size_t columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += inside_character(s[i]) ? 0 : is_control(s[i]) ? 2 : 1;
	return columns;
}

static void put(struct edit *e, const char *s)
{
	e->write(s, strlen(s));
}

static void put_shown(struct edit *e, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char control[2] = { '^', s[i] ^ 0x40 };

		if (is_control(s[i]))
			e->write(control, 2);
		else
			e->write(&s[i], 1);
	}
}

static size_t prompt_width(const struct edit *e)
{
	size_t len = strlen(e->prompt), width = 0;

	for (size_t i = 0; i < len; i++) {
		if (e->prompt[i] == ESCAPE)	/* a colour: skip it, up to its letter */
			i += strcspn(e->prompt + i, "mK");
		else
			width += columns_of(e->prompt + i, 1);
	}
	return width;
}

/* Returns how many columns there are for the line. */
static size_t room(const struct edit *e)
{
	size_t width = prompt_width(e);

	return e->columns > width + 20 ? e->columns - width - 1 : 20;
}

static void redraw(struct edit *e)
{
	size_t first = 0, end = e->len, most = room(e), columns, behind;
	char back[32];

	for (columns = columns_of(e->text, e->at); columns > most; first++)
		columns -= columns_of(e->text + first, 1);
	while (inside_character(e->text[first]) && first < e->at)
		first++;
	for (columns = columns_of(e->text + first, end - first); columns > most; end--)
		columns -= columns_of(e->text + end - 1, 1);
	put(e, "\r");
	if (e->searching) {
		put(e, "(search) ");
		e->write(e->query, e->query_len);
		put(e, ": ");
	} else {
		put(e, e->prompt);
	}
	put_shown(e, e->text + first, end - first);
	put(e, "\033[K");
	behind = end > e->at ? columns_of(e->text + e->at, end - e->at) : 0;
	if (behind) {
		snprintf(back, sizeof(back), "\033[%zuD", behind);
		put(e, back);
	}
}

void edit_begin(struct edit *e, const char *prompt)
{
	e->prompt = prompt;
	e->len = e->at = e->newest_len = e->sequence_len = 0;
	e->searching = e->quoting = false;
	e->place = history_count();
	put(e, prompt);
}

/* --- Changing the line ------------------------------------------------------------------------ */

static void insert(struct edit *e, const char *s, size_t n)
{
	if (e->len + n > EDIT_MAX)
		return;
	memmove(e->text + e->at + n, e->text + e->at, e->len - e->at);
	memcpy(e->text + e->at, s, n);
	e->len += n;
	e->at += n;
}

static void type(struct edit *e, char c)
{
	bool simple = e->at == e->len && c >= ' ' && c < DEL && e->len < EDIT_MAX;

	insert(e, &c, 1);
	if (simple && columns_of(e->text, e->len) <= room(e))
		e->write(&c, 1);
	else
		redraw(e);
}

static size_t left_of(const struct edit *e, size_t at)
{
	while (at > 0 && inside_character(e->text[--at]))
		;
	return at;
}

static size_t right_of(const struct edit *e, size_t at)
{
	while (at < e->len && ++at < e->len && inside_character(e->text[at]))
		;
	return at;
}

static size_t word_left(const struct edit *e)
{
	size_t at = e->at;

	while (at > 0 && e->text[at - 1] == ' ')
		at--;
	while (at > 0 && e->text[at - 1] != ' ')
		at--;
	return at;
}

static size_t word_right(const struct edit *e)
{
	size_t at = e->at;

	while (at < e->len && e->text[at] == ' ')
		at++;
	while (at < e->len && e->text[at] != ' ')
		at++;
	return at;
}

/* Removes [from, to), and puts the cursor there. */
static void cut(struct edit *e, size_t from, size_t to)
{
	memmove(e->text + from, e->text + to, e->len - to);
	e->len -= to - from;
	e->at = from;
}

static void cut_and_keep(struct edit *e, size_t from, size_t to)
{
	e->killed_len = to - from;
	memcpy(e->killed, e->text + from, to - from);
	cut(e, from, to);
}

/* --- Older lines ------------------------------------------------------------------------------ */

static void show_place(struct edit *e, size_t place)
{
	const char *line = e->newest;
	size_t len = e->newest_len;

	if (e->place == history_count()) {
		memcpy(e->newest, e->text, e->len);
		len = e->newest_len = e->len;
	}
	if (place < history_count()) {
		line = history_line(place);
		len = strlen(line);
	}
	e->place = place;
	e->len = e->at = len < EDIT_MAX ? len : EDIT_MAX;
	memcpy(e->text, line, e->len);
}

/*
 * Shows the newest line before @end that holds the text searched for; if there is none, changes
 * nothing.
 */
static void search(struct edit *e, size_t end)
{
	size_t found = history_find(e->query, e->query_len, end);

	if (found < history_count())
		show_place(e, found);
}

/*
 * Handles a key during a search. Returns false if it ends the search and then has its usual
 * meaning.
 */
static bool search_key(struct edit *e, char c)
{
	if (c == CTRL('R')) {
		search(e, e->place);
	} else if ((c == DEL || c == CTRL('H')) && e->query_len) {
		e->query_len--;
		search(e, history_count());
	} else if (!is_control(c) && e->query_len < sizeof(e->query)) {
		e->query[e->query_len++] = c;
		search(e, e->place < history_count() ? e->place + 1 : e->place);
	} else if (c == CTRL('G')) {
		e->searching = false;
		show_place(e, history_count());
	} else {
		e->searching = false;
		return false;
	}
	return true;
}

/* --- Completion ------------------------------------------------------------------------------- */

/*
 * Returns how many bytes at the start all words share, but never separates a backslash from the
 * character it protects.
 */
static size_t common_length(const struct fields *words)
{
	size_t len = strlen(words->v[0]), same;

	for (size_t i = 1; i < words->n; i++) {
		for (same = 0; same < len && words->v[0][same] == words->v[i][same]; same++)
			;
		len = same;
	}
	while (len && words->n > 1 && words->v[0][len - 1] == '\\')
		len--;
	return len;
}

/* Returns the last part of a path. */
static const char *last_part(const char *word)
{
	for (const char *p = word; *p; p++)
		if (*p == '/' && p[1])
			word = p + 1;
	return word;
}

static void list_words(struct edit *e, const struct fields *words)
{
	size_t width = 0, per_row;

	for (size_t i = 0; i < words->n; i++) {
		size_t len = columns_of(last_part(words->v[i]), strlen(last_part(words->v[i])));

		width = len + 2 > width ? len + 2 : width;
	}
	per_row = e->columns / width ? e->columns / width : 1;
	for (size_t i = 0; i < words->n; i++) {
		const char *word = last_part(words->v[i]);

		put(e, i % per_row ? "" : "\n");
		put(e, word);
		for (size_t n = strlen(word); n < width && (i + 1) % per_row; n++)
			put(e, " ");
	}
	put(e, "\n");
}

static void complete(struct edit *e)
{
	struct fields words = { 0 };
	size_t mark = arena_mark(), start = e->complete(e->text, e->at, &words), common;

	if (words.n) {
		common = common_length(&words);
		if (common <= e->at - start && words.n > 1)
			list_words(e, &words);
		else
			cut(e, start, e->at);
		if (start == e->at)
			insert(e, words.v[0], common);
		if (words.n == 1 && words.v[0][common - 1] != '/')
			insert(e, " ", 1);
	}
	arena_release(mark);
}

/* --- Keys ------------------------------------------------------------------------------------- */

enum key {				/* keys of more than one byte, and names for others */
	KEY_LEFT = CTRL('B'), KEY_RIGHT = CTRL('F'), KEY_UP = CTRL('P'), KEY_DOWN = CTRL('N'),
	KEY_HOME = CTRL('A'), KEY_END = CTRL('E'), KEY_DELETE = 256, KEY_WORD_LEFT, KEY_WORD_RIGHT,
	KEY_NONE, KEY_MORE,
};

/* Adds @c to the escape sequence. Returns the key once the sequence is complete. */
static int sequence_key(struct edit *e, char c)
{
	static const struct { const char *sequence; int key; } keys[] = {
		{ "[A", KEY_UP }, { "[B", KEY_DOWN }, { "[C", KEY_RIGHT }, { "[D", KEY_LEFT },
		{ "OA", KEY_UP }, { "OB", KEY_DOWN }, { "OC", KEY_RIGHT }, { "OD", KEY_LEFT },
		{ "[H", KEY_HOME }, { "OH", KEY_HOME }, { "[1~", KEY_HOME }, { "[7~", KEY_HOME },
		{ "[F", KEY_END }, { "OF", KEY_END }, { "[4~", KEY_END }, { "[8~", KEY_END },
		{ "[3~", KEY_DELETE }, { "b", KEY_WORD_LEFT }, { "f", KEY_WORD_RIGHT },
		{ "[1;5D", KEY_WORD_LEFT }, { "[1;5C", KEY_WORD_RIGHT },
	};

	if (e->sequence_len < sizeof(e->sequence) - 1)
		e->sequence[e->sequence_len++] = c;
	if (e->sequence_len == 2 ? c == '[' || c == 'O' : c < '@')
		return KEY_MORE;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strlen(keys[i].sequence) == e->sequence_len - 1 &&
		    !memcmp(keys[i].sequence, e->sequence + 1, e->sequence_len - 1))
			return keys[i].key;
	return KEY_NONE;
}

static void change(struct edit *e, int key)
{
	switch (key) {
	case KEY_LEFT:		e->at = left_of(e, e->at); break;
	case KEY_RIGHT:		e->at = right_of(e, e->at); break;
	case KEY_HOME:		e->at = 0; break;
	case KEY_END:		e->at = e->len; break;
	case KEY_WORD_LEFT:	e->at = word_left(e); break;
	case KEY_WORD_RIGHT:	e->at = word_right(e); break;
	case CTRL('D'):
	case KEY_DELETE:	cut(e, e->at, right_of(e, e->at)); break;
	case CTRL('H'):
	case DEL:		cut(e, left_of(e, e->at), e->at); break;
	case CTRL('K'):		cut_and_keep(e, e->at, e->len); break;
	case CTRL('U'):		cut_and_keep(e, 0, e->at); break;
	case CTRL('W'):		cut_and_keep(e, word_left(e), e->at); break;
	case CTRL('Y'):		insert(e, e->killed, e->killed_len); break;
	case CTRL('L'):		put(e, "\033[H\033[J"); break;
	case '\t':		complete(e); break;
	case KEY_UP:
		if (e->place > 0)
			show_place(e, e->place - 1);
		break;
	case KEY_DOWN:
		if (e->place < history_count())
			show_place(e, e->place + 1);
		break;
	case CTRL('R'):
		e->searching = true;
		e->query_len = 0;
		break;
	default:		/* a key without meaning */
		return;
	}
	redraw(e);
}

/* Ends editing, and leaves the line as it is on the screen. */
static enum edit_result leave(struct edit *e, const char *mark, enum edit_result how)
{
	if (e->at < e->len) {
		e->at = e->len;
		redraw(e);
	}
	e->text[e->len] = 0;
	put(e, mark);
	return how;
}

enum edit_result edit_key(struct edit *e, char c)
{
	int key = (unsigned char)c;

	if (e->quoting) {
		e->quoting = false;
		type(e, c);
		return EDIT_GOES_ON;
	}
	if (e->searching) {
		if (search_key(e, c)) {
			redraw(e);
			return EDIT_GOES_ON;
		}
		redraw(e);
	}
	if (e->sequence_len || c == ESCAPE) {
		key = sequence_key(e, c);
		if (key == KEY_MORE)
			return EDIT_GOES_ON;
		e->sequence_len = 0;
	} else if (!is_control(c)) {
		type(e, c);
		return EDIT_GOES_ON;
	}
	if (key == '\n' || key == '\r')
		return leave(e, "\n", EDIT_DONE);
	if (key == CTRL('C'))
		return leave(e, "^C\n", EDIT_CANCELLED);
	if (key == CTRL('D') && e->len == 0)
		return leave(e, "\n", EDIT_END);
	e->quoting = key == CTRL('V');
	change(e, key);
	return EDIT_GOES_ON;
}
