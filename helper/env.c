// SPDX-License-Identifier: GPL-2.0-only
#include "env.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "parse.h"

/* Bounded like charon's own environment, which has room for 128 variables. */
#define SOURCEIP_MAX 32

static bool read_verb(const char *verb, bool *up, struct err *e)
{
	static const char *const verbs[] = {
		"up-host", "up-client", "up-host-v6", "up-client-v6",
		"down-host", "down-client", "down-host-v6", "down-client-v6",
		NULL,
	};
	uint32_t i;

	if (!verb)
		return err_set(e, EXIT_USAGE,
			       "PLUTO_VERB is not set: 'updown' is for strongSwan to call, see 'updown' in swanctl.conf");
	if (!parse_word(verb, verbs, &i, e))
		return err_prefix(e, "PLUTO_VERB");
	*up = i < 4;
	return true;
}

static bool read_addr(env_lookup lookup, const char *name,
		      struct ovly_addr *out, struct err *e)
{
	const char *value = lookup(name);

	if (!value)
		return err_set(e, EXIT_USAGE, "%s is not set", name);
	if (!parse_addr(value, out, e))
		return err_prefix(e, "%s", name);
	return true;
}

static bool add_sourceip(env_lookup lookup, const char *name,
			 struct ovly_addrs *out, bool *found, struct err *e)
{
	const char *value = lookup(name);
	struct ovly_addr a;
	unsigned int i;

	*found = value;
	if (!value)
		return true;
	if (!parse_addr(value, &a, e))
		return err_prefix(e, "%s", name);
	/* charon asks for a virtual IP with 0.0.0.0 and may repeat it */
	if (!addr_is_unicast(&a))
		return true;
	/* the unnumbered variable repeats the first numbered one */
	for (i = 0; i < out->n; i++)
		if (addr_equal(&out->a[i], &a))
			return true;
	if (out->n < OVLY_PEER_ADDRS_MAX)
		out->a[out->n++] = a;
	return true;
}

static bool read_sourceips(env_lookup lookup, const char *whose,
			   struct ovly_addrs *out, struct err *e)
{
	static const char families[] = "46";
	const char *family;
	char name[40];
	bool found;
	int i;

	snprintf(name, sizeof(name), "PLUTO_%s_SOURCEIP", whose);
	if (!add_sourceip(lookup, name, out, &found, e))
		return false;
	for (family = families; *family; family++) {
		for (i = 1; i <= SOURCEIP_MAX; i++) {
			snprintf(name, sizeof(name), "PLUTO_%s_SOURCEIP%c_%d",
				 whose, *family, i);
			if (!add_sourceip(lookup, name, out, &found, e))
				return false;
			if (!found)
				break;
		}
	}
	return true;
}

static bool read_if_ids(env_lookup lookup, struct pluto *out, struct err *e)
{
	const char *in = lookup("PLUTO_IF_ID_IN");
	const char *other = lookup("PLUTO_IF_ID_OUT");

	if (!in || !other)
		return err_set(e, EXIT_USAGE,
			       "connection '%s' has no XFRM interface id: set if_id_in and if_id_out (a number, or %%unique) in its connection",
			       out->connection);
	if (!parse_u32(in, 1, UINT32_MAX, &out->if_id_in, e))
		return err_prefix(e, "PLUTO_IF_ID_IN");
	if (!parse_u32(other, 1, UINT32_MAX, &out->if_id_out, e))
		return err_prefix(e, "PLUTO_IF_ID_OUT");
	return true;
}

/* Identities may be longer than the module takes, or not ASCII.  Two that become
 * alike still differ: the mark ends with a hash of the whole (FNV-1a).
 */
static bool read_identity(const char *id, char out[OVLY_REMOTE_ID_MAX + 1],
			  struct err *e)
{
	const size_t room = OVLY_REMOTE_ID_MAX - strlen("...#0123456789abcdef");
	uint64_t hash = 0xcbf29ce484222325;
	char cut[OVLY_REMOTE_ID_MAX + 1];
	bool ascii = true;
	size_t i;

	for (i = 0; id[i]; i++) {
		hash = (hash ^ (uint8_t)id[i]) * 0x100000001b3;
		ascii = ascii && !(id[i] & 0x80);
		if (i < room)
			cut[i] = id[i] & 0x80 ? '?' : id[i];
	}
	if (ascii && i <= OVLY_REMOTE_ID_MAX)
		return parse_text(id, out, OVLY_REMOTE_ID_MAX + 1, e);
	if (i > room)
		i = room;
	snprintf(cut + i, sizeof(cut) - i, "...#%016" PRIx64, hash);
	return parse_text(cut, out, OVLY_REMOTE_ID_MAX + 1, e);
}

/* What only "up" needs: "down" must get through with little. */
static bool read_for_up(env_lookup lookup, struct pluto *out, struct err *e)
{
	const char *client = lookup("PLUTO_PEER_CLIENT");
	const char *interface = lookup("PLUTO_INTERFACE");
	const char *peer_id = lookup("PLUTO_PEER_ID");

	if (interface && interface[0] && strcmp(interface, "unknown") &&
	    !parse_ifname(interface, out->interface, e))
		return err_prefix(e, "PLUTO_INTERFACE");
	if (!read_addr(lookup, "PLUTO_ME", &out->me, e) ||
	    !read_addr(lookup, "PLUTO_PEER", &out->peer, e))
		return false;
	if (!addr_is_unicast(&out->peer))
		return err_set(e, EXIT_USAGE,
			       "PLUTO_PEER: '%s' is no unicast address",
			       lookup("PLUTO_PEER"));
	if (peer_id && !read_identity(peer_id, out->peer_id, e))
		return err_prefix(e, "PLUTO_PEER_ID");
	if (!client)
		return err_set(e, EXIT_USAGE, "PLUTO_PEER_CLIENT is not set");
	/* charon may write a selector's first address with a shorter mask */
	if (!parse_net(client, &out->peer_client, e))
		return err_prefix(e, "PLUTO_PEER_CLIENT");
	return read_sourceips(lookup, "MY", &out->my_sourceip, e) &&
	       read_sourceips(lookup, "PEER", &out->peer_sourceip, e);
}

bool env_read(env_lookup lookup, struct pluto *out, struct err *e)
{
	const char *connection = lookup("PLUTO_CONNECTION");
	const char *peer = lookup("PLUTO_PEER");
	const char *reqid = lookup("PLUTO_REQID");

	memset(out, 0, sizeof(*out));
	if (!read_verb(lookup("PLUTO_VERB"), &out->up, e))
		return false;
	if (!connection || !connection[0])
		return err_set(e, EXIT_USAGE, "PLUTO_CONNECTION is not set");
	if (!parse_text(connection, out->connection, sizeof(out->connection),
			e))
		return err_prefix(e, "PLUTO_CONNECTION");
	if (!read_if_ids(lookup, out, e))
		return false;
	if (reqid && !parse_u32(reqid, 0, UINT32_MAX, &out->reqid, e))
		return err_prefix(e, "PLUTO_REQID");
	if (out->up)
		return read_for_up(lookup, out, e);
	if (peer && !parse_addr(peer, &out->peer, e))
		return err_prefix(e, "PLUTO_PEER");
	return true;
}
