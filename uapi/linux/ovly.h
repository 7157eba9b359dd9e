/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ovly - a virtual-IP overlay device that carries many IPsec peers
 *
 * Two interfaces share the attributes below.
 *
 * 1. rtnetlink: a device is a link of kind "ovly".  RTM_NEWLINK takes the
 *    enum ovly_dev_attr attributes in IFLA_INFO_DATA, RTM_GETLINK shows them.
 *
 * 2. generic netlink, family "ovly", version 1.  Everything needs
 *    CAP_NET_ADMIN in the user namespace that owns the device's network
 *    namespace: the family reveals who talks to whom.
 *
 *    command               request                          reply
 *    DEV_GET   do          [dev]                            [dev], DEV nest
 *    DEV_GET   dump        [dev]                            one message a device
 *    DEV_SET   do          [dev], DEV nest                  ack
 *    DEV_RESYNC do         [dev]                            ack once the table is right
 *    PEER_NEW  do          [dev], PEER nest                 [dev], PEER nest (id, name)
 *    PEER_SET  do          [dev], PEER nest                 ack
 *    PEER_DEL  do          [dev], PEER nest (id or name)    ack
 *    PEER_GET  do, dump    [dev], PEER nest (id or name)    [dev], PEER nest
 *    PATH_NEW  do          [dev], PATH nest                 ack
 *    PATH_SET  do          [dev], PATH nest                 ack
 *    PATH_DEL  do          [dev], PATH nest (if-id-in)      ack
 *    PATH_GET  do, dump    PATH nest (if-id-in) / [dev]     [dev], PATH nest
 *    ROUTE_NEW do          [dev], ROUTE nests, [COOKIE]     APPLIED, REFUSED nests
 *    ROUTE_DEL do          [dev], ROUTE nests               APPLIED, REFUSED nests
 *    ROUTE_GET do          [dev], ROUTE nest (prefix)       [dev], ROUTE nests
 *    ROUTE_GET dump        [dev], ROUTE nest (filter)       [dev], ROUTE nest
 *    ROUTE_FLUSH do        [dev], ROUTE nest (filter)       APPLIED
 *    ROUTE_SYNC_BEGIN do   [dev]                            COOKIE
 *    ROUTE_SYNC_END do     [dev], COOKIE, ROUTE (filter)    APPLIED
 *    EVENT     multicast group "events"                     EVENT and the object
 *
 *    [dev] is OVLY_A_IFINDEX or OVLY_A_IFNAME; where both are given they must
 *    agree.  In a dump it is optional and narrows the dump to one device.
 *
 *    Flags of the *_NEW requests: NLM_F_CREATE is needed to make an object,
 *    NLM_F_REPLACE allows the request to change one that exists, and without
 *    NLM_F_REPLACE an object that exists is EEXIST.  A refused request changes
 *    nothing; the error names the attribute and says why in extack text.  Who asks
 *    without room for the answer gets EAGAIN for what is done.
 *
 *    Errors mean the same everywhere: ENODEV no such device, ENOENT no such
 *    peer, path or route, EEXIST one is there already or somebody else's is in
 *    the way, EHOSTUNREACH no peer has or covers the next hop, ENOSPC the peer's
 *    route limit, EBUSY the route of a system address, EAFNOSUPPORT the peer has
 *    no address to be the next hop, EPERM no CAP_NET_ADMIN (of the namespace that
 *    has the SAs, too, for paths, marks and DEV_SET), EOPNOTSUPP not for this mode
 *    of device, or not to be changed, E2BIG too many of a repeatable attribute,
 *    ERANGE or EINVAL out of range or malformed, ETIMEDOUT the device went down, up
 *    or between VRFs faster than the request could follow (nothing was done, ask
 *    again), EMSGSIZE and ENOMEM as ever.
 *
 *    Below, an attribute says type, range, unit and meaning, and after a semicolon
 *    its default in a *_NEW request.  What "read only" precedes comes from the
 *    kernel only, and is refused in requests.
 *
 *    A prefix and metric has one owner, or several: then it is one multipath
 *    route, and each owner is one of its next hops (multipoint devices only).
 *    ROUTE_NEW says who: PEER_ID, PEER_NAME and VIA are repeatable and together
 *    name the owners, all of them (with NLM_F_REPLACE: exactly these from now on)
 *    or, with NLM_F_APPEND, some that join those there are.
 *
 *    ROUTE_DEL that names owners or a protocol deletes what these own only.
 *    ROUTE_GET of one route replies with a ROUTE nest for each owner.  There is no
 *    ROUTE_SET: owners and protocol are set by ROUTE_NEW with NLM_F_REPLACE.
 *
 *    A batch (ROUTE_NEW, ROUTE_DEL) carries any number of ROUTE nests and is
 *    applied entry by entry.  Where one or more entries are refused the reply
 *    has a REFUSED nest for each, the first OVLY_REFUSED_MAX with text, and
 *    APPLIED counts all that were applied; the request as a whole then still
 *    succeeds.  With more than OVLY_REFUSED_MAX refused the reply can be several
 *    messages, of which the last has APPLIED.  If they do not fit into the asker's
 *    receive buffer the batch is applied all the same, and the request fails with
 *    EAGAIN, or ENOBUFS where that did not fit either.
 *    Malformed input (a bad attribute, not a refused entry) refuses it whole.
 *    A batch of one entry reports its refusal as an ordinary netlink error.
 *
 *    Mark and sweep: ROUTE_SYNC_BEGIN returns a cookie, every ROUTE_NEW that
 *    follows (with NLM_F_REPLACE) confirms its route, ROUTE_SYNC_END with the
 *    cookie removes what the filter matches and nobody confirmed since.  The
 *    old set counts against the peers' limits meanwhile: where a ROUTE_NEW
 *    carries the cookie a limit refuses what is beyond it, without event or limit
 *    action.  Whoever sweeps asks for that again after the end, without the cookie,
 *    which is not to be sent any longer then.
 *    The kernel keeps no session: a daemon that dies in between removes nothing, and
 *    a cookie, never 0, serves any number of ROUTE_SYNC_END.
 *
 *    Dumps are ordered by key and resume at a key, so entries that exist
 *    throughout are reported exactly once; NLM_F_DUMP_INTR marks a dump that a
 *    change overlapped.
 *
 * Addresses and prefixes are binary in network byte order: 4 bytes are IPv4,
 * 16 bytes are IPv6.  Everything else is in host byte order.
 */
