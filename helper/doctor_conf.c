// SPDX-License-Identifier: GPL-2.0-only
#include "doctor_conf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define FILE_MAX (256 << 10)
#define INCLUDES_MAX 8 /* deep */
#define FILES_MAX 256 /* in all */

/* A file being read, and what is the same for all of one configuration. */
struct reader {
	struct doctor *d;
	const char *root;
	unsigned int depth, files;
	/* reads one file's text; "path" is where it is, for what it includes */
	void (*parse)(struct reader *r, const char *path, const char *text);
	/* strongswan */
	char section[256];
	conf_cb cb;
	/* bird */
	struct { char name[32]; uint32_t value; } define[64];
	unsigned int defines;
	conf_table_cb table_cb;
	void *arg;
};

static bool read_file(struct reader *r, const char *path)
{
	bool ok = false;
	char *text;

	if (r->depth >= INCLUDES_MAX || r->files >= FILES_MAX)
		return false;
	text = malloc(FILE_MAX);
	if (!text)
		return false;
	r->depth++;
	r->files++;
	ok = r->d->host->ops->file(r->d->host, path, text, FILE_MAX);
	if (ok)
		r->parse(r, path, text);
	r->depth--;
	free(text);
	return ok;
}

static void on_included(const char *path, void *arg)
{
	read_file(arg, path);
}

/* An absolute name is below the daemon's root, another beside the file. */
static void include(struct reader *r, const char *from, const char *pattern)
{
	const char *slash = strrchr(from, '/');
	char path[1024];
	int n;

	if (pattern[0] == '/')
		n = snprintf(path, sizeof(path), "%s%s", r->root, pattern);
	else
		n = snprintf(path, sizeof(path), "%.*s%s",
			     slash ? (int)(slash - from) + 1 : 0, from,
			     pattern);
	if (n > 0 && (size_t)n < sizeof(path))
		r->d->ops->glob(path, on_included, r);
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t\r");
}

/* Up to one of "ends", without blanks and quotes around it. */
static const char *take(const char *s, const char *ends, char *out,
			size_t size)
{
	size_t n = 0;

	s = skip_blanks(s);
	if (*s == '"') {
		for (s++; *s && *s != '"'; s++) {
			if (*s == '\\' && s[1])
				s++;
			if (n < size - 1)
				out[n++] = *s;
		}
		s += *s == '"';
		out[n] = '\0';
		return s + strcspn(s, ends);
	}
	for (; *s && !strchr(ends, *s); s++)
		if (n < size - 1)
			out[n++] = *s;
	while (n && isspace((unsigned char)out[n - 1]))
		n--;
	out[n] = '\0';
	return s;
}

/* ---- strongswan.conf ---- */

static void enter_section(struct reader *r, const char *name)
{
	size_t len = strlen(r->section);

	snprintf(r->section + len, sizeof(r->section) - len, "%s.", name);
}

static void leave_section(struct reader *r)
{
	size_t len = strlen(r->section);

	if (len)
		len--;
	while (len && r->section[len - 1] != '.')
		len--;
	r->section[len] = '\0';
}

static void parse_strongswan(struct reader *r, const char *path,
			     const char *text)
{
	char word[256], value[512], key[512];
	const char *s = text;

	while (*(s += strspn(s, " \t\r\n"))) {
		if (*s == '#') {
			s += strcspn(s, "\n");
		} else if (*s == '}') {
			leave_section(r);
			s++;
		} else if (!strncmp(s, "include", 7) && isblank(s[7])) {
			s = take(s + 7, "#\n", value, sizeof(value));
			include(r, path, value);
		} else {
			s = take(s, "={}#\n", word, sizeof(word));
			/* a brace may be on the next line */
			if (*s == '\n' && s[strspn(s, " \t\r\n")] == '{')
				s += strspn(s, " \t\r\n");
			if (*s == '{') {
				/* "name : other" takes the other's settings */
				word[strcspn(word, " \t:")] = '\0';
				enter_section(r, word);
				s++;
			} else if (*s == '=') {
				s = take(s + 1, "{}#\n", value, sizeof(value));
				snprintf(key, sizeof(key), "%s%s", r->section,
					 word);
				r->cb(key, value, r->arg);
			}
		}
	}
}

