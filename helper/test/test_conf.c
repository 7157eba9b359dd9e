// SPDX-License-Identifier: GPL-2.0-only
/* ovly.conf: what is read, what is refused, and where the messages point. */
#include "conf_text.h"

#include "conf_manifest.h"
#include "conf_words.h"

static void words_quotes_and_comments(void **state)
{
	const char *text = "a \"b c\" \"d\\\"e\\\\\" # f\n\n  # g\n! h\r\n\ti#j\r\n";
	struct conf_lexer lexer;
	struct conf_diags diags = { 0 };
	struct conf_line line;

	(void)state;
	conf_lex_init(&lexer, text, strlen(text), &diags);
	assert_true(conf_lex_next(&lexer, &line));
	assert_int_equal(line.n, 3);
	assert_string_equal(line.word[1].text, "b c");
	assert_string_equal(line.word[2].text, "d\"e\\");
	assert_int_equal(line.word[2].at.col, 9);
	assert_true(conf_lex_next(&lexer, &line));
	assert_int_equal(line.n, 1);
	assert_string_equal(line.word[0].text, "!");
	assert_int_equal(line.word[0].at.line, 4);
	assert_true(conf_lex_next(&lexer, &line));
	assert_string_equal(line.word[0].text, "i#j");
	assert_int_equal(line.word[0].at.col, 2);
	assert_false(conf_lex_next(&lexer, &line));
	assert_int_equal(diags.errors, 0);
}

static void unreadable_lines_are_named(void **state)
{
	char text[2048];

	(void)state;
	refused(GOOD " mtu \"1400\n", "f:7:6: the quote is not closed on this line");
	refused(GOOD " mtu \"1\"400\n", "f:7:9: expected a blank after the closing quote");
	refused(GOOD " mtu 14\00100\n", "f:7:8: control character 0x01");
	memset(text, 'x', 1500);
	strcpy(text + 1500, "\n");
	refused(text, "f:1:1025: the line is longer than 1024 bytes");
	memset(text, 0, sizeof(text));
	for (size_t i = 0; i < 33; i++)
		strcat(text, "a ");
	refused(text, "f:1:65: more than 32 words on a line");
}

static void what_is_no_text_is_told_once(void **state)
{
	static const char nul[] = "secure-overlay a\n mtu\0 1\n x\0 y\n";
	struct conf conf;
	char *got = messages(nul, sizeof(nul) - 1, &conf);

	(void)state;
	assert_non_null(strstr(got, "f:2:5: there is a NUL byte, this is no text file"));
	assert_null(strstr(got, "f:3"));
	free(got);
	conf_free(&conf);
	refused("", "f: the file is empty: describe an overlay, or leave a comment in it");
	refused("\r\n \t\n", "f: the file is empty");
	refused("! none\n", "f: warning: there is no overlay in this file");
}

static void files_of_other_systems_are_read(void **state)
{
	struct conf conf;

	(void)state;
	accepted("\xef\xbb\xbf" GOOD, &conf);
	assert_int_equal(conf.overlay[0].at.line, 1);
	conf_free(&conf);
	accepted("secure-overlay a\r\n\tlocal-bridge\twan-br\r\n\r\n"
		 "\tremote-interface-ip-addr 192.0.2.1\r\n"
		 "\tpsk local-psk k\tremote-psk k\r\n", &conf);
	assert_string_equal(conf.overlay[0].wan[CONF_WAN].bridge, "wan-br");
	assert_string_equal(conf.overlay[0].auth.remote_psk, "k");
	conf_free(&conf);
}

static void blocks_end_at_bang_and_keyword(void **state)
{
	struct conf conf;

	(void)state;
	accepted("! comment\n" GOOD "!\nrouter bgp 200\n"
		 "router-id 10.0.0.1\nneighbor 10.0.1.1 remote-as 1\n", &conf);
	assert_int_equal(conf.overlays, 1);
	assert_int_equal(conf.bgp.as, 200);
	assert_int_equal(conf.bgp.neighbors, 1);
	assert_ptr_equal(conf.bgp.neighbor[0].overlay, &conf.overlay[0]);
	conf_free(&conf);
	/* without a bang */
	accepted("router bgp 200\nneighbor 10.0.1.1 remote-as 1\n" GOOD, &conf);
	conf_free(&conf);
	refused(GOOD "!\n mtu 1400\n",
		"f:8:2: 'mtu' starts no block, expected 'secure-overlay NAME' or 'router bgp AS'");
}

