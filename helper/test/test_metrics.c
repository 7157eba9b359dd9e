// SPDX-License-Identifier: GPL-2.0-only
/* The metrics are OpenMetrics text: a strict parser of the format reads them. */
#include <ctype.h>
#include <jansson.h>

#include "test.h"

#include "../metrics.h"

/* ---- the parser: NULL for good text, else what is wrong ---- */

#define FAMILIES 128
#define SAMPLES 1024

struct parser {
	char family[FAMILIES][80]; /* all so far, the last one is open */
	unsigned int families;
	char type[16];
	bool unit, help, has_type;
	unsigned int samples; /* of the open family */
	char seen[SAMPLES][200]; /* names and labels of all samples */
	unsigned int n;
	bool eof;
};

static size_t name_len(const char *s)
{
	size_t n = 0;

	while (isalpha((unsigned char)s[n]) || s[n] == '_' || s[n] == ':' ||
	       (n && isdigit((unsigned char)s[n])))
		n++;
	return n;
}

static const char *open_family(struct parser *p, const char *name, size_t len)
{
	unsigned int i;

	if (p->families && strlen(p->family[p->families - 1]) == len &&
	    !strncmp(p->family[p->families - 1], name, len))
		return p->samples ? "metadata after a sample" : NULL;
	for (i = 0; i < p->families; i++)
		if (strlen(p->family[i]) == len &&
		    !strncmp(p->family[i], name, len))
			return "a family is interleaved";
	assert_true(p->families < FAMILIES && len < sizeof(p->family[0]));
	memcpy(p->family[p->families], name, len);
	p->family[p->families++][len] = '\0';
	strcpy(p->type, "unknown");
	p->unit = p->help = p->has_type = false;
	p->samples = 0;
	return NULL;
}

static const char *metadata(struct parser *p, const char *line)
{
	const char *family, *rest, *why;
	size_t len;

	family = strchr(line + 2, ' ');
	if (!family || line[1] != ' ')
		return "no space in a comment";
	family++;
	len = name_len(family);
	if (!len || family[len] != ' ')
		return "a bad name in metadata";
	why = open_family(p, family, len);
	if (why)
		return why;
	rest = family + len + 1;
	if (!strncmp(line, "# TYPE ", 7)) {
		if (p->has_type)
			return "two types";
		p->has_type = true;
		if (strcmp(rest, "gauge") && strcmp(rest, "counter"))
			return "a type that old collectors do not know";
		strcpy(p->type, rest);
		return NULL;
	}
	if (!strncmp(line, "# UNIT ", 7)) {
		if (p->unit)
			return "two units";
		p->unit = true;
		len = strlen(p->family[p->families - 1]);
		if (len <= strlen(rest) + 1 ||
		    strcmp(p->family[p->families - 1] + len - strlen(rest),
			   rest) ||
		    p->family[p->families - 1][len - strlen(rest) - 1] != '_')
			return "the name does not end with the unit";
		return NULL;
	}
	if (!strncmp(line, "# HELP ", 7)) {
		if (p->help)
			return "two helps";
		p->help = true;
		for (; *rest; rest++)
			if (*rest == '\\' && !strchr("\\n\"", *++rest))
				return "a bad escape in help";
		return NULL;
	}
	return "a comment that is no metadata";
}

/* {a="b",c="d"}; moves *pos behind it */
static const char *labels(const char **pos)
{
	char names[32][64];
	const char *s = *pos + 1;
	unsigned int n = 0, i;
	size_t len;

	while (*s != '}') {
		if (n && *s++ != ',')
			return "no comma between labels";
		len = name_len(s);
		if (!len || memchr(s, ':', len) || len >= sizeof(names[0]))
			return "a bad label name";
		memcpy(names[n], s, len);
		names[n][len] = '\0';
		for (i = 0; i < n; i++)
			if (!strcmp(names[i], names[n]))
				return "a label twice";
		n++;
		s += len;
		if (*s++ != '=' || *s++ != '"')
			return "no quoted label value";
		for (; *s != '"'; s++) {
			if (!*s)
				return "an open label value";
			if (*s == '\\' && !strchr("\\n\"", *++s))
				return "a bad escape in a label";
		}
		s++;
	}
	*pos = s + 1;
	return NULL;
}