bool conf_strongswan(struct doctor *d, const char *root, const char *file,
		     conf_cb cb, void *arg)
{
	struct reader r = { .d = d, .root = root, .cb = cb, .arg = arg,
			    .parse = parse_strongswan };
	char path[1024];

	snprintf(path, sizeof(path), "%s%s", root, file);
	return read_file(&r, path);
}

/* ---- bird.conf ---- */

/* The next word, number, string or sign; false at the end. */
static bool bird_token(const char **pos, char *out, size_t size)
{
	const char *s = *pos;
	size_t n = 0;

	for (;;) {
		s += strspn(s, " \t\r\n");
		if (*s == '#') {
			s += strcspn(s, "\n");
		} else if (!strncmp(s, "/*", 2)) {
			s = strstr(s, "*/");
			if (!s)
				return false;
			s += 2;
		} else {
			break;
		}
	}
	if (!*s)
		return false;
	if (*s == '"') {
		out[n++] = *s;
		for (s++; *s && *s != '"'; s++)
			if (n < size - 1)
				out[n++] = *s;
		s += *s == '"';
	} else if (isalnum((unsigned char)*s) || *s == '_') {
		for (; isalnum((unsigned char)*s) || *s == '_'; s++)
			if (n < size - 1)
				out[n++] = *s;
	} else {
		out[n++] = *s++;
	}
	out[n] = '\0';
	*pos = s;
	return true;
}

static bool bird_number(const struct reader *r, const char *word, uint32_t *out)
{
	unsigned int i;

	if (isdigit((unsigned char)word[0])) {
		*out = (uint32_t)strtoul(word, NULL, 0);
		return true;
	}
	for (i = 0; i < r->defines; i++) {
		if (!strcmp(r->define[i].name, word)) {
			*out = r->define[i].value;
			return true;
		}
	}
	return false;
}

static void bird_define(struct reader *r, const char **pos)
{
	char name[32], word[32];
	uint32_t value;

	if (!bird_token(pos, name, sizeof(name)) ||
	    !bird_token(pos, word, sizeof(word)) || strcmp(word, "=") ||
	    !bird_token(pos, word, sizeof(word)) ||
	    !bird_number(r, word, &value) || r->defines == 64)
		return;
	strcpy(r->define[r->defines].name, name);
	r->define[r->defines++].value = value;
}

/* protocol kernel ... { }: where it puts its routes */
static void bird_kernel(struct reader *r, const char **pos)
{
	uint32_t table = 254;
	char word[64], last[64] = "";
	bool disabled = false;
	int depth = 0;

	while (bird_token(pos, word, sizeof(word))) {
		if (!strcmp(word, "{"))
			depth++;
		else if (!strcmp(word, "}") && --depth <= 0)
			break;
		else if (!strcmp(last, "kernel") && !strcmp(word, "table") &&
			 bird_token(pos, word, sizeof(word)))
			bird_number(r, word, &table);
		else if (depth == 1 && !strcmp(word, "disabled"))
			disabled = bird_token(pos, word, sizeof(word)) &&
				   (!strcmp(word, ";") || !strcmp(word, "yes") ||
				    !strcmp(word, "on"));
		strcpy(last, word);
	}
	if (!disabled)
		r->table_cb(table, r->arg);
}

static void parse_bird(struct reader *r, const char *path, const char *text)
{
	char word[512], last[512] = "";

	while (bird_token(&text, word, sizeof(word))) {
		if (!strcmp(word, "include") &&
		    bird_token(&text, word, sizeof(word)) && word[0] == '"')
			include(r, path, word + 1);
		else if (!strcmp(word, "define"))
			bird_define(r, &text);
		else if (!strcmp(last, "protocol") && !strcmp(word, "kernel"))
			bird_kernel(r, &text);
		strcpy(last, word);
	}
}

bool conf_bird(struct doctor *d, const char *root, const char *file,
	       conf_table_cb cb, void *arg)
{
	struct reader r = { .d = d, .root = root, .table_cb = cb, .arg = arg,
			    .parse = parse_bird };
	char path[1024];

	snprintf(path, sizeof(path), "%s%s", root, file);
	return read_file(&r, path);
}