static void defaults(void **state)
{
	struct conf conf;

	(void)state;
	accepted(GOOD GOOD_HUB "router bgp 200\nneighbor 10.0.1.1 remote-as 1\n",
		 &conf);
	assert_string_equal(conf.overlay[0].dev, "ipsec0");
	assert_int_equal(conf.overlay[0].mode, OVLY_MODE_P2P);
	assert_int_equal(conf.overlay[0].mtu, 9196);
	assert_string_equal(conf.overlay[0].esp, "aes256-sha512-modp4096");
	assert_string_equal(conf.overlay[1].dev, "ovly0");
	assert_int_equal(conf.overlay[1].mode, OVLY_MODE_MULTIPOINT);
	assert_addr(&conf.bgp.router_id, "10.0.0.1");
	assert_addr(&conf.bgp.neighbor[0].source, "10.0.0.1");
	assert_int_equal(conf.bgp.neighbor[0].timers.hold, 240);
	assert_int_equal(conf.bgp.neighbor[0].timers.keepalive, 80);
	assert_int_equal(conf.bgp.neighbor[0].limit.max, 15);
	assert_int_equal(conf.bgp.staging_table, 2220);
	conf_free(&conf);
}

static void unknown_words_get_a_suggestion(void **state)
{
	(void)state;
	refused("secure-overlay a\n local-bridg wan\n",
		"f:2:2: 'local-bridg' is not a line of secure-overlay, did you mean 'local-bridge'?");
	refused("secure-overly a\n", "did you mean 'secure-overlay'?");
	refused("router bgp 1\n neighbour 10.0.0.1 remote-as 2\n",
		"f:2:2: 'neighbour' is not a line of router bgp, did you mean 'neighbor'?");
	refused("router bgp 1\n neighbor 10.0.0.1 remote-sa 2\n",
		"did you mean 'remote-as'?");
	refused(GOOD " ike-cipher aes128-sha1-mopd1536\n",
		"f:7:13: 'mopd1536' in cipher 'aes128-sha1-mopd1536' is not a Diffie-Hellman group (modp1536, modp2048, modp4096, ecp256, ...), did you mean 'modp1536'?");
	/* nothing is near */
	refused("secure-overlay a\n xyzzy\n",
		"f:2:2: 'xyzzy' is not a line of secure-overlay, see ovly.conf(5)\n");
}

static void values_are_refused_with_what_was_expected(void **state)
{
	static const struct { const char *line, *want; } cases[] = {
		{ "mtu", "f:7:4: expected a number after 'mtu'" },
		{ "mtu 10", "f:7:5: mtu: 10 is out of range, 1280 to 65535 can be given" },
		{ "mtu 1400 1500", "f:7:10: expected the end of the line" },
		{ "role king", "f:7:6: role: 'king' is not one of branch or head-end" },
		{ "device ipsec0/1", "f:7:8: device: 'ipsec0/1' is not a device name" },
		{ "device a;b", "f:7:8: device: 'a;b' is not a device name of letters" },
		{ "device \"a\\\"b\"", "f:7:8: device: 'a\"b' is not a device name of letters" },
		{ "vrf -x", "f:7:5: vrf: '-x' is not a device name of letters" },
		{ "local-system-ip-subnet 10.0.0.1/24",
		  "f:7:24: prefix '10.0.0.1/24' has host bits set, did you mean 10.0.0.0/24?" },
		{ "local-system-ip-addr 10.0.0.300",
		  "f:7:22: '10.0.0.300' is not an IPv4 or IPv6 address" },
		{ "local-system-ip-addr 224.0.0.1", "f:7:22: '224.0.0.1' is no unicast address" },
		{ "local-system-ip-addr 10.0.0.1", "f:7:22: '10.0.0.1' is given twice" },
		{ "dual-remote-interface-ip-addr 1.2.3.400",
		  "f:7:31: '1.2.3.400' is not an address, a host name or 'any'" },
		{ "local-bridge wan", "f:7:1: 'local-bridge' is given in line 2 already" },
		{ "local-id a{b", "f:7:10: 'a{b' is not an identity" },
		{ "ike-cipher aes256-sha512",
		  "f:7:12: cipher 'aes256-sha512' lacks a Diffie-Hellman group" },
		{ "esp-cipher 3des-sha1",
		  "f:7:12: '3des' in cipher '3des-sha1' is not an encryption" },
		{ "esp-cipher aes128-sha1-modp2048-x", "nothing can follow the group" },
		{ "psk local-psk a remote-psk b", "f:7:1: 'psk' is given in line 6 already" },
		{ "route-limit", "f:7:12: expected a number after 'route-limit'" },
		{ "route-limit many", "f:7:13: route-limit: 'many' is not a number" },
		{ "route-limit 5 disable",
		  "f:7:15: expected 'action', or the end of the line" },
		{ "route-limit 5 action", "f:7:21: expected refuse or disable after 'route-limit'" },
		{ "route-limit 5 action block",
		  "f:7:22: 'block' is not one of refuse or disable" },
		{ "route-limit 5 action refuse x", "f:7:29: expected the end of the line" },
		{ "packet-mark", "f:7:12: expected a number after 'packet-mark'" },
		{ "packet-mark 0x1g", "f:7:13: packet-mark: '0x1g' is not a number" },
		{ "packet-priority 4294967296", "f:7:17: packet-priority: " },
		{ "backup-overlay", "f:7:15: expected the name of another overlay after 'backup-overlay'" },
		{ "backup-overlay \"\"", "f:7:16: '' is not the name of an overlay" },
		{ "table 100\nvrf v", "f:7:7: in a VRF the device has the VRF's table" },
	};
	char text[1024];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s%s\n", GOOD, cases[i].line);
		refused(text, cases[i].want);
	}
}

