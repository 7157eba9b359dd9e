#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# doctor.sh: "doctor" finds nothing in a host that is right, and names each thing
# that is then broken, one at a time. Also "metrics", on the same host.
#
#     wan0 192.0.2.1/24 -- gateway 192.0.2.254, endpoint 198.51.100.2
#     ipsec0 10.122.144.146, peer 166.34.121.112

# shellcheck source=selftests/lib.sh
. "${OVLY_TOP:?}/selftests/lib.sh"

HUB=166.34.121.112 SYSTEM=10.122.144.146 ENDPOINT=198.51.100.2

ours() { ip -n "$here" "$@"; }
h() { in_ns here ovlyhelper "$@"; }
sysctl_set() { in_ns here sysctl -qw "$1"; }

# sas: an SA each way, and the out policy, of if_id 7.
sas() {
	local key=0x0123456789abcdef0123456789abcdef01234567 way
	for way in "src 192.0.2.1 dst $ENDPOINT" "src $ENDPOINT dst 192.0.2.1"; do
		# shellcheck disable=SC2086 # four words
		ours xfrm state add $way proto esp spi 0x107 reqid 7 mode tunnel \
			if_id 7 flag af-unspec aead 'rfc4106(gcm(aes))' $key 128
	done
	policy 10.122.144.128/27 0.0.0.0/0 if_id 7
}

# policy SRC DST [if_id N]
policy() {
	local src=$1 dst=$2
	shift 2
	ours xfrm policy add dir out src "$src" dst "$dst" "$@" \
		tmpl src 192.0.2.1 dst "$ENDPOINT" proto esp reqid 7 mode tunnel
}

