// SPDX-License-Identifier: GPL-2.0-only
#include "conf_words.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "suggest.h"

const char *conf_nearest(const char *word, const char *const *candidates)
{
	struct suggest s = { .given = word };

	for (; *candidates; candidates++)
		suggest_try(&s, *candidates, strlen(*candidates));
	return s.best;
}

const char *conf_hint(const char *word, const char *const *candidates,
		      char *buf, size_t size)
{
	const char *near = conf_nearest(word, candidates);

	buf[0] = '\0';
	if (near)
		snprintf(buf, size, ", did you mean '%s'?", near);
	return buf;
}

const char *conf_hint_line(const char *word, const char *const *candidates,
			   char *buf, size_t size)
{
	conf_hint(word, candidates, buf, size);
	if (!buf[0])
		snprintf(buf, size, ", see ovly.conf(5)");
	return buf;
}

const char *conf_shown(const char *s, char *buf, size_t size)
{
	size_t i;

	for (i = 0; s[i] && i < size - 4; i++)
		buf[i] = isprint((unsigned char)s[i]) ? s[i] : '?';
	strcpy(buf + i, s[i] ? "..." : "");
	return buf;
}

static const char *const encryption_words[] = {
	"aes128", "aes192", "aes256", "aes128gcm16", "aes192gcm16",
	"aes256gcm16", "chacha20poly1305", NULL,
};
#define FIRST_AEAD 3

static const char *const integrity_words[] = { "sha1", "sha256", "sha384",
					       "sha512", NULL };
static const char *const prf_words[] = { "prfsha1", "prfsha256", "prfsha384",
					 "prfsha512", NULL };
static const char *const group_words[] = {
	"modp1536", "modp2048", "modp3072", "modp4096", "modp6144", "modp8192",
	"ecp256", "ecp384", "ecp521", "curve25519", NULL,
};

static int find(const char *word, const char *const *words)
{
	int i;

	for (i = 0; words[i]; i++)
		if (!strcmp(word, words[i]))
			return i;
	return -1;
}

/* The parts of a suite, in this order. */
static const struct part {
	const char *const *words;
	const char *what;
} parts[] = {
	{ encryption_words, "an encryption (aes128, aes256, aes256gcm16, ...)" },
	{ integrity_words, "an integrity algorithm (sha1, sha256, sha384 or sha512)" },
	{ prf_words, "a pseudo-random function (prfsha256, prfsha384 or prfsha512)" },
	{ group_words, "a Diffie-Hellman group (modp1536, modp2048, modp4096, ecp256, ...)" },
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))
enum { ENCRYPTION, INTEGRITY, PRF, GROUP };

static bool unknown(struct err *e, const char *suite, const char *word,
		    unsigned int next, const bool *optional)
{
	char hint[80] = "", a[64], b[64];
	unsigned int i;

	/* what may stand here is the next part, or those after optional ones */
	for (i = next; i < PARTS && !hint[0]; i++)
		conf_hint(word, parts[i].words, hint, sizeof(hint));
	while (next < PARTS - 1 && optional[next])
		next++;
	return err_set(e, EXIT_USAGE,
		       "'%s' in cipher '%s' is not %s%s",
		       conf_shown(word, a, sizeof(a)),
		       conf_shown(suite, b, sizeof(b)), parts[next].what, hint);
}

bool conf_cipher(const char *suite, bool ike, struct err *e)
{
	bool optional[PARTS] = { [PRF] = true, [GROUP] = !ike };
	char buf[96], shown[64];
	char *rest = buf;
	unsigned int next = ENCRYPTION;
	char *word;

	if (strlen(suite) >= sizeof(buf))
		return err_set(e, EXIT_USAGE, "the cipher is too long");
	strcpy(buf, suite);
	while ((word = strsep(&rest, "-"))) {
		unsigned int i = next;

		while (i < PARTS && find(word, parts[i].words) < 0) {
			if (!optional[i])
				return unknown(e, suite, word, next, optional);
			i++;
		}
		if (i == PARTS && next < PARTS)
			return unknown(e, suite, word, next, optional);
		if (i == PARTS)
			return err_set(e, EXIT_USAGE,
				       "nothing can follow the group in cipher '%s'",
				       conf_shown(suite, shown, sizeof(shown)));
		/* authenticated encryption needs no integrity, but IKE a prf */
		if (i == ENCRYPTION && find(word, parts[i].words) >= FIRST_AEAD) {
			optional[INTEGRITY] = true;
			optional[PRF] = !ike;
			next = INTEGRITY + 1;
			continue;
		}
		/* only IKE has a prf of its own */
		next = i == INTEGRITY && !ike ? GROUP : i + 1;
	}
	for (; next < PARTS; next++)
		if (!optional[next])
			return err_set(e, EXIT_USAGE,
				       "cipher '%s' lacks %s",
				       conf_shown(suite, shown, sizeof(shown)),
				       parts[next].what);
	return true;
}

unsigned int conf_version(const char *text)
{
	const char *c = text;

	while (*c) {
		unsigned int n = 0;

		if (!isdigit((unsigned char)*c)) {
			c++;
			continue;
		}
		for (; isdigit((unsigned char)*c) && n < 1000; c++)
			n = n * 10 + (unsigned int)(*c - '0');
		if (*c == '.' && isdigit((unsigned char)c[1]))
			return n;
	}
	return 0;
}
