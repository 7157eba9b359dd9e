// SPDX-License-Identifier: GPL-2.0-only
/* The attributes by name, and messages as text. */
#include "attrs.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <inttypes.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include <linux/ovly.h>

#include "nla.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))
#define SET(array) { (array), N(array) }

static const struct attr stats_attrs[] = {
	[OVLY_A_STATS_PAD] = { "pad", F_PAD },
	[OVLY_A_STATS_RX_PACKETS] = { "rx-packets", F_U64 },
	[OVLY_A_STATS_RX_BYTES] = { "rx-bytes", F_U64 },
	[OVLY_A_STATS_TX_PACKETS] = { "tx-packets", F_U64 },
	[OVLY_A_STATS_TX_BYTES] = { "tx-bytes", F_U64 },
	[OVLY_A_STATS_TX_NO_PEER] = { "tx-no-peer", F_U64 },
	[OVLY_A_STATS_TX_NO_PATH] = { "tx-no-path", F_U64 },
	[OVLY_A_STATS_TX_NO_SA] = { "tx-no-sa", F_U64 },
	[OVLY_A_STATS_TX_NO_POLICY] = { "tx-no-policy", F_U64 },
	[OVLY_A_STATS_TX_TOO_BIG] = { "tx-too-big", F_U64 },
	[OVLY_A_STATS_TX_LOOP] = { "tx-loop", F_U64 },
	[OVLY_A_STATS_TX_ERROR] = { "tx-error", F_U64 },
	[OVLY_A_STATS_RX_SOURCE] = { "rx-source", F_U64 },
	[OVLY_A_STATS_RX_SELECTOR] = { "rx-selector", F_U64 },
	[OVLY_A_STATS_RX_ERROR] = { "rx-error", F_U64 },
};
static const struct attr_set stats_set = SET(stats_attrs);

static const struct attr dev_attrs[] = {
	[OVLY_A_DEV_MODE] = { "mode", F_U32 },
	[OVLY_A_DEV_TABLE] = { "table", F_U32 },
	[OVLY_A_DEV_SRC_VALID] = { "src-valid", F_U32 },
	[OVLY_A_DEV_CARRIER_FOLLOWS] = { "carrier-follows", F_U32 },
	[OVLY_A_DEV_ACTIVE_TABLE] = { "active-table", F_U32 },
	[OVLY_A_DEV_PEERS] = { "peers", F_U32 },
	[OVLY_A_DEV_PEERS_UP] = { "peers-up", F_U32 },
	[OVLY_A_DEV_ROUTES] = { "routes", F_U32 },
	[OVLY_A_DEV_ROUTES_INSTALLED] = { "routes-installed", F_U32 },
	[OVLY_A_DEV_STATS] = { "stats", F_NEST, &stats_set, true },
	[OVLY_A_DEV_PAD] = { "pad", F_PAD },
};
static const struct attr_set dev_set = SET(dev_attrs);

static const struct attr peer_attrs[] = {
	[OVLY_A_PEER_ID] = { "id", F_U32 },
	[OVLY_A_PEER_NAME] = { "name", F_STR },
	[OVLY_A_PEER_ADDR] = { "addr", F_IP },
	[OVLY_A_PEER_ON_DOWN] = { "on-down", F_U32 },
	[OVLY_A_PEER_ROUTE_LIMIT] = { "route-limit", F_U32 },
	[OVLY_A_PEER_STATE] = { "state", F_U32 },
	[OVLY_A_PEER_ROUTES] = { "routes", F_U32 },
	[OVLY_A_PEER_PATHS] = { "paths", F_U32 },
	[OVLY_A_PEER_ACTIVE_PATH] = { "active-path", F_U32 },
	[OVLY_A_PEER_TRANSITIONS] = { "transitions", F_U32 },
	[OVLY_A_PEER_SINCE] = { "since", F_U64, NULL, true },
	[OVLY_A_PEER_STATS] = { "stats", F_NEST, &stats_set, true },
	[OVLY_A_PEER_PAD] = { "pad", F_PAD },
	[OVLY_A_PEER_BACKUP_ID] = { "backup-id", F_U32 },
	[OVLY_A_PEER_BACKUP_NAME] = { "backup-name", F_STR },
	[OVLY_A_PEER_LIMIT_ACTION] = { "limit-action", F_U32 },
	[OVLY_A_PEER_MARK] = { "mark", F_U32 },
	[OVLY_A_PEER_PRIORITY] = { "priority", F_U32 },
	[OVLY_A_PEER_ROUTES_DISABLED] = { "routes-disabled", F_U32 },
	[OVLY_A_PEER_VIA_BACKUP] = { "via-backup", F_U32 },
	[OVLY_A_PEER_LAST_RX] = { "last-rx", F_U64, NULL, true },
	[OVLY_A_PEER_LAST_TX] = { "last-tx", F_U64, NULL, true },
};
static const struct attr_set peer_set = SET(peer_attrs);

