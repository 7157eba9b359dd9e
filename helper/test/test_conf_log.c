// SPDX-License-Identifier: GPL-2.0-only
/* What charon's log says of a connection, in lines of charon 5.9.8. */
#include "test.h"

#include "conf_log.h"

static void follow(struct conf_progress *p, const char *const *lines)
{
	memset(p, 0, sizeof(*p));
	for (; *lines; lines++)
		conf_log_follow(p, *lines);
}

static void events_are_split(void **state)
{
	char connection[64], message[128];

	(void)state;
	assert_true(conf_log_split(
		"log event {group=IKE level=1 thread=12 ikesa-name=myconn ikesa-uniqueid=1 msg=IKE_SA myconn[1] state {x} = y}",
		connection, sizeof(connection), message, sizeof(message)));
	assert_string_equal(connection, "myconn");
	assert_string_equal(message, "IKE_SA myconn[1] state {x} = y");
	/* no connection of its own */
	assert_false(conf_log_split(
		"log event {group=NET level=1 thread=12 msg=sending packet}",
		connection, sizeof(connection), message, sizeof(message)));
	assert_false(conf_log_split("", connection, sizeof(connection), message,
				    sizeof(message)));
	assert_false(conf_log_split("ikesa-name=", connection,
				    sizeof(connection), message,
				    sizeof(message)));
	/* cut, not overrun */
	assert_true(conf_log_split("{ikesa-name=myconn msg=abcdef}", connection,
				   4, message, 4));
	assert_string_equal(connection, "myc");
	assert_string_equal(message, "abc");
}

static void stages_of_a_good_start(void **state)
{
	static const struct { const char *line; enum conf_stage stage; } s[] = {
		{ "initiating IKE_SA myconn[1] to 10.88.247.84", STAGE_IKE },
		{ "generating IKE_SA_INIT request 0 [ SA KE No ]", STAGE_IKE },
		{ "parsed IKE_SA_INIT response 0 [ SA KE No ]", STAGE_AUTH },
		{ "authentication of '10.88.247.84' with pre-shared key successful",
		  STAGE_AUTH },
		{
		  "IKE_SA myconn[1] established between 10.88.247.89[10.88.247.89]...10.88.247.84[10.88.247.84]",
		  STAGE_CHILD },
		{
		  "CHILD_SA myconn{1} established with SPIs c9d0a8f1_i c0c1d7a5_o and TS 10.122.144.128/27 === 0.0.0.0/0",
		  STAGE_UPDOWN },
	};
	struct conf_progress p = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(s) / sizeof(s[0]); i++) {
		conf_log_follow(&p, s[i].line);
		assert_int_equal(p.stage, s[i].stage);
		assert_false(p.stopped);
	}
	assert_string_equal(p.why, "");
}

/* The head-end's side: charon knows the connection from the identities on. */
static void stages_of_a_branch_that_comes(void **state)
{
	static const char *const lines[] = {
		"selected peer config 'branch1'",
		"tried 1 shared key for '10.88.247.84' - '10.88.247.89', but MAC mismatched",
		NULL
	};
	static const char *const good[] = {
		"selected peer config 'branch1'",
		"IKE_SA branch1[2] established between 10.88.247.84[10.88.247.84]...10.88.247.89[10.88.247.89]",
		"CHILD_SA branch1{2} established with SPIs c_i d_o and TS a === b",
		NULL
	};
	struct conf_progress p;

	(void)state;
	follow(&p, lines);
	assert_int_equal(p.stage, STAGE_AUTH);
	assert_true(p.stopped);
	assert_non_null(strstr(p.hint, "remote-psk"));
	follow(&p, good);
	assert_int_equal(p.stage, STAGE_UPDOWN);
	assert_false(p.stopped);
}

static void silence(void **state)
{
	static const char *const lines[] = {
		"initiating IKE_SA myconn[1] to 10.88.247.70",
		"retransmit 1 of request with message ID 0", NULL
	};
	struct conf_progress p;

	(void)state;
	follow(&p, lines);
	assert_string_equal(conf_log_stage(&p), "the other end does not answer");
	assert_false(p.stopped);
	conf_log_follow(&p, "parsed IKE_SA_INIT response 0 [ SA KE No ]");
	assert_string_equal(conf_log_stage(&p), "authenticating");
}

static void refusals_have_a_way_out(void **state)
{
	static const struct { const char *line, *hint; } cases[] = {
		{ "received AUTHENTICATION_FAILED notify error", "psk" },
		{ "no shared key found for 'a' - 'b'", "local-id" },
		{ "tried 1 shared key for 'a' - 'b', but MAC mismatched",
		  "remote-psk" },
		{ "received NO_PROPOSAL_CHOSEN notify error", "ike-cipher" },
		{ "received TS_UNACCEPTABLE notify, no CHILD_SA built",
		  "local-system-ip-subnet" },
		{ "received EAP_FAILURE, EAP authentication failed",
		  "password" },
	};
	struct conf_progress p;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(&p, 0, sizeof(p));
		conf_log_follow(&p, cases[i].line);
		assert_true(p.stopped);
		assert_string_equal(p.why, cases[i].line);
		if (!p.hint || !strstr(p.hint, cases[i].hint))
			fail_msg("%s: %s", cases[i].line, p.hint);
		/* another try starts from the beginning */
		conf_log_follow(&p, "initiating IKE_SA myconn[2] to 192.0.2.1");
		assert_false(p.stopped);
	}
}

static void words_of_updown_are_kept(void **state)
{
	static const char *const lines[] = {
		"CHILD_SA myconn{1} established with SPIs c_i d_o and TS a === b",
		"updown: ovlyhelper: updown: device 'ipsec0' exists but is not an ovly device",
		NULL
	};
	struct conf_progress p;

	(void)state;
	follow(&p, lines);
	assert_int_equal(p.stage, STAGE_UPDOWN);
	assert_string_equal(p.why, lines[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_split),
		cmocka_unit_test(stages_of_a_good_start),
		cmocka_unit_test(stages_of_a_branch_that_comes),
		cmocka_unit_test(silence),
		cmocka_unit_test(refusals_have_a_way_out),
		cmocka_unit_test(words_of_updown_are_kept),
	};

	return SUITE(tests);
}
