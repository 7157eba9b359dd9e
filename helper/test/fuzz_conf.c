// SPDX-License-Identifier: GPL-2.0-only
/*
 * ovly.conf and what is generated from it, on broken input.
 *
 *	fuzz_conf FILE...	reads each file once, "-" is stdin (for a fuzzer)
 *	fuzz_conf		changes the files of test/conf at random for
 *				OVLY_FUZZ_SECONDS (3); OVLY_FUZZ_SEED repeats a run
 *
 * What has to hold, apart from not crashing: a text that is accepted gives files
 * whose quotes and braces are balanced, so that no value can say more than a
 * value.
 */
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf_gen.h"
#include "conf_manifest.h"
#include "conf_parse.h"

#define TEXT_MAX 16384

static unsigned long accepted, refused;

static void check_balance(const char *what, const char *text)
{
	const char *c;
	bool quote = false;
	int depth = 0;

	for (c = text; *c; c++) {
		if (*c == '"')
			quote = !quote;
		else if (*c == '#' && !quote)
			c += strcspn(c, "\n") - 1;
		else if (*c == '\n' && quote)
			break;
		else if (!quote)
			depth += (*c == '{') - (*c == '}');
		if (depth < 0)
			break;
	}
	if (!*c && !depth && !quote)
		return;
	fprintf(stderr, "%s is unbalanced:\n%s\n", what, text);
	abort();
}

static void generate(const struct conf *conf)
{
	struct conf_gen gen = { .source = "s", .command = "/h" };
	struct conf_manifest manifest;
	char *text = NULL;
	struct err e;
	size_t size;
	FILE *out;
	int part;

	for (part = 0; part < 6; part++) {
		out = open_memstream(&text, &size);
		if (!out)
			abort();
		gen.bird = part == 3 ? 1 : 2;
		gen.hide_secrets = part == 5;
		if (part == 0)
			conf_gen_swanctl(out, conf, &gen);
		else if (part == 1 || part == 5)
			conf_gen_secrets(out, conf, &gen);
		else if (part == 2)
			conf_gen_strongswan(out, conf, &gen);
		else if (!conf_gen_bird(out, conf, &gen,
					part == 3 ? AF_INET : 0, &e))
			fputs("\n", out);
		fclose(out);
		check_balance(part < 3 ? "strongSwan's file" : "bird.conf",
			      text);
		if (!part && conf_manifest_read(text, &manifest)) {
			if (manifest.n != conf->overlays)
				abort();
			conf_manifest_free(&manifest);
		}
		free(text);
	}
}

static void one(const char *text, size_t len)
{
	struct conf_diags diags;
	struct conf conf;
	FILE *null;

	if (conf_read(text, len, &conf, &diags)) {
		accepted++;
		generate(&conf);
	} else {
		refused++;
		if (!diags.n)
			abort();
	}
	null = fopen("/dev/null", "w");
	if (null) {
		conf_diags_print(null, "f", &diags);
		fclose(null);
	}
	conf_free(&conf);
}

/* ---- the random mode ---- */

static const char *const words[] = {
	"secure-overlay", "router bgp", "!", "\n", " ", "\"", "\\", "#", "{",
	"}", "0x", "any", "::/0", "0.0.0.0/0", "10.122.144.146", "4294967295",
	"neighbor", "remote-as", "psk local-psk a remote-psk b", "%any", "\t",
	"-dual", "backup-overlay", "route-limit 1 action", "packet-mark",
	"\\\"", "aes256-sha512", "listen range", "\r\n", ",", ";",
};

#define WORDS (sizeof(words) / sizeof(words[0]))

static unsigned long long seed;

static unsigned int below(unsigned int n)
{
	/* xorshift64: the same on every system */
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (unsigned int)(seed >> 16) % n;
}

static size_t splice(char *text, size_t len, size_t at, size_t drop,
		     const char *with, size_t n)
{
	if (drop > len - at)
		drop = len - at;
	if (len - drop + n > TEXT_MAX)
		return len;
	memmove(text + at + n, text + at + drop, len - at - drop);
	memcpy(text + at, with, n);
	return len - drop + n;
}

static size_t mutate(char *text, size_t len)
{
	size_t at = below((unsigned int)len + 1);
	const char *word = words[below(WORDS)];
	char copy[256], byte = (char)below(256);
	size_t n = below(sizeof(copy));

	switch (below(6)) {
	case 0:
		return splice(text, len, at, 1, &byte, 1);
	case 1:
		return splice(text, len, at, below(8), "", 0);
	case 2:
		return splice(text, len, at, 0, word, strlen(word));
	case 3:
		/* a piece from elsewhere */
		if (n > len - at)
			n = len - at;
		memcpy(copy, text + at, n);
		return splice(text, len, below((unsigned int)len + 1), 0, copy,
			      n);
	case 4:
		return splice(text, len, at, strcspn(text + at, " \n"), word,
			      strlen(word));
	default:
		byte = '0' + (char)below(10);
		return splice(text, len, at, 1, &byte, 1);
	}
}

static size_t load(const char *path, char *text)
{
	FILE *f = strcmp(path, "-") ? fopen(path, "r") : stdin;
	size_t len = 0;

	if (!f)
		return 0;
	len = fread(text, 1, TEXT_MAX, f);
	if (f != stdin)
		fclose(f);
	return len;
}

static int random_mode(void)
{
	const char *seconds = getenv("OVLY_FUZZ_SECONDS");
	const char *given = getenv("OVLY_FUZZ_SEED");
	static char text[TEXT_MAX + 1], base[TEXT_MAX + 1];
	unsigned int i, changes;
	glob_t files;
	time_t end;

	seed = given ? strtoull(given, NULL, 0) : (unsigned long long)time(NULL);
	seed = seed ? seed : 1;
	printf("TAP version 13\n1..1\n# OVLY_FUZZ_SEED=%llu\n", seed);
	fflush(stdout);
	if (glob("test/conf/*.conf", 0, NULL, &files) || !files.gl_pathc) {
		puts("not ok 1 - fuzz_conf: no files in test/conf");
		return 1;
	}
	end = time(NULL) + (seconds ? atoi(seconds) : 3);
	while (time(NULL) < end) {
		size_t size = load(files.gl_pathv[below(
					   (unsigned int)files.gl_pathc)],
				   base);

		for (i = 0; i < 100; i++) {
			size_t len = size;

			memcpy(text, base, size);
			for (changes = 1 + below(6); changes; changes--) {
				text[len] = '\0';
				len = mutate(text, len);
			}
			one(text, len);
		}
	}
	globfree(&files);
	printf("# %lu accepted, %lu refused\n", accepted, refused);
	if (!accepted || !refused) {
		puts("not ok 1 - fuzz_conf: one side was never reached");
		return 1;
	}
	puts("ok 1 - fuzz_conf: broken configuration files");
	return 0;
}

int main(int argc, char **argv)
{
	static char text[TEXT_MAX + 1];
	int i;

	if (argc < 2)
		return random_mode();
	for (i = 1; i < argc; i++)
		one(text, load(argv[i], text));
	return 0;
}