static const struct attr path_attrs[] = {
	[OVLY_A_PATH_IF_ID_IN] = { "if-id-in", F_U32 },
	[OVLY_A_PATH_IF_ID_OUT] = { "if-id-out", F_U32 },
	[OVLY_A_PATH_PEER_ID] = { "peer-id", F_U32 },
	[OVLY_A_PATH_PEER_NAME] = { "peer-name", F_STR },
	[OVLY_A_PATH_ENDPOINT] = { "endpoint", F_IP },
	[OVLY_A_PATH_LOCAL] = { "local", F_IP },
	[OVLY_A_PATH_UNDERLAY] = { "underlay", F_U32 },
	[OVLY_A_PATH_PRIORITY] = { "priority", F_U32 },
	[OVLY_A_PATH_LABEL] = { "label", F_STR },
	[OVLY_A_PATH_REMOTE_ID] = { "remote-id", F_STR },
	[OVLY_A_PATH_STATE] = { "state", F_U32 },
	[OVLY_A_PATH_SA_IN] = { "sa-in", F_U32 },
	[OVLY_A_PATH_SA_OUT] = { "sa-out", F_U32 },
	[OVLY_A_PATH_SINCE] = { "since", F_U64, NULL, true },
	[OVLY_A_PATH_PAD] = { "pad", F_PAD },
	[OVLY_A_PATH_UNDERLAY_NAME] = { "underlay-name", F_STR },
	[OVLY_A_PATH_MTU] = { "mtu", F_U32, NULL, true },
	[OVLY_A_PATH_PREVIOUS_ENDPOINT] = { "previous-endpoint", F_IP },
};
static const struct attr_set path_set = SET(path_attrs);

static const struct attr route_attrs[] = {
	[OVLY_A_ROUTE_DST] = { "dst", F_IP },
	[OVLY_A_ROUTE_PREFIXLEN] = { "prefixlen", F_U32 },
	[OVLY_A_ROUTE_METRIC] = { "metric", F_U32 },
	[OVLY_A_ROUTE_PROTOCOL] = { "protocol", F_U32 },
	[OVLY_A_ROUTE_PEER_ID] = { "peer-id", F_U32 },
	[OVLY_A_ROUTE_PEER_NAME] = { "peer-name", F_STR },
	[OVLY_A_ROUTE_VIA] = { "via", F_IP },
	[OVLY_A_ROUTE_FAMILY] = { "family", F_U32 },
	[OVLY_A_ROUTE_FLAGS] = { "flags", F_U32 },
	[OVLY_A_ROUTE_ERROR] = { "error", F_U32 },
};
static const struct attr_set route_set = SET(route_attrs);

static const struct attr refused_attrs[] = {
	[OVLY_A_REFUSED_INDEX] = { "index", F_U32 },
	[OVLY_A_REFUSED_ERROR] = { "error", F_U32 },
	[OVLY_A_REFUSED_MESSAGE] = { "message", F_STR },
};
static const struct attr_set refused_set = SET(refused_attrs);

static const struct attr genl_attrs[] = {
	[OVLY_A_IFINDEX] = { "ifindex", F_U32 },
	[OVLY_A_IFNAME] = { "ifname", F_STR },
	[OVLY_A_DEV] = { "dev", F_NEST, &dev_set },
	[OVLY_A_PEER] = { "peer", F_NEST, &peer_set },
	[OVLY_A_PATH] = { "path", F_NEST, &path_set },
	[OVLY_A_ROUTE] = { "route", F_NEST, &route_set },
	[OVLY_A_APPLIED] = { "applied", F_U32 },
	[OVLY_A_REFUSED] = { "refused", F_NEST, &refused_set },
	[OVLY_A_COOKIE] = { "cookie", F_U64 },
	[OVLY_A_EVENT] = { "event", F_EVENT },
	[OVLY_A_PAD] = { "pad", F_PAD },
};
static const struct attr_set genl_set = SET(genl_attrs);