suite_setup() {
	load_ovly
	setup_ns here
	ours link add wan0 type dummy
	ours addr add 192.0.2.1/24 dev wan0
	ours link set wan0 up
	ours route add default via 192.0.2.254
	sysctl_set net.ipv4.ip_forward=1
	sysctl_set net.ipv6.conf.all.forwarding=1
	mkdir -p /etc/strongswan.d /etc/bird
	cat >/etc/strongswan.conf <<-END
		charon {
		    # as the manual says
		    install_routes = no
		    install_virtual_ip = no
		    process_route = no
		}
		include strongswan.d/*.conf
	END
	rm -f /etc/strongswan.d/*.conf /etc/bird/bird.conf
	echo 'protocol kernel { kernel table 2220; }' >/etc/bird/bird.conf
	sas
	h dev add ipsec0 addr "$SYSTEM" up
	h peer add myconn addr "$HUB"
	h path add 7 peer myconn endpoint "$ENDPOINT" underlay wan0
	# of no protocol that the bridge would take for its own
	h route add 81.81.81.0/24 peer myconn protocol static
	sysctl_set net.ipv4.conf.ipsec0.accept_redirects=0
	sysctl_set net.ipv4.conf.wan0.accept_redirects=0
	# a guest has nothing that keeps its clock
	CLOCK='clock WARN'
}

# examine: what is not OK, as "check LEVEL" lines; all that it says in $SAID.
examine() {
	local rc=0 want=0
	SAID=$(h doctor) || rc=$?
	note "${SAID//$'\n'/$'\n'# }"
	[ "$(awk '{ if (length > w) w = length } END { print w }' <<<"$SAID")" -le 80 ] ||
		fail "a line has more than 80 columns"
	FOUND=$(awk '/^(WARN|FAIL) / { print $2, $1 }' <<<"$SAID")
	# every complaint comes with a way out
	awk '/^(WARN|FAIL) / { n++ } /^ *-> / { n-- } END { exit n != 0 }' <<<"$SAID" ||
		fail "a finding without advice, or the reverse"
	FOUND=$(grep -vx "$CLOCK" <<<"$FOUND" || true)
	! grep -q FAIL <<<"$FOUND" || want=1
	same "$want" "$rc" "exit status"
}

# well: nothing but OK, before a case breaks something and after it is mended.
well() {
	examine
	same "" "$FOUND" "findings on a host that is right"
}

# finds "CHECK LEVEL" REGEX: this one finding, and the words.
finds() {
	examine
	same "$1" "$FOUND" "findings"
	matches "$2" tr -s ' \n' ' ' <<<"$SAID"
}

test_nothing_to_say_about_a_host_that_is_right() {
	well
	matches '^OK +module +the module is [0-9]' cat <<<"$SAID"
	same 18 "$(h doctor json | jq '[.[].check] | unique | length')" "checks"
	same "$(awk '/^[A-Z]/ { print $2, $1 }' <<<"$SAID")" \
		"$(h doctor json | jq -r '.[] | "\(.check) \(.level)"')" "text and JSON"
}

test_clock() {
	local now
	examine
	# the guest's own clock; nothing waits meanwhile
	now=$(date +%s)
	date -s 1999-12-31 >/dev/null
	h doctor >"$OVLY_OUT/clock" || true
	date -s "@$now" >/dev/null
	matches '^FAIL +clock ' cat "$OVLY_OUT/clock"
}

test_version() {
	well
	echo 9.7.3 >"$OVLY_OUT/version"
	mount --bind "$OVLY_OUT/version" /sys/module/ovly/version
	defer umount /sys/module/ovly/version
	in_ns here nsenter -t $$ -m ovlyhelper doctor >"$OVLY_OUT/versions" || true
	matches '^WARN +module +the module is 9.7.3' cat "$OVLY_OUT/versions"
}

test_device_down() {
	well
	defer ours addr replace "$SYSTEM" peer "$SYSTEM" dev ipsec0
	defer ours link set ipsec0 up
	ours link set ipsec0 down
	examine
	grep -qx 'device FAIL' <<<"$FOUND" || fail "not found: $FOUND"
	matches 'ip link set ipsec0 up' cat <<<"$SAID"
}

test_rule_shadowed() {
	well
	defer ours rule del pref 10
	ours rule add pref 10 lookup main
	finds 'rule FAIL' 'ip rule del pref 10'
	ours rule del pref 10
	ours rule add pref 10 lookup main suppress_prefixlength 0
	finds 'rule WARN' 'pref 10'
	# one that is for some packets only is somebody's intention
	ours rule del pref 10
	ours rule add pref 10 from 192.0.2.77 lookup main
	well
}

test_vrf_without_an_end() {
	well
	ours link add private type vrf table 300
	defer ours link del private
	ours link set private up
	h dev add ovly9 vrf private up
	defer h dev del ovly9
	h peer add nine dev ovly9 addr 10.9.9.9
	finds $'vrf WARN\npeers WARN' 'unreachable default'
	ours route add unreachable default table 300 metric 4278198272
	finds 'peers WARN' 'peer nine has no path'
}

test_rule_takes_too_much() {
	well
	# a table of the overlay with an end of its own, for every packet
	ours route add unreachable default table 220
	defer ours route del unreachable default table 220
	well
	ours rule add pref 11 unreachable
	defer ours rule del pref 11
	examine
	same $'rule FAIL\nunderlay FAIL' "$FOUND" "findings where a rule refuses all"
}

# start COMMAND...: in the background, as the process $!, until the case ends.
start() {
	ip netns exec "$here" "$@" &
	defer stop $!
}

stop() {
	kill "$1"
	wait "$1" || true
}

# daemon NAME: something of that name runs here.
daemon() {
	cp "$(command -v sleep)" "$OVLY_OUT/$1"
	start "$OVLY_OUT/$1" 1000
	wait_for 5 "$1 runs" matches "^$1\$" cat "/proc/$!/comm"
}

test_charon_settings() {
	well
	local f=/etc/strongswan.d/over.conf
	defer rm -f "$f"
	echo 'charon-systemd { install_routes = yes }' >"$f"
	finds 'charon FAIL' 'install_routes = no in section charon-systemd'
	# as the daemon that runs takes it
	daemon charon
	well
	echo 'charon { install_virtual_ip = yes; }' >"$f"
	echo 'charon { process_route = 1' >>"$f"
	echo 'install_virtual_ip = true }' >>"$f"
	finds $'charon WARN\ncharon WARN' 'process_route = no in section charon of'
	# nothing said is yes
	mv /etc/strongswan.conf /etc/strongswan.was
	defer mv /etc/strongswan.was /etc/strongswan.conf
	: >/etc/strongswan.conf
	examine
	same $'charon FAIL\ncharon WARN\ncharon WARN' "$FOUND" "findings with charon's defaults"
}

test_bird_has_the_table() {
	well
	defer eval "echo 'protocol kernel { kernel table 2220; }' >/etc/bird/bird.conf"
	cat >/etc/bird/bird.conf <<-END
		# protocol kernel { kernel table 220; }
		define OVERLAY = 220;
		protocol kernel staging { kernel table 2220; ipv4 { export all; }; }
		include "more*.conf";
	END
	well
	echo 'protocol kernel bad { kernel table OVERLAY; ipv4 { export all; }; }' >/etc/bird/more1.conf
	defer rm /etc/bird/more1.conf
	finds 'bird FAIL' 'table 220'
	# a real BIRD, with a file of its own
	echo 'protocol device { } protocol kernel { kernel table 2220; ipv4 { export all; }; }' >"$OVLY_OUT/good.conf"
	mkdir -p /run/bird
	start bird -f -c "$OVLY_OUT/good.conf" -s /run/bird/doctor.ctl
	wait_for 5 "BIRD runs" test -S /run/bird/doctor.ctl
	well
	sed -i 's/2220/220/' "$OVLY_OUT/good.conf"
	finds 'bird FAIL' 'good.conf has table 220'
}

test_bridge_is_missing() {
	well
	ours route add 91.91.91.0/24 dev wan0 proto bird table 2220
	defer ours route flush table 2220
	finds 'bridge FAIL' 'ovly-bridge'
	start ovlyhelper bridge --accept 10.255.0.0/16 2>"$OVLY_OUT/bridge.log"
	wait_for 5 "the bridge runs" matches 'bridge follows table 2220' in_ns here ovlyhelper doctor
	well
}

test_peers_without_tunnel() {
	well
	ours xfrm state flush
	defer sas
	defer ours xfrm policy flush
	wait_for 5 "the peer is down" matches 'down' in_ns here ovlyhelper peer list
	finds 'peers WARN' 'peer myconn is down: its paths have no SA'
	h path del 7
	defer h path add 7 peer myconn endpoint "$ENDPOINT" underlay wan0
	finds 'peers WARN' 'peer myconn has no path'
}

test_underlay_and_mtu() {
	well
	ours link set wan0 mtu 1300
	defer ours link set wan0 mtu 1500
	finds 'mtu WARN' 'wan0 has an MTU of 1300'
	ours link set wan0 mtu 1200
	finds 'mtu FAIL' 'wan0 has an MTU of 1200'
	ours link set wan0 mtu 1500
	sysctl_set net.ipv4.ip_no_pmtu_disc=1
	defer sysctl_set net.ipv4.ip_no_pmtu_disc=0
	finds 'mtu WARN' 'ip_no_pmtu_disc=0'
	sysctl_set net.ipv4.ip_no_pmtu_disc=0
	ours route del default
	defer ours route add default via 192.0.2.254
	finds 'underlay FAIL' "no route to its endpoint $ENDPOINT"
}

test_plain_policy() {
	well
	policy 0.0.0.0/0 81.81.81.128/25
	defer ours xfrm policy delete dir out src 0.0.0.0/0 dst 81.81.81.128/25
	finds 'policies FAIL' 'takes packets to 81.81.81.0/24 before ipsec0'
	sysctl_set net.ipv4.conf.ipsec0.disable_xfrm=1
	defer sysctl_set net.ipv4.conf.ipsec0.disable_xfrm=0
	well
	ours xfrm policy add dir in src 81.81.81.0/24 dst 0.0.0.0/0 \
		tmpl src "$ENDPOINT" dst 192.0.2.1 proto esp mode tunnel
	defer ours xfrm policy delete dir in src 81.81.81.0/24 dst 0.0.0.0/0
	# the module has seen to that, until somebody changes it
	well
	sysctl_set net.ipv4.conf.ipsec0.disable_policy=0
	defer sysctl_set net.ipv4.conf.ipsec0.disable_policy=1
	finds 'policies FAIL' 'drops what ipsec0 brings from 81.81.81.0/24'
	sysctl_set net.ipv4.conf.ipsec0.disable_policy=1
	well
	# elsewhere, or a way around IPsec: fine
	policy 0.0.0.0/0 203.0.113.0/24
	defer ours xfrm policy delete dir out src 0.0.0.0/0 dst 203.0.113.0/24
	ours xfrm policy add dir out src 0.0.0.0/0 dst 81.81.0.0/16
	defer ours xfrm policy delete dir out src 0.0.0.0/0 dst 81.81.0.0/16
	well
}

test_if_id_twice() {
	well
	ours link add other0 type xfrm dev wan0 if_id 8
	defer ours link del other0
	well
	ours link add twin0 type xfrm dev wan0 if_id 7
	defer ours link del twin0
	finds 'if-id FAIL' 'ip link del twin0'
}

test_nat() {
	well
	in_ns here nft -f - <<-END
		table ip n {
			chain sub { oifname != "wan0" masquerade; }
			chain post {
				type nat hook postrouting priority 100;
				oifname "wan0" masquerade
			}
			chain pre { type nat hook prerouting priority -100; dnat to 192.0.2.9; }
		}
	END
	defer in_ns here nft flush ruleset
	well
	in_ns here nft add rule ip n post ip saddr 192.168.1.0/24 jump sub
	finds 'nat WARN' 'NAT rule in chain sub of ip n'
	in_ns here nft flush chain ip n post
	in_ns here nft add rule ip n post oifname '"wan*"' jump sub
	in_ns here nft add rule ip n post oifname != '"ipsec0"' masquerade
	well
	in_ns here nft add rule ip n post oifname '{ "wan0", "ipsec0" }' masquerade
	finds 'nat WARN' 'chain post of ip n'
}

test_rp_filter() {
	well
	sysctl_set net.ipv4.conf.ipsec0.rp_filter=1
	defer sysctl_set net.ipv4.conf.ipsec0.rp_filter=0
	finds 'rp-filter WARN' 'net.ipv4.conf.ipsec0.rp_filter=2'
	sysctl_set net.ipv4.conf.ipsec0.rp_filter=2
	sysctl_set net.ipv4.conf.wan0.rp_filter=1
	defer sysctl_set net.ipv4.conf.wan0.rp_filter=0
	# the way back is the same way: fine
	well
	ours link add wan1 type dummy
	defer ours link del wan1
	ours link set wan1 up
	ours route add "$ENDPOINT" dev wan1
	finds 'rp-filter FAIL' 'rp_filter of wan0 is strict'
}

test_forwarding() {
	well
	sysctl_set net.ipv4.conf.ipsec0.forwarding=0
	defer sysctl_set net.ipv4.conf.ipsec0.forwarding=1
	finds 'forwarding WARN' 'what comes from ipsec0 is not forwarded'
	sysctl_set net.ipv4.ip_forward=0
	defer sysctl_set net.ipv4.conf.all.accept_redirects=0
	defer sysctl_set net.ipv4.ip_forward=1
	sysctl_set net.ipv4.conf.all.accept_redirects=0
	finds 'forwarding WARN' 'IPv4 forwarding is off'
}

test_redirects() {
	well
	sysctl_set net.ipv4.conf.all.accept_redirects=1
	defer sysctl_set net.ipv4.conf.all.accept_redirects=0
	# a router obeys where both settings say so
	well
	sysctl_set net.ipv4.conf.wan0.accept_redirects=1
	defer sysctl_set net.ipv4.conf.wan0.accept_redirects=0
	finds 'redirects WARN' 'obeyed on wan0'
}

test_capability_and_arguments() {
	local rc=0
	in_ns here setpriv --inh-caps=-net_admin --bounding-set=-net_admin ovlyhelper doctor || rc=$?
	same 4 "$rc" "exit status without CAP_NET_ADMIN"
	rc=0
	h doctor nonsense || rc=$?
	same 2 "$rc" "exit status of nonsense"
}

test_metrics() {
	local file=$OVLY_OUT/ovly.prom before
	h metrics >"$OVLY_OUT/metrics"
	same '# EOF' "$(tail -n 1 "$OVLY_OUT/metrics")" "last line"
	matches '^ovly_peer_up\{dev="ipsec0",peer="myconn"\} 1$' cat "$OVLY_OUT/metrics"
	matches '^ovly_path_state\{dev="ipsec0",peer="myconn",if_id="7",state="active"\} 1$' cat "$OVLY_OUT/metrics"
	matches '^ovly_path_security_associations\{.*direction="out"\} 1$' cat "$OVLY_OUT/metrics"
	before=$(sed -n 's/^ovly_peer_drops_total{.*reason="tx-no-policy"} //p' "$OVLY_OUT/metrics")
	# from outside the selector: dropped and counted
	never in_ns here ping -c 1 -W 1 -I 192.0.2.1 81.81.81.1
	# one that leaves, and none that comes
	local t0 last
	t0=$(date +%s)
	in_ns here ping -c 1 -W 1 -I "$SYSTEM" 81.81.81.1 || true
	h metrics >"$OVLY_OUT/metrics"
	last=$(sed -n 's/^ovly_peer_last_transmit_timestamp_seconds{dev="ipsec0",peer="myconn"} \([0-9]*\)\..*/\1/p' \
		"$OVLY_OUT/metrics")
	note "sent at $last, between $t0 and $(date +%s)"
	[ "$last" -ge $((t0 - 1)) ] && [ "$last" -le "$(date +%s)" ]
	lacks '^ovly_peer_last_receive_timestamp_seconds\{' cat "$OVLY_OUT/metrics"
	echo old >"$file"
	# a reader that has the old file open keeps it
	exec 3<"$file"
	h metrics --output "$file"
	same old "$(cat <&3)" "the old file"
	exec 3<&-
	matches "^ovly_peer_drops_total\{.*reason=\"tx-no-policy\"\} $((before + 1))\$" cat "$file"
	same 644 "$(stat -c %a "$file")" "mode"
	same "$file" "$(echo "$file"*)" "files"
	local rc=0
	h metrics --output "$OVLY_OUT/nowhere/ovly.prom" || rc=$?
	same 1 "$rc" "exit status where it cannot be written"
}

CASES="
test_nothing_to_say_about_a_host_that_is_right	nothing to say about a host that is right
test_version			doctor: module and helper of different releases
test_device_down		doctor: a device is down
test_rule_shadowed		doctor: an earlier rule takes the packets
test_rule_takes_too_much	doctor: an earlier rule refuses everything
test_vrf_without_an_end		doctor: a VRF without an end
test_charon_settings		doctor: charon installs routes, virtual addresses, follows routes
test_bird_has_the_table		doctor: BIRD has table 220
test_bridge_is_missing		doctor: nobody follows the staging table
test_peers_without_tunnel	doctor: peers without path, paths without SA
test_underlay_and_mtu		doctor: MTU of the underlay, endpoint without route
test_plain_policy		doctor: plain policies take or drop the overlay's packets
test_if_id_twice		doctor: an XFRM interface with a path's if-id
test_nat			doctor: NAT rules that take the overlay's packets
test_rp_filter			doctor: strict reverse path filters
test_forwarding			doctor: forwarding is off
test_redirects			doctor: ICMP redirects are obeyed
test_clock			doctor: the clock is years behind
test_capability_and_arguments	doctor: no capability, bad arguments
test_metrics			metrics: on the screen and in a file, replaced in one step
"
run_cases "$@"