#ifndef _UAPI_LINUX_OVLY_H
#define _UAPI_LINUX_OVLY_H

#define OVLY_GENL_NAME		"ovly"
#define OVLY_GENL_VERSION	1
#define OVLY_MCGRP_EVENTS	"events"

/* rt_protos: number of the routes and rules that the module makes itself
 * (throw routes of endpoints, the rule that reaches the table).
 */
#define OVLY_RTPROT		220
#define OVLY_TABLE_DEFAULT	220
#define OVLY_RULE_PREF		220

#define OVLY_NAME_MAX		63	/* bytes of a peer name or path label */
#define OVLY_REMOTE_ID_MAX	255	/* bytes of an IKE identity */
#define OVLY_PEER_ADDRS_MAX	8	/* system addresses of one peer */
#define OVLY_REFUSED_MAX	64	/* refused entries of a batch that come with text */
#define OVLY_PEER_PATHS_MAX	1024	/* paths of one peer */
#define OVLY_OWNERS_MAX		16	/* owners of one multipath route */

enum ovly_cmd {
	OVLY_CMD_UNSPEC,
	OVLY_CMD_DEV_GET,
	OVLY_CMD_DEV_SET,
	OVLY_CMD_DEV_RESYNC,
	OVLY_CMD_PEER_NEW,
	OVLY_CMD_PEER_SET,
	OVLY_CMD_PEER_DEL,
	OVLY_CMD_PEER_GET,
	OVLY_CMD_PATH_NEW,
	OVLY_CMD_PATH_SET,
	OVLY_CMD_PATH_DEL,
	OVLY_CMD_PATH_GET,
	OVLY_CMD_ROUTE_NEW,
	OVLY_CMD_ROUTE_DEL,
	OVLY_CMD_ROUTE_GET,
	OVLY_CMD_ROUTE_FLUSH,
	OVLY_CMD_ROUTE_SYNC_BEGIN,
	OVLY_CMD_ROUTE_SYNC_END,
	OVLY_CMD_EVENT,
	__OVLY_CMD_MAX,
	OVLY_CMD_MAX = __OVLY_CMD_MAX - 1
};