static const struct attr linkinfo_attrs[] = {
	[IFLA_INFO_KIND] = { "kind", F_STR },
	[IFLA_INFO_DATA] = { "data", F_NEST, &dev_set },
};
static const struct attr_set linkinfo_set = SET(linkinfo_attrs);

/* Those of a link that the tests set; others are not printed. */
static const struct attr link_attrs[] = {
	[IFLA_ADDRESS] = { "address", F_BIN },
	[IFLA_IFNAME] = { "ifname", F_STR },
	[IFLA_MTU] = { "mtu", F_U32 },
	[IFLA_LINKINFO] = { "linkinfo", F_NEST, &linkinfo_set },
};
static const struct attr_set link_set = SET(link_attrs);

static const char *const events[] = {
	[OVLY_EVENT_UNSPEC] = "unspec",
	[OVLY_EVENT_DEV_NEW] = "dev-new",
	[OVLY_EVENT_DEV_DEL] = "dev-del",
	[OVLY_EVENT_PEER_NEW] = "peer-new",
	[OVLY_EVENT_PEER_SET] = "peer-set",
	[OVLY_EVENT_PEER_DEL] = "peer-del",
	[OVLY_EVENT_PEER_UP] = "peer-up",
	[OVLY_EVENT_PEER_DOWN] = "peer-down",
	[OVLY_EVENT_PATH_NEW] = "path-new",
	[OVLY_EVENT_PATH_DEL] = "path-del",
	[OVLY_EVENT_PATH_ACTIVE] = "path-active",
	[OVLY_EVENT_ROUTE_LIMIT] = "route-limit",
	[OVLY_EVENT_SOURCE_VIOLATION] = "source-violation",
	[OVLY_EVENT_DEV_UP] = "dev-up",
	[OVLY_EVENT_DEV_DOWN] = "dev-down",
	[OVLY_EVENT_PATH_UP] = "path-up",
	[OVLY_EVENT_PATH_DOWN] = "path-down",
	[OVLY_EVENT_ENDPOINT_MOVED] = "endpoint-moved",
	[OVLY_EVENT_ROUTES_DISABLED] = "routes-disabled",
	[OVLY_EVENT_ROUTES_ENABLED] = "routes-enabled",
};

#define GENL(name, cmd) { name, OVLY_CMD_##cmd, false, &genl_set }
static const struct command commands[] = {
	GENL("dev-get", DEV_GET),
	GENL("dev-set", DEV_SET),
	GENL("dev-resync", DEV_RESYNC),
	GENL("peer-new", PEER_NEW),
	GENL("peer-set", PEER_SET),
	GENL("peer-del", PEER_DEL),
	GENL("peer-get", PEER_GET),
	GENL("path-new", PATH_NEW),
	GENL("path-set", PATH_SET),
	GENL("path-del", PATH_DEL),
	GENL("path-get", PATH_GET),
	GENL("route-new", ROUTE_NEW),
	GENL("route-del", ROUTE_DEL),
	GENL("route-get", ROUTE_GET),
	GENL("route-flush", ROUTE_FLUSH),
	GENL("sync-begin", ROUTE_SYNC_BEGIN),
	GENL("sync-end", ROUTE_SYNC_END),
	GENL("event", EVENT),
	{ "link-new", RTM_NEWLINK, true, &link_set },
	{ "link-get", RTM_GETLINK, true, &link_set },
};

const struct command *command_nth(unsigned int n)
{
	return n < N(commands) && !commands[n].rtnl ? &commands[n] : NULL;
}

const struct command *command_find(const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; i < N(commands); i++)
		if (strlen(commands[i].name) == len && !memcmp(commands[i].name, name, len))
			return &commands[i];
	return NULL;
}

const struct command *command_of(bool rtnl, int type)
{
	unsigned int i;

	for (i = 0; i < N(commands); i++)
		if (commands[i].rtnl == rtnl && commands[i].type == type)
			return &commands[i];
	return NULL;
}

