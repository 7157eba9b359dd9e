// SPDX-License-Identifier: GPL-2.0-only
/* ovlyhelper show route: which way a packet goes, or why it is dropped */
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "explain.h"
#include "out.h"
#include "parse.h"
#include "show.h"

static const char *str(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static void print(const json_t *answer)
{
	const char *from = str(answer, "from");
	const char *prefix = str(answer, "prefix");
	json_t *step;
	size_t i;

	printf("to %s%s%s%s%s\n", str(answer, "to"), prefix[0] ? " of " : "",
	       prefix, from[0] ? " from " : "", from);
	json_array_foreach(json_object_get(answer, "steps"), i, step) {
		printf("%2u  %-9s ", (unsigned int)i + 1, str(step, "step"));
		out_words(str(step, "text"), 14);
	}
	fputs("=> ", stdout);
	out_words(str(answer, "text"), 3);
}

static bool vrf_of(const struct host *host, const char *name, uint32_t *ifindex,
		   struct err *e)
{
	unsigned int i;

	for (i = 0; name[0] && i < host->links; i++) {
		const struct host_link *l = &host->link[i];

		if (l->vrf_table && !strcmp(l->link.name, name)) {
			*ifindex = l->link.ifindex;
			return true;
		}
	}
	return name[0] ? err_set(e, EXIT_REFUSED, "there is no VRF '%s'",
				 name) : true;
}

bool show_route(int argc, char **argv, struct err *e)
{
	struct explain_question q = { 0 };
	char vrf[IFNAMSIZ] = "";
	bool json = false;
	const struct arg args[] = {
		ARG("from", ARG_ADDR, &q.from),
		ARG("vrf", ARG_IFNAME, vrf),
		ARG("mark", ARG_U32, &q.mark),
		ARG("json", ARG_FLAG, &json),
		ARG_END,
	};
	const char *to = NULL;
	json_t *answer = NULL;
	struct host host = { 0 };
	struct ovly_nl nl;

	if (!args_parse(argc, argv, args, &to, 1, e))
		return false;
	if (!to)
		return err_set(e, EXIT_USAGE,
			       "to which address or prefix? for example 'show route 10.1.2.3'");
	if (!parse_net(to, &q.to, e))
		return false;
	if (q.from.family && q.from.family != q.to.addr.family)
		return err_set(e, EXIT_USAGE,
			       "'%s' and the source are not of one family", to);
	if (!ovly_nl_open(&nl, true, e))
		return false;
	if (host_read(&host, &nl, e) && vrf_of(&host, vrf, &q.vrf, e))
		answer = explain(&host, &q);
	host_free(&host);
	ovly_nl_close(&nl);
	if (!answer)
		return false;
	if (!explain_is_good(answer))
		e->verdict = EXIT_REFUSED;
	if (json) {
		out_json(answer);
	} else {
		print(answer);
		json_decref(answer);
	}
	return true;
}
