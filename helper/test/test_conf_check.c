// SPDX-License-Identifier: GPL-2.0-only
/* ovly.conf: what overlays and the router have to be together. */
#include "conf_text.h"

static void overlays_are_checked_together(void **state)
{
	(void)state;
	refused(GOOD GOOD, "f:7:16: overlay 'a' is described in line 1 already, expected another name");
	refused(GOOD " dual-local-bridge w2\nsecure-overlay a-dual\n",
		"f:8:16: 'a-dual' and 'a' (line 1) are names of one overlay's two connections");
	refused(GOOD
		"secure-overlay b\nremote-interface-ip-addr 192.0.2.2\npsk local-psk k remote-psk k\n",
		"f:7:16: device 'ipsec0' is that of overlay 'a' (line 1), and a p2p device has one peer");
	refused(GOOD_HUB
		"secure-overlay i\nrole head-end\nmtu 1400\nlocal-system-ip-addr 10.0.0.1\n"
		"remote-interface-ip-addr 192.0.2.8\nremote-system-ip-addr 10.0.1.9\npsk local-psk k remote-psk k\n",
		"f:12:23: 10.0.1.9 is the remote-system-ip-addr of overlay 'h' (line 1) already");
	refused(GOOD_HUB
		"secure-overlay i\nrole head-end\nmtu 1400\nlocal-system-ip-addr 10.0.0.1\n"
		"remote-interface-ip-addr 192.0.2.8\nremote-system-ip-addr 10.0.1.8\npsk local-psk k remote-psk k\n",
		"table, vrf, mtu and source-validation of device 'ovly0' are not as overlay 'h'");
	refused(GOOD_HUB "secure-overlay i\nrole head-end\nlocal-system-ip-addr 10.0.0.1\n"
		"remote-interface-ip-addr 192.0.2.9\nremote-system-ip-addr 10.0.1.8\npsk local-psk k remote-psk k\n",
		"overlay 'i' cannot be told from 'h'");
	refused(GOOD " local-system-ip-subnet 10.1.0.0/24\n",
		"10.0.0.1 is not in the local-system-ip-subnet 10.1.0.0/24");
	refused(GOOD " remote-system-ip-addr 192.0.2.1\n",
		"192.0.2.1 is the remote's outer address as well");
	refused(GOOD " remote-system-ip-addr 10.0.0.1\n",
		"10.0.0.1 is the local-system-ip-addr as well");
	refused(GOOD " local-interface-ip-addr 2001:db8::1\n",
		"the outer addresses of overlay 'a' are of different families");
	refused(GOOD " dual-local-bridge wan-br\n", "'wan-br' is the local-bridge as well");
	refused(GOOD " eap username u password p cacert c\n", "both 'psk' and 'eap'");
	refused(GOOD " device wan-br\n",
		"f:2:15: 'wan-br' is the overlay's own device, which apply makes: expected another one for local-bridge");
	refused(GOOD " vrf ipsec0\n",
		"f:7:6: 'ipsec0' is the overlay's own device, which apply makes: expected another one for vrf");
	refused(GOOD " dual-local-bridge ipsec0\n", "another one for dual-local-bridge");
	refused(GOOD " vrf wan-br\n", "f:7:6: 'wan-br' is a bridge of the overlay");
}

#define GOOD_BRANCH(name, remote, system, device, more)                  \
	"secure-overlay " name "\n mode multipoint\n device " device "\n" \
	" local-bridge wan-br\n local-system-ip-addr 10.0.0.1\n"          \
	" remote-interface-ip-addr " remote "\n"                          \
	" remote-system-ip-addr " system "\n"                             \
	" psk local-psk k remote-psk k\n" more

static void a_backup_is_another_overlay_of_the_device(void **state)
{
	struct conf conf;

	(void)state;
	accepted(GOOD_BRANCH("a", "192.0.2.1", "10.0.1.1", "o",
			     " backup-overlay b\n")
		 GOOD_BRANCH("b", "192.0.2.2", "10.0.1.2", "o",
			     " backup-overlay a\n"), &conf);
	assert_string_equal(conf.overlay[0].backup, "b");
	conf_free(&conf);
	refused(GOOD_BRANCH("one", "192.0.2.1", "10.0.1.1", "o",
			    " backup-overlay hub-tow\n")
		GOOD_BRANCH("hub-two", "192.0.2.2", "10.0.1.2", "o", ""),
		"f:9:17: there is no overlay 'hub-tow' in this file, did you mean 'hub-two'?");
	refused(GOOD_BRANCH("a", "192.0.2.1", "10.0.1.1", "o",
			    " backup-overlay a\n"),
		"f:9:17: an overlay is not its own backup");
	refused(GOOD_BRANCH("a", "192.0.2.1", "10.0.1.1", "o",
			    " backup-overlay b\n")
		GOOD_BRANCH("b", "192.0.2.2", "10.0.1.2", "p", ""),
		"f:9:17: overlay 'b' is on device 'p', and a backup is on the same device, 'o'");
	refused(GOOD " backup-overlay b\n"
		GOOD_BRANCH("b", "192.0.2.2", "10.0.1.2", "p", ""),
		"f:7:17: device 'ipsec0' is p2p and has no room for a second peer: give 'mode multipoint' to both");
	refused(GOOD_HUB " backup-overlay any\n"
		"secure-overlay any\nrole head-end\nlocal-system-ip-addr 10.0.0.1\n"
		"remote-interface-ip-addr any\nremote-system-ip-host 5\nremote-system-ip-subnet 10.0.2.0/24\npsk local-psk k remote-psk k\n",
		"f:7:17: overlay 'any' (line 8) takes many branches, and a backup is one peer");
}