/* Attributes of a generic-netlink message. */
enum ovly_attr {
	OVLY_A_UNSPEC,
	OVLY_A_IFINDEX,		/* u32, 1..: the device */
	OVLY_A_IFNAME,		/* string, 1..15 bytes: the device */
	OVLY_A_DEV,		/* nest of enum ovly_dev_attr */
	OVLY_A_PEER,		/* nest of enum ovly_peer_attr */
	OVLY_A_PATH,		/* nest of enum ovly_path_attr */
	OVLY_A_ROUTE,		/* nest of enum ovly_route_attr, repeatable */
	OVLY_A_APPLIED,		/* u32, replies: entries applied, removed or flushed */
	OVLY_A_REFUSED,		/* nest of enum ovly_refused_attr, replies, repeatable */
	OVLY_A_COOKIE,		/* u64, 1..: opaque, from ROUTE_SYNC_BEGIN */
	OVLY_A_EVENT,		/* u32, enum ovly_event, in events */
	OVLY_A_PAD,
	__OVLY_A_MAX,
	OVLY_A_MAX = __OVLY_A_MAX - 1
};

/**
 * enum ovly_mode - how a device addresses its peers
 * @OVLY_MODE_P2P: one peer takes every packet; IFF_POINTOPOINT, and routes
 *	are "dev X scope link"
 * @OVLY_MODE_MULTIPOINT: the next hop names the peer; routes are
 *	"via <system address> dev X onlink".  IPv4 ones of peers that came when the
 *	device had 128 already have a scope of 1 to 199
 */
enum ovly_mode {
	OVLY_MODE_P2P,
	OVLY_MODE_MULTIPOINT,
};

/**
 * enum ovly_src_valid - which sources a peer may send from
 * @OVLY_SRC_VALID_STRICT: those that the device would route back to it, or to a
 *	peer that names it as its backup
 * @OVLY_SRC_VALID_LOOSE: those that any peer of the device explains
 * @OVLY_SRC_VALID_OFF: all
 */
enum ovly_src_valid {
	OVLY_SRC_VALID_STRICT,
	OVLY_SRC_VALID_LOOSE,
	OVLY_SRC_VALID_OFF,
};

/* A device.  In IFLA_INFO_DATA and in OVLY_A_DEV. */
enum ovly_dev_attr {
	OVLY_A_DEV_UNSPEC,
	OVLY_A_DEV_MODE,	/* u32, enum ovly_mode, set at creation, else EOPNOTSUPP;
				 * P2P
				 */
	OVLY_A_DEV_TABLE,	/* u32, 1.. but not RT_TABLE_LOCAL: table of the routes,
				 * set at creation, else EOPNOTSUPP; 220.  In a VRF the
				 * device uses the VRF's table.
				 */
	OVLY_A_DEV_SRC_VALID,	/* u32, enum ovly_src_valid; STRICT */
	OVLY_A_DEV_CARRIER_FOLLOWS, /* u32, 0 or 1: carrier only while a peer is up; 0 */
	/* read only */
	OVLY_A_DEV_ACTIVE_TABLE, /* u32: table in use (the VRF's, if enslaved) */
	OVLY_A_DEV_PEERS,	/* u32: peers it has */
	OVLY_A_DEV_PEERS_UP,	/* u32: those that are up */
	OVLY_A_DEV_ROUTES,	/* u32: routes wanted, system addresses included */
	OVLY_A_DEV_ROUTES_INSTALLED, /* u32: those in the table now, 0 while it is put right */
	OVLY_A_DEV_STATS,	/* nest of enum ovly_stats_attr, all peers
				 * together and what no peer claimed
				 */
	OVLY_A_DEV_PAD,
	__OVLY_A_DEV_MAX,
	OVLY_A_DEV_MAX = __OVLY_A_DEV_MAX - 1
};