const struct attr *attr_get(const struct attr_set *set, unsigned int type)
{
	return set && type < set->n && set->attrs[type].name ? &set->attrs[type] : NULL;
}

/* The number of an attribute, or -1. */
int attr_find(const struct attr_set *set, const char *name, size_t len)
{
	unsigned int i;

	for (i = 0; set && i < set->n; i++) {
		const char *known = set->attrs[i].name;

		if (known && strlen(known) == len && !memcmp(known, name, len))
			return (int)i;
	}
	return -1;
}

int form_find(const char *name, size_t len)
{
	static const char *const forms[] = {
		[F_BIN] = "bin", [F_U8] = "u8",	  [F_U16] = "u16",	 [F_U32] = "u32",
		[F_U64] = "u64", [F_STR] = "str", [F_RAWSTR] = "rawstr", [F_IP] = "ip",
	};
	unsigned int i;

	for (i = 0; i < N(forms); i++)
		if (strlen(forms[i]) == len && !memcmp(forms[i], name, len))
			return (int)i;
	return -1;
}

static void print_string(const char *s, size_t len)
{
	bool quote;
	size_t i;

	len = strnlen(s, len);
	quote = memchr(s, ' ', len);
	if (quote)
		putchar('"');
	for (i = 0; i < len; i++)
		putchar(isprint((unsigned char)s[i]) ? s[i] : '?');
	if (quote)
		putchar('"');
}

static void print_bin(const unsigned char *data, size_t len)
{
	while (len--)
		printf("%02x", *data++);
}

static void print_value(enum form form, const void *data, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	uint64_t u64;
	uint32_t u32;

	if ((form == F_U32 || form == F_EVENT) && len == sizeof(u32)) {
		memcpy(&u32, data, len);
		if (form == F_EVENT && u32 < N(events))
			printf("%s", events[u32]);
		else
			printf("%" PRIu32, u32);
	} else if (form == F_U64 && len == sizeof(u64)) {
		memcpy(&u64, data, len);
		printf("%" PRIu64, u64);
	} else if (form == F_STR) {
		print_string(data, len);
	} else if (form == F_IP && (len == 4 || len == 16)) {
		printf("%s", inet_ntop(len == 4 ? AF_INET : AF_INET6, data, text, sizeof(text)));
	} else {
		print_bin(data, len);
	}
}

/* Attributes as the text that makes them again; of links only known ones. */
void attrs_print(const struct attr_set *set, const void *data, size_t len, bool stable)
{
	const struct nlattr *nla;

	nla_for_each(nla, data, len) {
		unsigned int type = nla_number(nla);
		const struct attr *attr = attr_get(set, type);
		size_t size = nla->nla_len - sizeof(*nla);

		if (!attr && (set == &link_set || set == &linkinfo_set))
			continue;
		if (attr && (attr->form == F_PAD || (stable && attr->restless)))
			continue;
		if (!attr) {
			printf(" #%u=", type);
			print_bin((const void *)(nla + 1), size);
		} else if (attr->form == F_NEST) {
			printf(" %s{", attr->name);
			attrs_print(attr->nest, nla + 1, size, stable);
			printf(" }");
		} else {
			printf(" %s=", attr->name);
			print_value(attr->form, nla + 1, size);
		}
	}
}

/* Which attribute is at @offset of @data?  As peer.name, route[3].dst, ...
 * Returns what may be in it.
 */
const struct attr_set *attrs_print_path(const struct attr_set *set, const void *data, size_t len,
					size_t offset)
{
	const struct nlattr *nla;
	unsigned int seen[64] = {};

	nla_for_each(nla, data, len) {
		unsigned int type = nla_number(nla);
		const struct attr *attr = attr_get(set, type);
		size_t start = (size_t)((const char *)nla - (const char *)data);

		if (offset >= start && offset < start + nla->nla_len) {
			if (attr)
				printf("%s", attr->name);
			else
				printf("#%u", type);
			if (type < N(seen) && seen[type])
				printf("[%u]", seen[type]);
			if (offset == start)
				return attr ? attr->nest : NULL;
			putchar('.');
			return attrs_print_path(attr ? attr->nest : NULL, nla + 1,
						nla->nla_len - sizeof(*nla),
						offset - start - sizeof(*nla));
		}
		if (type < N(seen))
			seen[type]++;
	}
	printf("?");
	return NULL;
}
