/* The interface between token.c, which reads tokens, and parse.c, which knows what they mean. */
#pragma once

#include "sh.h"

enum token_kind { TOKEN_WORD, TOKEN_OPERATOR, TOKEN_NEWLINE, TOKEN_END };

struct token {
	enum token_kind kind;
	char *text;			/* of a word or an operator */
	int io_number;			/* the number before < or >, or -1 */
};

extern struct token token;		/* the one being looked at */
extern bool parse_failed;		/* after an error: the parser returns without reading on */

void tokens_begin(void);
void next_token(void);
void here_document_follows(struct redir *r);

bool at_operator(const char *op);
bool at_word(const char *word);
void expect_word(const char *word);
void skip_newlines(void);
void unexpected(void);			/* complains that the token should not be here */