static const char *sample(struct parser *p, const char *line)
{
	const char *s = line, *why = NULL, *family;
	size_t len = name_len(line), want;
	unsigned int i;
	char *end;

	if (!p->families)
		return "a sample without metadata";
	family = p->family[p->families - 1];
	want = strlen(family);
	if (!strcmp(p->type, "counter")) {
		if (len != want + 6 || strncmp(line + want, "_total", 6))
			return "a counter without _total";
	} else if (len != want) {
		return "a sample of no open family";
	}
	if (strncmp(line, family, want))
		return "a sample of no open family";
	s += len;
	if (*s == '{')
		why = labels(&s);
	if (why)
		return why;
	assert_true(p->n < SAMPLES);
	snprintf(p->seen[p->n], sizeof(p->seen[0]), "%.*s", (int)(s - line),
		 line);
	for (i = 0; i < p->n; i++)
		if (!strcmp(p->seen[i], p->seen[p->n]))
			return "a sample twice";
	p->n++;
	if (*s != ' ' || (!isdigit((unsigned char)s[1]) && s[1] != '-'))
		return "no value";
	if (strtod(s + 1, &end) < 0 && !strcmp(p->type, "counter"))
		return "a negative counter";
	if (*end)
		return "something after the value";
	p->samples++;
	return NULL;
}

static const char *parse(const char *text)
{
	struct parser *p = calloc(1, sizeof(*p));
	const char *why = NULL;
	json_t *utf8 = json_string(text);

	assert_non_null(p);
	if (!utf8)
		why = "not UTF-8";
	json_decref(utf8);
	while (*text && !why) {
		const char *nl = strchr(text, '\n');
		char line[1024];

		if (!nl) {
			why = "the last line has no end";
			break;
		}
		snprintf(line, sizeof(line), "%.*s", (int)(nl - text), text);
		text = nl + 1;
		if (p->eof)
			why = "something after # EOF";
		else if (!strcmp(line, "# EOF"))
			p->eof = true;
		else
			why = line[0] == '#' ? metadata(p, line) :
					       sample(p, line);
		if (why)
			print_message("%s: %s\n", why, line);
	}
	if (!why && !p->eof)
		why = "no # EOF";
	free(p);
	return why;
}

/* ---- the cases ---- */

#define HEAD "# TYPE a gauge\n# HELP a x\n"

