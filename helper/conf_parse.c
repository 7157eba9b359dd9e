// SPDX-License-Identifier: GPL-2.0-only
/* The blocks of ovly.conf, and what their lines have in common. */
#include "conf_parse.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "conf_words.h"
#include "parse.h"

#define SHOWN 64

static const char *const block_words[] = { "secure-overlay", "router", NULL };

const char *conf_want(const struct conf_line *line, unsigned int i,
		      const char *what, struct conf_diags *diags)
{
	if (i < line->n)
		return line->word[i].text;
	conf_error(diags, line->end, "expected %s after '%s'", what,
		   line->word[0].text);
	return NULL;
}

bool conf_want_end(const struct conf_line *line, unsigned int n,
		   struct conf_diags *diags)
{
	if (line->n <= n)
		return true;
	/* what is there may be a part of a secret */
	return conf_error(diags, line->word[n].at,
			  "expected the end of the line, put quotes around a value with blanks");
}

bool conf_take_secret(const struct conf_line *line, unsigned int i, char *out,
		      struct conf_diags *diags)
{
	const char *s = conf_want(line, i, "a secret", diags);
	size_t k;

	if (!s)
		return false;
	if (!*s)
		return conf_error(diags, line->word[i].at,
				  "the secret is empty");
	if (strlen(s) > CONF_SECRET_MAX)
		return conf_error(diags, line->word[i].at,
				  "the secret is longer than %d bytes",
				  CONF_SECRET_MAX);
	if (!strncmp(s, "0x", 2)) {
		for (k = 2; isxdigit((unsigned char)s[k]); k++)
			;
		if (s[k] || k == 2 || k % 2)
			return conf_error(diags, line->word[i].at,
					  "expected an even number of hexadecimal digits after 0x in the secret");
	}
	strcpy(out, s);
	return true;
}

static struct conf_overlay *new_overlay(struct conf *conf,
					const struct conf_line *line,
					struct conf_diags *diags)
{
	const char *name = conf_want(line, 1, "a name", diags);
	struct conf_overlay *all, *o;
	unsigned int room;
	char buf[SHOWN];
	size_t i;

	if (!name)
		return NULL;
	for (i = 0; name[i]; i++) {
		if (isalnum((unsigned char)name[i]) ||
		    (i && strchr("_-", name[i])))
			continue;
		conf_error(diags, line->word[1].at,
			   "'%s' is not a name, which has letters, digits, '-' and '_' and starts with one of the former",
			   conf_shown(name, buf, sizeof(buf)));
		return NULL;
	}
	if (!i || i > CONF_NAME_MAX) {
		conf_error(diags, line->word[1].at,
			   "a name has 1 to %d characters", CONF_NAME_MAX);
		return NULL;
	}
	if (conf->overlays == CONF_OVERLAYS_MAX) {
		conf_error(diags, line->word[0].at, "more than %d overlays",
			   CONF_OVERLAYS_MAX);
		return NULL;
	}
	/* grows in powers of two */
	room = conf->overlays;
	if (!(room & (room - 1))) {
		all = realloc(conf->overlay,
			      (room ? room * 2 : 1) * sizeof(*all));
		if (!all) {
			conf_error(diags, line->word[0].at, "out of memory");
			return NULL;
		}
		conf->overlay = all;
	}
	o = &conf->overlay[conf->overlays++];
	memset(o, 0, sizeof(*o));
	o->at = line->word[1].at;
	strcpy(o->name, name);
	conf_want_end(line, 2, diags);
	return o;
}

static bool new_router(struct conf *conf, const struct conf_line *line,
		       struct conf_diags *diags)
{
	const char *as;
	struct err e;

