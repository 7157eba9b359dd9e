// SPDX-License-Identifier: GPL-2.0-only
/* BIRD's replies.  Nothing here trusts a length or a layout. */
#include "bird.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Digits and one of '-' and ' ': a line with a code. */
static bool has_code(const char *s, size_t len)
{
	return len >= 5 && isdigit((unsigned char)s[0]) &&
	       isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[2]) &&
	       isdigit((unsigned char)s[3]) && (s[4] == '-' || s[4] == ' ');
}

bool bird_next(const char **pos, struct bird_line *line)
{
	const char *s = *pos;
	size_t len, skip;

	if (!*s)
		return false;
	len = strcspn(s, "\n");
	*pos = s + len + (s[len] == '\n');
	line->first = has_code(s, len);
	line->last = line->first && s[4] == ' ';
	if (line->first)
		line->code = atoi((char[5]){ s[0], s[1], s[2], s[3], 0 });
	skip = line->first ? 5 : len ? 1 : 0;
	s += skip;
	len -= skip;
	if (len && s[len - 1] == '\r')
		len--;
	if (len >= sizeof(line->text))
		len = sizeof(line->text) - 1;
	memcpy(line->text, s, len);
	line->text[len] = '\0';
	return true;
}

bool bird_complete(const char *reply, size_t len)
{
	size_t i;

	if (!len || reply[len - 1] != '\n')
		return false;
	for (i = len - 1; i > 0 && reply[i - 1] != '\n'; i--)
		;
	return has_code(reply + i, len - i) && reply[i + 4] == ' ';
}

static void copy(char *out, size_t size, const char *s, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(out, s, len);
	out[len] = '\0';
}

/* "  Key:   value": the value, NULL if the line has another key */
static const char *value_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	text += strspn(text, " \t");
	if (strncmp(text, key, n) || text[n] != ':')
		return NULL;
	return text + n + 1 + strspn(text + n + 1, " \t");
}

static bool take(const char *text, const char *key, char *out, size_t size)
{
	const char *value = value_of(text, key);

	if (!value)
		return false;
	copy(out, size, value, strlen(value));
	return true;
}

static bool take_u32(const char *text, const char *key, uint32_t *out)
{
	const char *value = value_of(text, key);

	if (!value)
		return false;
	*out = (uint32_t)strtoul(value, NULL, 10);
	return true;
}

bool bird_parse_status(const char *reply, struct bird_status *out)
{
	static const char router_id[] = "Router ID is ";
	struct bird_line line = { 0 };

	memset(out, 0, sizeof(*out));
	while (bird_next(&reply, &line)) {
		if (line.code == 1000 && !strncmp(line.text, "BIRD ", 5))
			copy(out->version, sizeof(out->version), line.text + 5,
			     strcspn(line.text + 5, " "));
		else if (!strncmp(line.text, router_id, sizeof(router_id) - 1))
			copy(out->router_id, sizeof(out->router_id),
			     line.text + sizeof(router_id) - 1,
			     strlen(line.text + sizeof(router_id) - 1));
	}
	return out->router_id[0] != '\0';
}

/* The n-th blank-separated word; false when there is none. */
static bool word(const char *text, unsigned int n, char *out, size_t size)
{
	size_t len;

	for (;;) {
		text += strspn(text, " \t");
		len = strcspn(text, " \t");
		if (!len)
			return false;
		if (!n--)
			break;
		text += len;
	}
	copy(out, size, text, len);
	return true;
}

static bool start_protocol(const char *text, struct bird_bgp *out)
{
	char proto[16];

	memset(out, 0, sizeof(*out));
	if (!word(text, 1, proto, sizeof(proto)) || strcmp(proto, "BGP"))
		return false;
	word(text, 0, out->name, sizeof(out->name));
	word(text, 2, out->table, sizeof(out->table));
	word(text, 4, out->since, sizeof(out->since));
	word(text, 5, out->state, sizeof(out->state));
	return true;
}

static void take_timer(const char *text, const char *key, uint32_t *out)
{
	const char *value = value_of(text, key);
	const char *slash = value ? strchr(value, '/') : NULL;

	/* "225.793/240": what is left of it, and the whole */
	if (slash)
		*out = (uint32_t)strtoul(slash + 1, NULL, 10);
}

/* 1.6 has no channels: what they say is the protocol's. */
static struct bird_channel *sole_channel(struct bird_bgp *bgp)
{
	struct bird_channel *c = &bgp->channel[bgp->channels++];

	memcpy(c->table, bgp->table, sizeof(c->table));
	return c;
}

/* The family is the neighbour's then, whose address comes last. */
static void end_protocol(struct bird_bgp *bgp, bird_bgp_cb cb, void *arg)
{
	struct bird_channel *c = &bgp->channel[0];

	if (bgp->channels && !c->name[0]) {
		strcpy(c->name, strchr(bgp->neighbor, ':') ? "ipv6" : "ipv4");
		strcpy(c->state,
		       strcmp(bgp->state, "Established") ? "DOWN" : "UP");
	}
	cb(bgp, arg);
}

