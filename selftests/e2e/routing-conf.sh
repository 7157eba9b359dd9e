# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# routing-conf.sh: the configurations of routing-daemons.sh, for BIRD 1.6, 2 and 3 and
# for FRR.
#
# Sourced; defines functions only.

# bird_conf NODE DAEMON NAME: bird.conf of that program; NAME is bird, or with 1.6 bird4
# or bird6.
bird_conf() {
	local families="4 6" f one=0

	case $3 in
	bird4) families=4 one=1 ;;
	bird6) families=6 one=1 ;;
	esac
	echo "log \"$WORK/$1/log/$3.log\" all;"
	[ "$1" = here ] && echo "router id 192.0.2.1;" || echo "router id 192.0.2.2;"
	echo "protocol device { }"
	for f in $families; do
		"bird_$1" "$f" "$one"
	done
}

# channel FAMILY ONE STATEMENTS: what a protocol says in its channel, or itself with 1.6.
channel() {
	if [ "$2" = 1 ]; then
		echo "	$3"
	else
		echo "	ipv$1 { $3 };"
	fi
}

table_of() {
	[ "$2" = 1 ] && echo "table $3;" || echo "ipv$1 table $3;"
}

# session NAME FAMILY ONE LOCAL LOCAL-AS REMOTE REMOTE-AS STATEMENTS
session() {
	cat <<-END
		protocol bgp $1$2 {
			local $4 as $5;
			neighbor $6 as $7;
			multihop 2;
			graceful restart on;
			connect delay time 1;
			connect retry time 2;
			error wait time 1, 2;
	END
	channel "$2" "$3" "$8"
	echo "}"
}

# addresses FAMILY: wan_here_a wan_far_a wan_here_b wan_far_b hop_a hop_b, and prefixes.
addresses() {
	if [ "$1" = 4 ]; then
		wan=192.0.2. hop=10.3.0. host=32
		steady=81.81.81.1/32 both=10.70.0.0/16 extra=172.20.0.0/16
	else
		wan=2001:db8:ff:: hop=2001:db8:3:: host=128
		steady=2001:db8:81::/48 both=2001:db8:70::/48 extra=2001:db8:20::/48
	fi
}

bird_here() {
	local f=$1 one=$2 wan hop host steady both extra

	addresses "$f"
	table_of "$f" "$one" "igp$f"
	echo "protocol static igp_routes$f {"
	channel "$f" "$one" "table igp$f;"
	echo "	route ${hop}1/$host via \"ovly0\"; route ${hop}2/$host via \"ovly0\"; }"
	table_of "$f" "$one" "learned$f"
	session a "$f" "$one" "${wan}1" 200 "${wan}2" 65000 \
		"table learned$f; igp table igp$f; import all; export none;"
	session b "$f" "$one" "${wan}4" 200 "${wan}3" 65000 \
		"table learned$f; igp table igp$f; import all; export none;"
	echo "protocol kernel staging$f { kernel table 2220; merge paths on; graceful restart on;"
	channel "$f" "$one" "table learned$f; import none; export all;"
	echo "}"
}

bird_far() {
	local f=$1 one=$2 wan hop host steady both extra

	addresses "$f"
	table_of "$f" "$one" "taught$f"
	echo "protocol static steady$f {"
	channel "$f" "$one" "table taught$f;"
	echo "	route $steady unreachable; route $both unreachable; }"
	echo "protocol static extra$f {"
	channel "$f" "$one" "table taught$f;"
	echo "	route $extra unreachable; }"
	session a "$f" "$one" "${wan}2" 65000 "${wan}1" 200 \
		"table taught$f; import none; export filter { bgp_next_hop = ${hop}1; accept; };"
	session b "$f" "$one" "${wan}3" 65000 "${wan}4" 200 \
		"table taught$f; import none; export filter { if net != $both then reject; bgp_next_hop = ${hop}2; accept; };"
}

# ---- FRR ------------------------------------------------------------------------------

frr_file() {
	echo "frr defaults traditional"
	"frr_$1"
}

# zebra resolves next hops in table main, and bgpd asks for the staging table.
frr_here() {
	local n
	cat <<-END
		ip route 10.3.0.1/32 ovly0
		ip route 10.3.0.2/32 ovly0
		ipv6 route 2001:db8:3::1/128 ovly0
		ipv6 route 2001:db8:3::2/128 ovly0
		route-map STAGING permit 10
		 set table 2220
		 set ipv6 next-hop prefer-global
		router bgp 200
		 bgp router-id 192.0.2.1
		 no bgp ebgp-requires-policy
		 no bgp default ipv4-unicast
		 bgp graceful-restart
	END
	frr_session 192.0.2.2 192.0.2.1 65000
	frr_session 192.0.2.3 192.0.2.4 65000
	frr_session 2001:db8:ff::2 2001:db8:ff::1 65000
	frr_session 2001:db8:ff::3 2001:db8:ff::4 65000
	echo " address-family ipv4 unicast"
	for n in 192.0.2.2 192.0.2.3; do
		printf '  %s\n' "neighbor $n activate" "neighbor $n route-map STAGING in"
	done
	printf '%s\n' " exit-address-family" " address-family ipv6 unicast"
	for n in 2001:db8:ff::2 2001:db8:ff::3; do
		printf '  %s\n' "neighbor $n activate" "neighbor $n route-map STAGING in"
	done
	echo " exit-address-family"
}

frr_session() {
	cat <<-END
		 neighbor $1 remote-as $3
		 neighbor $1 ebgp-multihop 2
		 neighbor $1 update-source $2
		 neighbor $1 timers 3 9
		 neighbor $1 timers connect 2
		 neighbor $1 advertisement-interval 0
	END
}

frr_far() {
	cat <<-END
		ip prefix-list BOTH permit 10.70.0.0/16
		ipv6 prefix-list BOTH permit 2001:db8:70::/48
		route-map A4 permit 10
		 set ip next-hop 10.3.0.1
		route-map B4 permit 10
		 match ip address prefix-list BOTH
		 set ip next-hop 10.3.0.2
		route-map A6 permit 10
		 set ipv6 next-hop global 2001:db8:3::1
		route-map B6 permit 10
		 match ipv6 address prefix-list BOTH
		 set ipv6 next-hop global 2001:db8:3::2
		router bgp 65000
		 bgp router-id 192.0.2.2
		 no bgp ebgp-requires-policy
		 no bgp network import-check
		 no bgp default ipv4-unicast
		 bgp graceful-restart
	END
	frr_session 192.0.2.1 192.0.2.2 200
	frr_session 192.0.2.4 192.0.2.3 200
	frr_session 2001:db8:ff::1 2001:db8:ff::2 200
	frr_session 2001:db8:ff::4 2001:db8:ff::3 200
	cat <<-END
		 address-family ipv4 unicast
		  network 81.81.81.1/32
		  network 10.70.0.0/16
		  network 172.20.0.0/16
		  neighbor 192.0.2.1 activate
		  neighbor 192.0.2.1 route-map A4 out
		  neighbor 192.0.2.4 activate
		  neighbor 192.0.2.4 route-map B4 out
		 exit-address-family
		 address-family ipv6 unicast
		  network 2001:db8:81::/48
		  network 2001:db8:70::/48
		  network 2001:db8:20::/48
		  neighbor 2001:db8:ff::1 activate
		  neighbor 2001:db8:ff::1 route-map A6 out
		  neighbor 2001:db8:ff::4 activate
		  neighbor 2001:db8:ff::4 route-map B6 out
		 exit-address-family
	END
}