	if (line->n < 2 || strcmp(line->word[1].text, "bgp"))
		return conf_error(diags,
				  line->n < 2 ? line->end : line->word[1].at,
				  "expected 'bgp' after 'router'");
	as = conf_want(line, 2, "the number of the own autonomous system",
		       diags);
	if (!as)
		return false;
	if (conf->bgp.at.line)
		return conf_error(diags, line->word[0].at,
				  "there is a 'router bgp' in line %u already",
				  conf->bgp.at.line);
	conf->bgp.at = line->word[2].at;
	if (!parse_u32(as, 1, UINT32_MAX - 1, &conf->bgp.as, &e))
		return conf_error(diags, line->word[2].at,
				  "autonomous system: %s", e.text);
	return conf_want_end(line, 3, diags);
}

enum block { BLOCK_NONE, BLOCK_OVERLAY, BLOCK_BGP, BLOCK_SKIP };

/* A line outside of blocks, or one that starts the next. */
static enum block top_level(struct conf *conf, const struct conf_line *line,
			    struct conf_diags *diags)
{
	char hint[80], buf[SHOWN];

	if (!strcmp(line->word[0].text, "secure-overlay"))
		return new_overlay(conf, line, diags) ? BLOCK_OVERLAY :
							BLOCK_SKIP;
	if (!strcmp(line->word[0].text, "router")) {
		new_router(conf, line, diags);
		return conf->bgp.at.line == line->word[0].at.line ?
			       BLOCK_BGP : BLOCK_SKIP;
	}
	conf_error(diags, line->word[0].at,
		   "'%s' starts no block, expected 'secure-overlay NAME' or 'router bgp AS'%s",
		   conf_shown(line->word[0].text, buf, sizeof(buf)),
		   conf_hint(line->word[0].text, block_words, hint,
			     sizeof(hint)));
	/* one error is enough for what follows */
	return BLOCK_SKIP;
}

static bool starts_block(const struct conf_line *line)
{
	unsigned int i;

	for (i = 0; block_words[i]; i++)
		if (!strcmp(line->word[0].text, block_words[i]))
			return true;
	return false;
}

static bool is_blank(const char *text, size_t len)
{
	while (len && strchr(" \t\r\n", text[len - 1]) && text[len - 1])
		len--;
	return !len;
}

bool conf_read(const char *text, size_t len, struct conf *conf,
	       struct conf_diags *diags)
{
	enum block block = BLOCK_NONE;
	struct conf_lexer lexer;
	struct conf_line line;

	memset(conf, 0, sizeof(*conf));
	memset(diags, 0, sizeof(*diags));
	conf_lex_init(&lexer, text, len, diags);
	/* more likely an accident than the wish to have none */
	if (is_blank(text, len))
		conf_error(diags, (struct conf_pos){ 0 },
			   "the file is empty: describe an overlay, or leave a comment in it to have none");
	while (conf_lex_next(&lexer, &line)) {
		if (!strcmp(line.word[0].text, "!"))
			block = BLOCK_NONE;
		else if (block == BLOCK_NONE || starts_block(&line))
			block = top_level(conf, &line, diags);
		else if (block == BLOCK_OVERLAY)
			conf_parse_overlay_line(
				&conf->overlay[conf->overlays - 1], &line,
				diags);
		else if (block == BLOCK_BGP)
			conf_parse_bgp_line(&conf->bgp, &line, diags);
	}
	explicit_bzero(&line, sizeof(line));
	conf_check(conf, diags);
	conf_check_bgp(conf, diags);
	return !diags->errors;
}

void conf_free(struct conf *conf)
{
	/* it has secrets */
	if (conf->overlay)
		explicit_bzero(conf->overlay,
			       conf->overlays * sizeof(*conf->overlay));
	if (conf->bgp.neighbor)
		explicit_bzero(conf->bgp.neighbor,
			       conf->bgp.neighbors *
				       sizeof(*conf->bgp.neighbor));
	free(conf->overlay);
	free(conf->bgp.neighbor);
	free(conf->bgp.network);
	memset(conf, 0, sizeof(*conf));
}