static void protocol_line(const char *text, struct bird_bgp *bgp)
{
	struct bird_channel *c =
		bgp->channels ? &bgp->channel[bgp->channels - 1] : NULL;
	static const char channel[] = "  Channel ";
	char limit[16];

	if (!strncmp(text, channel, sizeof(channel) - 1)) {
		if (bgp->channels < BIRD_CHANNELS) {
			c = &bgp->channel[bgp->channels++];
			word(text + sizeof(channel) - 1, 0, c->name,
			     sizeof(c->name));
		}
		return;
	}
	if (take(text, "BGP state", bgp->state, sizeof(bgp->state)) ||
	    take(text, "Neighbor address", bgp->neighbor,
		 sizeof(bgp->neighbor)) ||
	    take(text, "Neighbor ID", bgp->neighbor_id,
		 sizeof(bgp->neighbor_id)) ||
	    take(text, "Source address", bgp->source, sizeof(bgp->source)) ||
	    take(text, "Last error", bgp->info, sizeof(bgp->info)) ||
	    take_u32(text, "Neighbor AS", &bgp->neighbor_as) ||
	    take_u32(text, "Local AS", &bgp->local_as))
		return;
	take_timer(text, "Hold timer", &bgp->hold);
	take_timer(text, "Keepalive timer", &bgp->keepalive);
	if (!c && value_of(text, "Preference"))
		c = sole_channel(bgp);
	if (!c)
		return;
	if (take(text, "State", c->state, sizeof(c->state)) ||
	    take(text, "Table", c->table, sizeof(c->table)) ||
	    take(text, "Action", c->limit_action, sizeof(c->limit_action)))
		return;
	if (take(text, "Import limit", limit, sizeof(limit)))
		c->import_limit = (uint32_t)strtoul(limit, NULL, 10);
	else if (value_of(text, "Routes"))
		sscanf(value_of(text, "Routes"),
		       "%u imported, %u exported, %u preferred", &c->imported,
		       &c->exported, &c->preferred);
}

void bird_parse_protocols(const char *reply, bird_bgp_cb cb, void *arg)
{
	struct bird_line line = { 0 };
	struct bird_bgp bgp;
	bool in_bgp = false;

	while (bird_next(&reply, &line)) {
		if (line.code == 1002) {
			/* without "all" the lines after the first have none */
			if (in_bgp)
				end_protocol(&bgp, cb, arg);
			in_bgp = start_protocol(line.text, &bgp);
		} else if (line.code == 1006 && in_bgp) {
			protocol_line(line.text, &bgp);
		} else if (line.last && in_bgp) {
			end_protocol(&bgp, cb, arg);
			in_bgp = false;
		}
	}
	if (in_bgp)
		end_protocol(&bgp, cb, arg);
}

/* "10.9.0.0/16  unicast [hub 12:34:58.125] * (100/?) [AS65010i]"; 1.6 has
 * "via ... on ..." instead of "unicast"; a further route of the same network
 * has blanks instead of it.
 */
static bool start_route(const char *text, struct bird_route *out)
{
	const char *open = strstr(text, " [");
	const char *close = open ? strchr(open, ']') : NULL;
	char network[sizeof(out->network)];
	char table[sizeof(out->table)];
	size_t len;

	if (!close || text[0] == '\t')
		return false;
	memcpy(network, out->network, sizeof(network));
	memcpy(table, out->table, sizeof(table));
	memset(out, 0, sizeof(*out));
	memcpy(out->network, network, sizeof(network));
	memcpy(out->table, table, sizeof(table));
	if (text[0] != ' ')
		word(text, 0, out->network, sizeof(out->network));
	open += 2;
	len = strcspn(open, " ]");
	copy(out->protocol, sizeof(out->protocol), open, len);
	open += len + strspn(open + len, " ");
	copy(out->since, sizeof(out->since), open, strcspn(open, " ]"));
	out->best = !strncmp(close, "] *", 3);
	out->origin = '?';
	return out->network[0] != '\0';
}

/* "BGP.as_path" of 1.6 and 2 is "bgp_path" of 3. */
static const char *attribute(const char *text, const char *name)
{
	text += strspn(text, " \t");
	if (!strncmp(text, "BGP.", 4) || !strncmp(text, "bgp_", 4))
		return value_of(text + 4, name);
	return NULL;
}

static void route_line(const char *text, struct bird_route *route)
{
	const char *value;

	value = attribute(text, "as_path");
	if (!value)
		value = attribute(text, "path");
	if (value) {
		copy(route->as_path, sizeof(route->as_path), value,
		     strlen(value));
		return;
	}
	value = attribute(text, "next_hop");
	if (value) {
		word(value, 0, route->next_hop, sizeof(route->next_hop));
		return;
	}
	value = attribute(text, "local_pref");
	if (value) {
		route->local_pref = (uint32_t)strtoul(value, NULL, 10);
		return;
	}
	value = attribute(text, "med");
	if (value) {
		route->has_med = true;
		route->med = (uint32_t)strtoul(value, NULL, 10);
		return;
	}
	value = attribute(text, "origin");
	if (value)
		route->origin = value[0] == 'I' && value[1] == 'G' ? 'i' :
				value[0] == 'E' ? 'e' : '?';
}

void bird_parse_routes(const char *reply, bird_route_cb cb, void *arg)
{
	struct bird_route route = { 0 };
	struct bird_line line = { 0 };
	bool in_route = false;

	while (bird_next(&reply, &line)) {
		if (line.code == 1007 && !strncmp(line.text, "Table ", 6)) {
			if (in_route)
				cb(&route, arg);
			in_route = false;
			memset(&route, 0, sizeof(route));
			copy(route.table, sizeof(route.table), line.text + 6,
			     strcspn(line.text + 6, ": "));
		} else if (line.code == 1007) {
			struct bird_route next = route;

			if (!start_route(line.text, &next))
				continue;
			if (in_route)
				cb(&route, arg);
			route = next;
			in_route = true;
		} else if (line.code == 1012 && in_route) {
			route_line(line.text, &route);
		}
	}
	if (in_route)
		cb(&route, arg);
}