/**
 * enum ovly_on_down - what becomes of a peer's routes while it has no path
 * @OVLY_ON_DOWN_HOLD: they stay, and what follows them is answered with ICMP
 *	unreachable, so that nothing leaves in clear by another route
 * @OVLY_ON_DOWN_WITHDRAW: they leave the table until the peer is up again
 */
enum ovly_on_down {
	OVLY_ON_DOWN_HOLD,
	OVLY_ON_DOWN_WITHDRAW,
};

/**
 * enum ovly_limit_action - what happens when a peer exceeds its route limit
 * @OVLY_LIMIT_REFUSE: the route is refused, those that are there stay
 * @OVLY_LIMIT_DISABLE: the route is refused and what routing protocols (those
 *	above RTPROT_STATIC) taught of the peer leaves the table, and it gets no
 *	more routes, until a PEER_SET with ROUTE_LIMIT or LIMIT_ACTION finds it
 *	within the limit
 */
enum ovly_limit_action {
	OVLY_LIMIT_REFUSE,
	OVLY_LIMIT_DISABLE,
};

/**
 * enum ovly_peer_state - can the peer be reached
 * @OVLY_PEER_DOWN: no path with security associations
 * @OVLY_PEER_UP: an active path
 */
enum ovly_peer_state {
	OVLY_PEER_DOWN,
	OVLY_PEER_UP,
};

/* A peer: a remote overlay node.  Identified by id or by name. */
enum ovly_peer_attr {
	OVLY_A_PEER_UNSPEC,
	OVLY_A_PEER_ID,		/* u32, 1..: chosen by the kernel, EINVAL in PEER_NEW */
	OVLY_A_PEER_NAME,	/* string, 1..63 printable ASCII bytes, no space, unique
				 * on the device; "peer<id>"
				 */
	OVLY_A_PEER_ADDR,	/* binary 4 or 16, repeatable, at most 8: overlay
				 * ("system") addresses, unicast, unique on the device
				 * (EEXIST); none.  Each is a route the peer owns (flag
				 * SYSTEM).  In PEER_SET the given list replaces the old
				 * one, EAFNOSUPPORT if routes lose their next hop.
				 */
	OVLY_A_PEER_ON_DOWN,	/* u32, enum ovly_on_down; HOLD */
	OVLY_A_PEER_ROUTE_LIMIT, /* u32: routes it may own beside its system addresses,
				  * 0 = unlimited; 0.  ENOSPC beyond.
				  */
	/* read only */
	OVLY_A_PEER_STATE,	/* u32, enum ovly_peer_state: by its paths, not its backup */
	OVLY_A_PEER_ROUTES,	/* u32: routes it owns beside its system addresses */
	OVLY_A_PEER_PATHS,	/* u32: paths it has, in any state */
	OVLY_A_PEER_ACTIVE_PATH, /* u32, 1..: if-id-in of the active path, absent while down */
	OVLY_A_PEER_TRANSITIONS, /* u32: down-to-up changes so far */
	OVLY_A_PEER_SINCE,	/* u64: milliseconds in this state */
	OVLY_A_PEER_STATS,	/* nest of enum ovly_stats_attr, of this peer */
	OVLY_A_PEER_PAD,
	/* set and read again */
	OVLY_A_PEER_BACKUP_ID,	/* u32: peer that takes the packets of this one while
				 * this one is down, 0 = none; 0.  One step: the
				 * backup's own backup is not asked.  Multipoint only
				 * (EOPNOTSUPP), and not the peer itself (EINVAL).
				 * None, without an event, when that one is deleted.
				 */
	OVLY_A_PEER_BACKUP_NAME, /* string, 1..63 bytes: the same, by name; none */
	OVLY_A_PEER_LIMIT_ACTION, /* u32, enum ovly_limit_action; REFUSE */
	OVLY_A_PEER_MARK,	/* u32: skb mark of what comes from the peer, and of the
				 * outer packets to it unless the SA has an output mark,
				 * 0 = as it is; 0
				 */
	OVLY_A_PEER_PRIORITY,	/* u32: skb priority (traffic class) of the same, 0 = as
				 * it is; 0
				 */
	/* read only */
	OVLY_A_PEER_ROUTES_DISABLED, /* u32, 0 or 1: LIMIT_DISABLE has struck */
	OVLY_A_PEER_VIA_BACKUP,	/* u32, 0 or 1: down, and the backup is up */
	OVLY_A_PEER_LAST_RX,	/* u64: milliseconds since a packet came from it, absent
				 * if none did
				 */
	OVLY_A_PEER_LAST_TX,	/* u64: milliseconds since a packet went to it, likewise */
	__OVLY_A_PEER_MAX,
	OVLY_A_PEER_MAX = __OVLY_A_PEER_MAX - 1
};