static void every_cipher_of_the_field(void **state)
{
	static const char *const ike[] = { "aes128-sha1-modp1536",
		"aes256-sha512-modp2048", "aes256-sha512-modp4096",
		"aes256gcm16-prfsha384-ecp384" };
	static const char *const esp[] = { "aes128-sha1", "aes256-sha512",
		"aes128-sha1-modp1536", "aes256-sha1-modp2048",
		"aes256-sha256-modp2048", "aes256-sha512-modp2048",
		"aes256-sha512-modp4096", "aes256gcm16", "aes128gcm16-modp2048" };
	static const char *const bad[] = { "", "-", "aes256", "sha1-aes128",
		"aes128-sha1-", "aes128--sha1", "aes256gcm16-sha512-modp2048x",
		"aes256-prfsha1" };
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(ike) / sizeof(ike[0]); i++)
		if (!conf_cipher(ike[i], true, &e))
			fail_msg("%s", e.text);
	for (i = 0; i < sizeof(esp) / sizeof(esp[0]); i++)
		if (!conf_cipher(esp[i], false, &e))
			fail_msg("%s", e.text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (conf_cipher(bad[i], false, &e))
			fail_msg("'%s' was taken", bad[i]);
	assert_false(conf_cipher("aes256gcm16-ecp384", true, &e));
	assert_names(&e, "pseudo-random");
}

static void secrets_never_show(void **state)
{
	static const char *const texts[] = {
		"secure-overlay a\n psk SECRETWORD\n",
		"secure-overlay a\n psk local-psk x SECRETWORD y\n",
		"secure-overlay a\n psk local-psk a SECRETWORD\n",
		"secure-overlay a\n psk local-psk 0xSECRETWORD remote-psk b\n",
		"secure-overlay a\n eap SECRETWORD\n",
		"secure-overlay a\n eap username u password SECRETWORD SECRETWORD\n",
		"router bgp 1\n neighbor 10.0.0.1 password \"SECRETWORD\\\"\"\n",
		"router bgp 1\n neighbor 10.0.0.1 password a SECRETWORD\n",
	};
	struct conf conf;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *got = messages(texts[i], strlen(texts[i]), &conf);

		if (!got[0] || strstr(got, "SECRETWORD"))
			fail_msg("%s gave %s", texts[i], got);
		free(got);
		conf_free(&conf);
	}
}

static void missing_items_are_named(void **state)
{
	(void)state;
	refused("secure-overlay a\n", "f:1:16: overlay 'a' lacks remote-interface-ip-addr");
	refused("secure-overlay a\n", "f:1:16: overlay 'a' lacks 'psk local-psk SECRET");
	refused("secure-overlay a\n psk local-psk x\n", "f:2:17: expected remote-psk SECRET");
	refused("secure-overlay a\n eap username u\n", "f:2:16: expected password SECRET");
	refused("secure-overlay\n", "f:1:15: expected a name after 'secure-overlay'");
	refused("router\n", "f:1:7: expected 'bgp' after 'router'");
	refused(GOOD "router bgp 1\n neighbor 10.0.1.1 description x\n",
		"f:8:11: neighbour 10.0.1.1 lacks remote-as NUMBER");
	refused("secure-overlay h\n role head-end\n",
		"overlay 'h' lacks remote-system-ip-addr");
	refused(GOOD " dual-remote-interface-ip-addr 192.0.2.2\n",
		"overlay 'a' lacks dual-local-bridge");
}

