// SPDX-License-Identifier: GPL-2.0-only
#include "conf_manifest.h"

#include <stdlib.h>
#include <string.h>

#include "parse.h"

#define LINE "# overlay "

void conf_manifest_write(FILE *out, const struct conf *conf)
{
	char buf[ADDR_STRLEN];
	unsigned int i, k;

	for (i = 0; i < conf->overlays; i++) {
		const struct conf_overlay *o = &conf->overlay[i];

		fprintf(out, LINE "%s on %s%s", o->name, o->dev,
			conf_is_dual(o) ? " dual" : "");
		if (o->vrf[0])
			fprintf(out, " vrf %s", o->vrf);
		for (k = 0; k < o->local_system.n; k++)
			fprintf(out, " %s",
				addr_str(&o->local_system.a[k], buf));
		fputc('\n', out);
	}
}

static bool read_line(char *line, struct conf_made *made)
{
	char *save, *word = strtok_r(line, " ", &save);
	struct ovly_addr a;
	struct err e;

	memset(made, 0, sizeof(*made));
	if (!word || !parse_name(word, made->name, &e))
		return false;
	word = strtok_r(NULL, " ", &save);
	if (!word || strcmp(word, "on"))
		return false;
	word = strtok_r(NULL, " ", &save);
	if (!word || !parse_ifname(word, made->dev, &e))
		return false;
	while ((word = strtok_r(NULL, " ", &save))) {
		if (!strcmp(word, "dual")) {
			made->dual = true;
		} else if (!strcmp(word, "vrf")) {
			word = strtok_r(NULL, " ", &save);
			if (!word || !parse_ifname(word, made->vrf, &e))
				return false;
		} else if (parse_addr(word, &a, &e) &&
			 made->addr.n < OVLY_PEER_ADDRS_MAX) {
			made->addr.a[made->addr.n++] = a;
		}
	}
	return true;
}

bool conf_manifest_read(const char *text, struct conf_manifest *manifest)
{
	const char *next;
	char line[1024];

	memset(manifest, 0, sizeof(*manifest));
	for (; *text; text = next) {
		size_t len = strcspn(text, "\n");
		struct conf_made made, *all;

		next = text + len + (text[len] == '\n');
		if (strncmp(text, LINE, strlen(LINE)) || len >= sizeof(line))
			continue;
		memcpy(line, text + strlen(LINE), len - strlen(LINE));
		line[len - strlen(LINE)] = '\0';
		if (!read_line(line, &made))
			continue;
		all = reallocarray(manifest->made, manifest->n + 1,
				   sizeof(*all));
		if (!all) {
			conf_manifest_free(manifest);
			return false;
		}
		manifest->made = all;
		all[manifest->n++] = made;
	}
	return true;
}

void conf_manifest_free(struct conf_manifest *manifest)
{
	free(manifest->made);
	memset(manifest, 0, sizeof(*manifest));
}

const char *conf_section(const char *text, const char *name, size_t *len)
{
	char start[OVLY_NAME_MAX + 8];
	const char *from, *end;

	snprintf(start, sizeof(start), "\n\t%s {\n", name);
	from = text ? strstr(text, start) : NULL;
	end = from ? strstr(from, "\n\t}\n") : NULL;
	if (!end)
		return NULL;
	*len = (size_t)(end - from);
	return from;
}

bool conf_same_section(const char *a, const char *b, const char *name)
{
	size_t a_len, b_len;

	a = conf_section(a, name, &a_len);
	b = conf_section(b, name, &b_len);
	return a && b && a_len == b_len && !memcmp(a, b, a_len);
}