/**
 * enum ovly_path_state - what a path does
 * @OVLY_PATH_DOWN: no outbound SA carries its if-id
 * @OVLY_PATH_STANDBY: usable, another path of the peer is preferred
 * @OVLY_PATH_ACTIVE: takes the peer's packets
 */
enum ovly_path_state {
	OVLY_PATH_DOWN,
	OVLY_PATH_STANDBY,
	OVLY_PATH_ACTIVE,
};

/* A path: one IPsec tunnel to a peer.  Identified by if-id-in, which is unique
 * in the network namespace that holds the SAs.
 */
enum ovly_path_attr {
	OVLY_A_PATH_UNSPEC,
	OVLY_A_PATH_IF_ID_IN,	/* u32, 1..: XFRM interface id of the inbound SAs */
	OVLY_A_PATH_IF_ID_OUT,	/* u32, 1..: that of the outbound SAs, never changes
				 * (EINVAL); if-id-in
				 */
	OVLY_A_PATH_PEER_ID,	/* u32, 1..: the peer, by id; PATH_NEW needs it or the
				 * name, in PATH_SET another peer is EINVAL
				 */
	OVLY_A_PATH_PEER_NAME,	/* string, 1..63 bytes: the peer, by name; likewise */
	OVLY_A_PATH_ENDPOINT,	/* binary 4 or 16, unicast: outer address of the peer;
				 * the SA's.  Gets a throw route where the table is
				 * reached by a rule, EEXIST if somebody else's route is
				 * in its place.  Follows an SA that keeps its SPI and
				 * moves.
				 */
	OVLY_A_PATH_LOCAL,	/* binary 4 or 16: own outer address, for people; none */
	OVLY_A_PATH_UNDERLAY,	/* u32: ifindex of the underlay device, 0 = any; 0.
				 * ENODEV if there is none.  Outer packets are routed in
				 * its VRF, if it has one.  Reads 0xffffffff while that
				 * device does not exist.
				 */
	OVLY_A_PATH_PRIORITY,	/* u32: the lowest is preferred, the newest among
				 * equals, which one is by its making and by a change
				 * of endpoint, underlay or priority; 100
				 */
	OVLY_A_PATH_LABEL,	/* string, 1..63 printable ASCII bytes, no space: IKE
				 * connection name; none
				 */
	OVLY_A_PATH_REMOTE_ID,	/* string, at most 255 printable ASCII bytes: IKE
				 * identity; none
				 */
	/* read only */
	OVLY_A_PATH_STATE,	/* u32, enum ovly_path_state: as XFRM's SAs are */
	OVLY_A_PATH_SA_IN,	/* u32: inbound SAs in XFRM now */
	OVLY_A_PATH_SA_OUT,	/* u32: outbound SAs in XFRM to the endpoint now */
	OVLY_A_PATH_SINCE,	/* u64: milliseconds in this state */
	OVLY_A_PATH_PAD,
	OVLY_A_PATH_UNDERLAY_NAME, /* string, 1..15 bytes: name of the underlay device; the
				    * path finds it again when it is deleted and made anew
				    */
	OVLY_A_PATH_MTU,	/* u32: bytes of the largest inner packet, as of the last
				 * one sent; absent before
				 */
	OVLY_A_PATH_PREVIOUS_ENDPOINT, /* binary 4 or 16: in the event ENDPOINT_MOVED */
	__OVLY_A_PATH_MAX,
	OVLY_A_PATH_MAX = __OVLY_A_PATH_MAX - 1
};