static void at_most_twenty_messages(void **state)
{
	char text[4096] = "secure-overlay a\n";
	struct conf conf;
	unsigned int i, lines = 0;
	char *got, *c;

	(void)state;
	for (i = 0; i < 100; i++)
		strcat(text, "nonsense\n");
	got = messages(text, strlen(text), &conf);
	for (c = got; *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, CONF_DIAGS_MAX + 1);
	assert_non_null(strstr(got, "f: and 82 more\n"));
	free(got);
	conf_free(&conf);
}

static void what_was_made_is_read_again(void **state)
{
	struct conf_manifest manifest;
	struct conf conf;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	accepted(GOOD " dual-local-bridge wan2\n" GOOD_HUB " vrf v\n", &conf);
	fputs("# something\n", out);
	conf_manifest_write(out, &conf);
	fputs("# overlay\n# overlay x\n# overlay x in y\n# overlay x on a/b\nconnections {\n", out);
	fclose(out);
	assert_true(conf_manifest_read(text, &manifest));
	assert_int_equal(manifest.n, 2);
	assert_string_equal(manifest.made[0].name, "a");
	assert_string_equal(manifest.made[0].dev, "ipsec0");
	assert_true(manifest.made[0].dual);
	assert_int_equal(manifest.made[0].addr.n, 1);
	assert_addr(&manifest.made[0].addr.a[0], "10.0.0.1");
	assert_string_equal(manifest.made[1].dev, "ovly0");
	assert_false(manifest.made[1].dual);
	assert_string_equal(manifest.made[1].vrf, "v");
	assert_string_equal(manifest.made[0].vrf, "");
	conf_manifest_free(&manifest);
	conf_free(&conf);
	free(text);
}

static void sections_are_compared(void **state)
{
	static const char a[] =
		"x\nconnections {\n\ta {\n\t\tb\n\t}\n\ta-dual {\n\t\tc\n\t}\n}\n";
	static const char b[] =
		"connections {\n\ta-dual {\n\t\td\n\t}\n\ta {\n\t\tb\n\t}\n}\n";
	size_t len;

	(void)state;
	assert_true(conf_same_section(a, b, "a"));
	assert_false(conf_same_section(a, b, "a-dual"));
	assert_false(conf_same_section(a, b, "b"));
	assert_false(conf_same_section(NULL, b, "a"));
	assert_null(conf_section("\n\ta {\n", "a", &len));
}

static void the_examples_are_right(void **state)
{
	static const char *const files[] = { "examples/ovly.conf",
					     "examples/ovly.conf-hub" };
	static char text[8192];
	struct conf conf;
	size_t i, n;

	(void)state;
	for (i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		FILE *f = fopen(files[i], "r");

		assert_non_null(f);
		n = fread(text, 1, sizeof(text) - 1, f);
		fclose(f);
		text[n] = '\0';
		accepted(text, &conf);
		assert_true(conf.overlays && conf.bgp.neighbors);
		conf_free(&conf);
	}
}

static void versions(void **state)
{
	(void)state;
	assert_int_equal(conf_version("BIRD version 1.6.8\n"), 1);
	assert_int_equal(conf_version("BIRD version 2.0.12\n"), 2);
	assert_int_equal(conf_version("BIRD version 3.1.8\n"), 3);
	assert_int_equal(conf_version("strongSwan swanctl 5.9.8\n"), 5);
	assert_int_equal(conf_version("Linux strongSwan U6.0.1/K6.1.0"), 6);
	assert_int_equal(conf_version("no number 7 here"), 0);
	assert_int_equal(conf_version(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_quotes_and_comments),
		cmocka_unit_test(unreadable_lines_are_named),
		cmocka_unit_test(what_is_no_text_is_told_once),
		cmocka_unit_test(files_of_other_systems_are_read),
		cmocka_unit_test(blocks_end_at_bang_and_keyword),
		cmocka_unit_test(defaults),
		cmocka_unit_test(unknown_words_get_a_suggestion),
		cmocka_unit_test(values_are_refused_with_what_was_expected),
		cmocka_unit_test(every_cipher_of_the_field),
		cmocka_unit_test(secrets_never_show),
		cmocka_unit_test(missing_items_are_named),
		cmocka_unit_test(at_most_twenty_messages),
		cmocka_unit_test(what_was_made_is_read_again),
		cmocka_unit_test(sections_are_compared),
		cmocka_unit_test(the_examples_are_right),
		cmocka_unit_test(versions),
	};

	return SUITE(tests);
}
