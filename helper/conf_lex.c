// SPDX-License-Identifier: GPL-2.0-only
#include "conf_lex.h"

#include <string.h>

void conf_lex_init(struct conf_lexer *lexer, const char *text, size_t len,
		   struct conf_diags *diags)
{
	lexer->pos = text;
	lexer->end = text + len;
	lexer->line = 0;
	lexer->diags = diags;
	if (len > CONF_SIZE_MAX) {
		conf_error(diags, (struct conf_pos){ 0 },
			   "the file is larger than %u bytes", CONF_SIZE_MAX);
		lexer->end = text;
	}
	/* editors of another system put it there */
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		lexer->pos += 3;
}

/* A program, a picture, UTF-16: one word about it is enough. */
static bool no_text(struct conf_lexer *lexer, struct conf_pos at)
{
	lexer->pos = lexer->end;
	return conf_error(lexer->diags, at,
			  "there is a NUL byte, this is no text file in ASCII or UTF-8");
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What neither belongs into the file nor into a message about it. */
static bool is_bad(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* A quoted word; *p stands on the opening quote, and is left after the closing
 * one.
 */
static bool quoted(struct conf_lexer *lexer, struct conf_pos at, char **p,
		   struct conf_word *word)
{
	char *from = *p + 1, *to = *p + 1;

	word->at = at;
	word->text = to;
	for (; *from != '"'; from++) {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		if (!*from)
			return conf_error(lexer->diags, at,
					  "the quote is not closed on this line");
		*to++ = *from;
	}
	from++;
	if (*from && !is_blank(*from)) {
		at.col += (unsigned int)(from - *p);
		return conf_error(lexer->diags, at,
				  "expected a blank after the closing quote");
	}
	*p = from;
	/* "to" may be the closing quote, but never beyond it */
	*to = '\0';
	return true;
}

static bool split(struct conf_lexer *lexer, struct conf_line *line)
{
	struct conf_pos at = { .line = lexer->line };
	char *p = line->buf;

	line->n = 0;
	for (;;) {
		char *end;

		while (is_blank(*p))
			p++;
		at.col = (unsigned int)(p - line->buf) + 1;
		if (!*p || *p == '#')
			break;
		if (line->n == CONF_WORDS_MAX)
			return conf_error(lexer->diags, at,
					  "more than %u words on a line",
					  CONF_WORDS_MAX);
		if (!line->n && *p == '!') {
			line->word[line->n].at = at;
			line->word[line->n++].text = "!";
			break;
		}
		if (*p == '"') {
			if (!quoted(lexer, at, &p, &line->word[line->n]))
				return false;
			line->n++;
			continue;
		}
		end = p + strcspn(p, " \t");
		line->word[line->n].at = at;
		line->word[line->n++].text = p;
		if (!*end) {
			at.col += (unsigned int)(end - p);
			break;
		}
		*end = '\0';
		p = end + 1;
	}
	line->end = at;
	return line->n;
}

/* Copies one line into the buffer. */
static bool take(struct conf_lexer *lexer, struct conf_line *line)
{
	size_t left = (size_t)(lexer->end - lexer->pos);
	const char *nl = memchr(lexer->pos, '\n', left);
	size_t len = nl ? (size_t)(nl - lexer->pos) : left;
	const char *text = lexer->pos, *nul;
	struct conf_pos at;
	size_t i;

	lexer->pos += len + (nl ? 1 : 0);
	lexer->line++;
	at.line = lexer->line;
	if (len && text[len - 1] == '\r')
		len--;
	nul = memchr(text, '\0', len);
	if (nul) {
		at.col = (unsigned int)(nul - text) + 1;
		return no_text(lexer, at);
	}
	if (len > CONF_LINE_MAX) {
		at.col = CONF_LINE_MAX + 1;
		return conf_error(lexer->diags, at,
				  "the line is longer than %u bytes",
				  CONF_LINE_MAX);
	}
	for (i = 0; i < len; i++) {
		at.col = (unsigned int)i + 1;
		if (is_bad(text[i]))
			return conf_error(lexer->diags, at,
					  "control character 0x%02x",
					  (unsigned char)text[i]);
	}
	memcpy(line->buf, text, len);
	line->buf[len] = '\0';
	return true;
}

bool conf_lex_next(struct conf_lexer *lexer, struct conf_line *line)
{
	while (lexer->pos < lexer->end)
		if (take(lexer, line) && split(lexer, line))
			return true;
	return false;
}