/* Bits of OVLY_A_ROUTE_FLAGS, read only. */
#define OVLY_ROUTE_F_INSTALLED	0x1	/* in the table */
#define OVLY_ROUTE_F_SYSTEM	0x2	/* the peer's own address */
#define OVLY_ROUTE_F_MULTIPATH	0x4	/* others own the same prefix and metric */

/* A route that a peer owns.  Identified by (device, prefix, metric, owner); a
 * dump has one entry for each owner.  As a filter: PEER_ID or PEER_NAME, PROTOCOL
 * and FAMILY narrow, all are optional.
 */
enum ovly_route_attr {
	OVLY_A_ROUTE_UNSPEC,
	OVLY_A_ROUTE_DST,	/* binary 4 or 16: prefix, host bits must be 0 (EINVAL) */
	OVLY_A_ROUTE_PREFIXLEN,	/* u32, 0..32 or 0..128: bits of the prefix */
	OVLY_A_ROUTE_METRIC,	/* u32: the lowest wins; 0 for IPv4, 1024 for IPv6 (0 means
				 * 1024 there)
				 */
	OVLY_A_ROUTE_PROTOCOL,	/* u32, 1..255, enum rt protocol: whose route it is, as
				 * in rtnetlink; RTPROT_BOOT.  OVLY_RTPROT is the module's
				 * and refused (EINVAL).
				 */
	OVLY_A_ROUTE_PEER_ID,	/* u32, 1..: an owner, by id; repeatable in requests, at
				 * most OVLY_OWNERS_MAX owners in all (E2BIG)
				 */
	OVLY_A_ROUTE_PEER_NAME,	/* string, 1..63 bytes: an owner, by name; likewise */
	OVLY_A_ROUTE_VIA,	/* binary 4 or 16: an owner, by overlay next hop; likewise:
				 * exact system address first, else the peer that owns
				 * the longest prefix covering it, else EHOSTUNREACH
				 */
	OVLY_A_ROUTE_FAMILY,	/* u32, AF_INET or AF_INET6 (else EINVAL), in filters; both */
	/* read only */
	OVLY_A_ROUTE_FLAGS,	/* u32, OVLY_ROUTE_F_*: what it is */
	OVLY_A_ROUTE_ERROR,	/* u32: positive errno why it is not in the table, absent
				 * if none
				 */
	__OVLY_A_ROUTE_MAX,
	OVLY_A_ROUTE_MAX = __OVLY_A_ROUTE_MAX - 1
};

/* One refused entry of a batch. */
enum ovly_refused_attr {
	OVLY_A_REFUSED_UNSPEC,
	OVLY_A_REFUSED_INDEX,	/* u32, 0..: position of the entry in the request */
	OVLY_A_REFUSED_ERROR,	/* u32: positive errno */
	OVLY_A_REFUSED_MESSAGE,	/* string: why, as in extack text; not with those
				 * beyond the first OVLY_REFUSED_MAX
				 */
	__OVLY_A_REFUSED_MAX,
	OVLY_A_REFUSED_MAX = __OVLY_A_REFUSED_MAX - 1
};

/* Counters, all u64, of packets but for RX_BYTES and TX_BYTES, counted by the device
 * since it or the peer was made, never reset while the object lives.
 */
enum ovly_stats_attr {
	OVLY_A_STATS_UNSPEC,
	OVLY_A_STATS_PAD,
	OVLY_A_STATS_RX_PACKETS, /* handed to the stack */
	OVLY_A_STATS_RX_BYTES,	/* inner IP bytes */
	OVLY_A_STATS_TX_PACKETS, /* handed to XFRM */
	OVLY_A_STATS_TX_BYTES,	/* inner IP bytes */
	/* dropped on transmit because ... */
	OVLY_A_STATS_TX_NO_PEER,   /* no peer has the next hop */
	OVLY_A_STATS_TX_NO_PATH,   /* the peer is down */
	OVLY_A_STATS_TX_NO_SA,	   /* XFRM has no usable SA for the if-id */
	OVLY_A_STATS_TX_NO_POLICY, /* no policy with the if-id covers the packet */
	OVLY_A_STATS_TX_TOO_BIG,   /* answered with the path MTU */
	OVLY_A_STATS_TX_LOOP,	   /* the outer route leads back into the device */
	OVLY_A_STATS_TX_ERROR,	   /* malformed, no memory, or refused further down */
	/* dropped on receive because ... */
	OVLY_A_STATS_RX_SOURCE,	   /* the source is not the peer's (validation) */
	OVLY_A_STATS_RX_SELECTOR,  /* outside the SA's selector, or not tunnel mode */
	OVLY_A_STATS_RX_ERROR,	   /* decryption, replay, or malformed inside */
	__OVLY_A_STATS_MAX,
	OVLY_A_STATS_MAX = __OVLY_A_STATS_MAX - 1
};