/* strongSwan would try a key that names our own identity for any remote. */
static void keys_cannot_serve_another_remote(void **state)
{
	refused("secure-overlay h\nrole head-end\nlocal-id hub\nlocal-system-ip-addr 10.0.0.1\n"
		"remote-interface-ip-addr 192.0.2.9\nremote-system-ip-addr 10.0.1.9\npsk local-psk a remote-psk b\n"
		"secure-overlay i\nrole head-end\nlocal-id hub\nlocal-system-ip-addr 10.0.0.1\n"
		"remote-interface-ip-addr 192.0.2.8\nremote-system-ip-addr 10.0.1.8\npsk local-psk k remote-psk k\n",
		"share a local identity");
	refused("secure-overlay a\n"
		"remote-interface-ip-addr 192.0.2.1\npsk local-psk a remote-psk b\n",
		"different keys each way need local-id");
	refused(GOOD_HUB "secure-overlay any\nrole head-end\nlocal-system-ip-addr 10.0.0.1\n"
		"remote-interface-ip-addr any\nremote-system-ip-host 5\nremote-system-ip-subnet 10.0.2.0/24\npsk local-psk g remote-psk g\n",
		"warning: whoever has the key of overlay 'any' can pose as the remote of overlay 'h'");
	(void)state;
}

static void the_router_is_checked(void **state)
{
	(void)state;
	refused(GOOD "router bgp 0\n", "f:7:12: autonomous system: 0 is out of range");
	refused(GOOD "router bgp 1\nrouter bgp 2\n",
		"f:8:1: there is a 'router bgp' in line 7 already");
	refused(GOOD "router bgp 1\nrouter-id ::1\n", "f:8:11: '::1' is no unicast address");
	refused(GOOD "router bgp 1\nneighbor 10.9.9.9 remote-as 2\n",
		"f:8:10: no overlay leads to neighbour 10.9.9.9: expected one with 'remote-system-ip-addr 10.9.9.9'");
	refused(GOOD "router bgp 1\ntimers bgp 240 80\n",
		"f:8:12: the keepalive time 240 is not below the hold time 80");
	refused(GOOD "router bgp 1\nimport-limit 5 action cry\n",
		"'cry' is not one of disable, restart, block or warn");
	refused(GOOD "router bgp 1\nneighbor 10.0.1.1 remote-as 2\nnetwork 2001:db8::/32\n",
		"there is no neighbour with an IPv6 address to announce this to");
	refused(GOOD "router bgp 1\nnetwork 10.0.0.0/8\nnetwork 10.0.0.0/8\n",
		"f:9:9: this network is given in line 8 already");
	refused(GOOD "router bgp 1\nmaximum-paths 17\n", "f:8:15: ");
	refused(GOOD "router bgp 1\nbgp graceful-restart 120\n", "f:8:22: ");
	refused(GOOD "router bgp 1\nstaging-table 220\n",
		"staging-table 220 is the table of device 'ipsec0'");
	refused("secure-overlay a\n"
		"remote-interface-ip-addr 192.0.2.1\npsk local-psk k remote-psk k\nrouter bgp 1\n",
		"f:4:12: expected 'router-id A.B.C.D'");
	refused(GOOD
		" remote-system-ip-subnet 10.0.1.0/24\nrouter bgp 1\nneighbor 10.0.1.1 remote-as 2\n",
		"f:7:26: warning: the tunnel carries this subnet only");
}

/* What is not said of one is as its range has it, the smallest around it. */
static void a_neighbor_in_a_range_has_its_settings(void **state)
{
	const struct conf_neighbor *n;
	struct conf conf;

	(void)state;
	accepted(GOOD_HUB "router bgp 1\nimport-limit 9\n"
		 "neighbor 10.0.1.9 description x\n"
		 "listen range 10.0.0.0/16 remote-as 2\n"
		 "listen range 10.0.1.0/24 remote-as 3\n"
		 "listen range 10.0.1.0/24 timers 5 15\n"
		 "listen range 10.0.1.0/24 ebgp-multihop 3\n"
		 "listen range 10.0.1.0/24 password p\n"
		 "neighbor 10.0.1.8 remote-as 4\n"
		 "neighbor 10.0.1.8 timers 6 18\n"
		 "neighbor 10.0.1.8 import-limit 7\n"
		 "neighbor 10.0.1.8 password q\n", &conf);
	n = &conf.bgp.neighbor[0];
	assert_ptr_equal(n->group, &conf.bgp.neighbor[2]);
	assert_int_equal(n->as, 3);
	assert_int_equal(n->timers.hold, 15);
	assert_int_equal(n->limit.max, 9);
	assert_int_equal(n->multihop, 3);
	assert_string_equal(n->password, "p");
	n = &conf.bgp.neighbor[3];
	assert_ptr_equal(n->group, &conf.bgp.neighbor[2]);
	assert_int_equal(n->as, 4);
	assert_int_equal(n->timers.hold, 18);
	assert_int_equal(n->limit.max, 7);
	assert_string_equal(n->password, "q");
	assert_null(conf.bgp.neighbor[1].group);
	conf_free(&conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(overlays_are_checked_together),
		cmocka_unit_test(a_backup_is_another_overlay_of_the_device),
		cmocka_unit_test(keys_cannot_serve_another_remote),
		cmocka_unit_test(the_router_is_checked),
		cmocka_unit_test(a_neighbor_in_a_range_has_its_settings),
	};

	return SUITE(tests);
}
