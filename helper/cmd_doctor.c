// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper doctor: what breaks real deployments, and what to do about it */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "cmd.h"
#include "doctor.h"
#include "out.h"

static void print(json_t *findings)
{
	json_t *f;
	size_t i;

	json_array_foreach(findings, i, f) {
		const char *todo =
			json_string_value(json_object_get(f, "todo"));

		printf("%-4s  %-10s  ",
		       json_string_value(json_object_get(f, "level")),
		       json_string_value(json_object_get(f, "check")));
		out_words(json_string_value(json_object_get(f, "text")), 18);
		if (todo) {
			printf("%*s-> ", 18, "");
			out_words(todo, 21);
		}
	}
}

static bool run(int argc, char **argv, struct err *e)
{
	bool json = false;
	const struct arg args[] = {
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	struct host host = { 0 };
	struct doctor d = { .host = &host, .ops = &doctor_ops };
	json_t *findings = NULL;
	struct ovly_nl nl;

	if (!args_parse(argc, argv, args, NULL, 0, e) ||
	    !ovly_nl_open(&nl, false, e))
		return false;
	if (host_read(&host, &nl, e))
		findings = doctor_run(&d);
	host_free(&host);
	ovly_nl_close(&nl);
	if (!findings)
		return false;
	if (d.worst == DOCTOR_FAIL)
		e->verdict = EXIT_REFUSED;
	if (json) {
		out_json(findings);
	} else {
		print(findings);
		json_decref(findings);
	}
	return true;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.run = run,
	.summary = "look for what breaks deployments, say what to do",
	.synopsis = "[json]",
	.usage =
"  json   JSON; a line for each finding: OK, WARN or FAIL, what is so, and what\n"
"         to do about it\n",
	.notes =
"Looks at this network namespace and changes nothing.\n",
	.examples =
"  ovlyhelper doctor\n"
"  ovlyhelper doctor --json | jq '.[] | select(.level == \"FAIL\")'\n",
	.exits =
"0 no FAIL, 1 a FAIL, or failed",
};