static void parser_is_strict(void **state)
{
	static const char *const bad[] = {
		"", "a 1\n# EOF\n", HEAD "a 1\n", HEAD "a 1\n# EOF",
		HEAD "a 1\n# EOF\na 2\n", HEAD "b 1\n# EOF\n",
		HEAD "\n# EOF\n", HEAD "# TYPE a gauge\n# EOF\n",
		HEAD "a 1\na 2\n# EOF\n", HEAD "a{b=\"1\"} 1\na{b=\"1\"} 2\n# EOF\n",
		HEAD "a{b=\"1\",b=\"2\"} 1\n# EOF\n", HEAD "a{b=\"\\x\"} 1\n# EOF\n",
		HEAD "a{b=\"x} 1\n# EOF\n", HEAD "a{b=\"1\"c=\"2\"} 1\n# EOF\n",
		HEAD "a{b=\"\xff\"} 1\n# EOF\n", HEAD "a{1b=\"x\"} 1\n# EOF\n",
		HEAD "a \n# EOF\n", HEAD "a x\n# EOF\n", HEAD "a 1 x\n# EOF\n",
		HEAD "a 1\n# TYPE b gauge\nb 1\n# HELP a x\n# EOF\n",
		HEAD "a 1\n# TYPE b gauge\nb 1\na{c=\"d\"} 1\n# EOF\n",
		"# TYPE a counter\na 1\n# EOF\n",
		"# TYPE a counter\na_total -1\n# EOF\n",
		"# TYPE a gauge\n# UNIT a bytes\na 1\n# EOF\n",
		"# TYPE a stateset\na 1\n# EOF\n", "# a\n# EOF\n",
	};
	size_t i;

	(void)state;
	assert_null(parse(HEAD "a{b=\"\\\"\\\\\\n\"} 1.5\n# EOF\n"));
	assert_null(parse("# TYPE a_bytes counter\n# UNIT a_bytes bytes\n"
			  "a_bytes_total 1\n# EOF\n"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!parse(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

static char *write_metrics(const struct metrics_in *in)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	metrics_write(out, in);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void assert_line(const char *text, const char *line)
{
	char want[400];

	snprintf(want, sizeof(want), "\n%s\n", line);
	if (!strstr(text, want))
		fail_msg("no line '%s' in:\n%s", line, text);
}

static void nothing_is_valid(void **state)
{
	const struct metrics_in in = { 0 };
	char *text = write_metrics(&in);

	(void)state;
	assert_null(parse(text));
	free(text);
}

static void every_object_and_value(void **state)
{
	struct ovly_msg dev = { .ifindex = 7, .ifname = "ipsec0" };
	struct ovly_msg peer[2] = { { .ifname = "ipsec0" },
				    { .ifname = "ipsec0" } };
	struct ovly_msg path = { .ifname = "ipsec0" };
	const struct metrics_in in = { { &dev, 1 }, { peer, 2 }, { &path, 1 },
				       "0.1.0", 1700000000123 };
	char *text;

	(void)state;
	dev.dev.active_table = 220;
	dev.dev.peers = 2;
	dev.dev.stats.v[OVLY_A_STATS_TX_NO_PEER] = 5;
	strcpy(peer[0].peer.name, "myconn");
	peer[0].peer.addr.n = 1;
	peer[0].peer.addr.a[0] = test_addr("166.34.121.112");
	peer[0].peer.state = OVLY_PEER_UP;
	peer[0].peer.since = 61234;
	peer[0].peer.transitions = 3;
	peer[0].peer.routes = 4;
	peer[0].peer.stats.v[OVLY_A_STATS_RX_BYTES] = UINT64_MAX;
	peer[0].peer.stats.v[OVLY_A_STATS_TX_NO_SA] = 9;
	peer[0].peer.has = HAS(OVLY_A_PEER_LAST_RX);
	peer[0].peer.last_rx = 5100;
	strcpy(peer[1].peer.name, "other");
	peer[1].peer.has = HAS(OVLY_A_PEER_LAST_TX);
	strcpy(path.path.peer_name, "myconn");
	strcpy(path.path.label, "the \"conn\"");
	path.path.if_id_in = 7;
	path.path.state = OVLY_PATH_ACTIVE;
	path.path.sa_in = 1;
	path.path.sa_out = 2;
	path.path.endpoint = test_addr("2001:db8::1");
	text = write_metrics(&in);
	assert_null(parse(text));
	assert_line(text, "ovly_device_peers{dev=\"ipsec0\"} 2");
	assert_line(text,
		    "ovly_device_drops_total{dev=\"ipsec0\",reason=\"tx-no-peer\"} 5");
	assert_line(text, "ovly_peer_up{dev=\"ipsec0\",peer=\"myconn\"} 1");
	assert_line(text, "ovly_peer_up{dev=\"ipsec0\",peer=\"other\"} 0");
	assert_line(text,
		    "ovly_peer_state_seconds{dev=\"ipsec0\",peer=\"myconn\"} 61.234");
	assert_line(text,
		    "ovly_peer_transitions_total{dev=\"ipsec0\",peer=\"myconn\"} 3");
	assert_line(text,
		    "ovly_peer_receive_bytes_total{dev=\"ipsec0\",peer=\"myconn\"} 18446744073709551615");
	assert_line(text, "# UNIT ovly_peer_receive_bytes bytes");
	assert_line(text,
		    "ovly_peer_last_receive_timestamp_seconds{dev=\"ipsec0\",peer=\"myconn\"} 1699999995.023");
	assert_line(text,
		    "ovly_peer_last_transmit_timestamp_seconds{dev=\"ipsec0\",peer=\"other\"} 1700000000.123");
	/* never */
	assert_null(strstr(text, "ovly_peer_last_receive_timestamp_seconds{dev=\"ipsec0\",peer=\"other\"}"));
	assert_null(strstr(text, "ovly_peer_last_transmit_timestamp_seconds{dev=\"ipsec0\",peer=\"myconn\"}"));
	assert_line(text,
		    "ovly_peer_drops_total{dev=\"ipsec0\",peer=\"myconn\",reason=\"tx-no-sa\"} 9");
	assert_line(text,
		    "ovly_path_state{dev=\"ipsec0\",peer=\"myconn\",if_id=\"7\",state=\"active\"} 1");
	assert_line(text,
		    "ovly_path_state{dev=\"ipsec0\",peer=\"myconn\",if_id=\"7\",state=\"standby\"} 0");
	assert_line(text,
		    "ovly_path_security_associations{dev=\"ipsec0\",peer=\"myconn\",if_id=\"7\",direction=\"out\"} 2");
	assert_line(text,
		    "ovly_path_info{dev=\"ipsec0\",peer=\"myconn\",if_id=\"7\",label=\"the \\\"conn\\\"\",endpoint=\"2001:db8::1\",underlay=\"\"} 1");
	free(text);
}

static void names_are_escaped(void **state)
{
	static const struct { const char *in, *out; } cases[] = {
		{ "plain", "\"plain\"" },
		{ "a\"b\\c\nd", "\"a\\\"b\\\\c\\nd\"" },
		{ "gr\xc3\xbcn", "\"gr\xc3\xbcn\"" },
		{ "gr\xfcn", "\"gr?n\"" },
		{ "", "\"\"" },
	};
	struct ovly_msg peer = { .ifname = "ipsec0" };
	const struct metrics_in in = { .peer = { &peer, 1 } };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text = NULL;
		size_t size;
		FILE *out = open_memstream(&text, &size);

		metrics_label(out, cases[i].in);
		fclose(out);
		assert_string_equal(text, cases[i].out);
		free(text);
		strcpy(peer.peer.name, cases[i].in);
		text = write_metrics(&in);
		assert_null(parse(text));
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parser_is_strict),
		cmocka_unit_test(nothing_is_valid),
		cmocka_unit_test(every_object_and_value),
		cmocka_unit_test(names_are_escaped),
	};

	return SUITE(tests);
}