/**
 * enum ovly_event - what an EVENT message reports
 * @OVLY_EVENT_UNSPEC: nothing
 * @OVLY_EVENT_DEV_NEW: a device was created; DEV nest
 * @OVLY_EVENT_DEV_DEL: a device is gone; IFINDEX and IFNAME only
 * @OVLY_EVENT_PEER_NEW: a peer was created; PEER nest
 * @OVLY_EVENT_PEER_SET: a peer's settings changed; PEER nest
 * @OVLY_EVENT_PEER_DEL: a peer was deleted; PEER nest (id, name)
 * @OVLY_EVENT_PEER_UP: a peer got an active path; PEER and PATH nests
 * @OVLY_EVENT_PEER_DOWN: a peer lost its last active path; PEER nest
 * @OVLY_EVENT_PATH_NEW: a path was created; PATH nest
 * @OVLY_EVENT_PATH_DEL: a path was deleted; PATH nest.  One that is replaced, as
 *	another peer has its if-id now, is deleted before the other is created.
 * @OVLY_EVENT_PATH_ACTIVE: another path took over while the peer stayed up;
 *	PEER and PATH nests
 * @OVLY_EVENT_ROUTE_LIMIT: a route was refused by the peer's limit (at most one
 *	event a second and peer, not within a mark and sweep, and not while its
 *	routes are disabled); PEER nest
 * @OVLY_EVENT_SOURCE_VIOLATION: source validation dropped a packet (at most
 *	one event a second and device); PEER nest, ROUTE nest with the source
 * @OVLY_EVENT_DEV_UP: a device was set up; DEV nest
 * @OVLY_EVENT_DEV_DOWN: a device was set down; DEV nest
 * @OVLY_EVENT_PATH_UP: a path got its SAs; PATH nest
 * @OVLY_EVENT_PATH_DOWN: a path lost its last outbound SA; PATH nest
 * @OVLY_EVENT_ENDPOINT_MOVED: a path leads to another outer address; PATH nest
 *	with PREVIOUS_ENDPOINT
 * @OVLY_EVENT_ROUTES_DISABLED: the route limit took what a peer was taught out of
 *	the table (LIMIT_DISABLE); PEER nest
 * @OVLY_EVENT_ROUTES_ENABLED: they are back; PEER nest
 */
enum ovly_event {
	OVLY_EVENT_UNSPEC,
	OVLY_EVENT_DEV_NEW,
	OVLY_EVENT_DEV_DEL,
	OVLY_EVENT_PEER_NEW,
	OVLY_EVENT_PEER_SET,
	OVLY_EVENT_PEER_DEL,
	OVLY_EVENT_PEER_UP,
	OVLY_EVENT_PEER_DOWN,
	OVLY_EVENT_PATH_NEW,
	OVLY_EVENT_PATH_DEL,
	OVLY_EVENT_PATH_ACTIVE,
	OVLY_EVENT_ROUTE_LIMIT,
	OVLY_EVENT_SOURCE_VIOLATION,
	OVLY_EVENT_DEV_UP,
	OVLY_EVENT_DEV_DOWN,
	OVLY_EVENT_PATH_UP,
	OVLY_EVENT_PATH_DOWN,
	OVLY_EVENT_ENDPOINT_MOVED,
	OVLY_EVENT_ROUTES_DISABLED,
	OVLY_EVENT_ROUTES_ENABLED,
};

#endif /* _UAPI_LINUX_OVLY_H */
