/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ovly.conf to lines of words.  Pure.
 *
 * A word ends at a blank; "..." keeps blanks, with \" and \\ inside.  A word
 * that starts with # starts a comment.  A line that starts with ! has one word,
 * "!", whatever follows.
 */
#ifndef OVLY_CONF_LEX_H
#define OVLY_CONF_LEX_H

#include <stddef.h>

#include "conf_diag.h"

#define CONF_SIZE_MAX (4u << 20)
#define CONF_LINE_MAX 1024
#define CONF_WORDS_MAX 32

struct conf_word {
	struct conf_pos at;
	const char *text;
};

struct conf_line {
	unsigned int n; /* never 0 */
	struct conf_word word[CONF_WORDS_MAX];
	struct conf_pos end; /* where the next word would be */
	char buf[CONF_LINE_MAX + 1];
};

struct conf_lexer {
	const char *pos, *end;
	unsigned int line;
	struct conf_diags *diags;
};

void conf_lex_init(struct conf_lexer *lexer, const char *text, size_t len,
		   struct conf_diags *diags);
/* The next line that has words; one that cannot be read is reported and left
 * out.  false at the end.
 */
bool conf_lex_next(struct conf_lexer *lexer, struct conf_line *line);

#endif /* OVLY_CONF_LEX_H */
