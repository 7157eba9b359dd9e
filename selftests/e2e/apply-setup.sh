# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# apply-setup.sh: a branch and a head-end that "ovlyhelper apply" alone configures,
# each from one file: strongSwan, BIRD and ovly on both ends.
#
#	branch 10.122.144.146 (.128/27, AS 200) --- [ wan ] --- hub 166.34.121.112 (AS 65000)
#
# Sourced after setup.sh; defines functions only.

# An emulated guest takes its time over every key exchange.
# shellcheck disable=SC2034 # run_cases reads it
CASE_DEADLINE=300

BR_WAN=10.88.247.89
BR_WAN2=10.88.247.101
BR_SYSTEM=10.122.144.146
BR_TABLE="throw 10.88.247.84 proto ovly
81.81.81.1 dev ipsec0 proto bird scope link
91.91.91.0/24 dev ipsec0 proto bird scope link
166.34.121.112 dev ipsec0 scope link"
KEY=${PSK:0:16}

# conf NODE: its ovly.conf; the words after the node are sed expressions.
conf() {
	local n=$1 args=() x

	shift
	for x; do
		args+=(-e "$x")
	done
	sed -e "s/@KEY@/$KEY/g" "${args[@]}" "$WORK/$n.in" >"$WORK/$n/etc/ovly.conf"
}

branch_in() {
	cat <<-EOF
		! the branch
		secure-overlay myconn
		  local-bridge wan-br
		  local-system-ip-addr $BR_SYSTEM
		  local-system-ip-subnet 10.122.144.128/27
		  local-system-ip-subnet 192.168.1.0/24
		  remote-interface-ip-addr $HUB_WAN
		  remote-system-ip-addr $HUB_SYSTEM
		  ike-cipher aes128-sha1-modp1536
		  esp-cipher aes128-sha1
		  psk local-psk @KEY@ remote-psk @KEY@
		!
		router bgp 200
		  router-id $BR_SYSTEM
		  neighbor $HUB_SYSTEM remote-as 65000
		  network 192.168.1.0/24
	EOF
}

hub_in() {
	cat <<-EOF
		secure-overlay branch1
		  role head-end
		  local-bridge wan0
		  local-system-ip-addr $HUB_SYSTEM
		  remote-interface-ip-addr $BR_WAN
		  remote-system-ip-addr $BR_SYSTEM
		  remote-system-ip-subnet 10.122.144.128/27
		  remote-system-ip-subnet 192.168.1.0/24
		  ike-cipher aes128-sha1-modp1536
		  esp-cipher aes128-sha1
		  psk local-psk @KEY@ remote-psk @KEY@
		router bgp 65000
		  timers bgp 610 1835
		  listen range 10.122.144.0/24 remote-as 200
		  network 81.81.81.1/32
		  network 91.91.91.0/24
	EOF
}

# fresh NODE: daemons as a distribution starts them, with nothing of ours.
fresh() {
	local dir=$WORK/$1/etc

	mkdir -p "$dir/swanctl/conf.d"
	echo "include conf.d/*.conf" >"$dir/swanctl/swanctl.conf"
	render strongswan.conf.in "$dir/strongswan.conf.new" FLEXVPN=no LOG="$WORK/$1/log/charon.log"
	{
		sed -e '/install_routes/d' -e '/install_virtual_ip/d' -e '/process_route/d' \
			-e '/cisco_flexvpn/d' -e '/make_before_break/d' \
			-e 's/ updown$/ updown eap-identity eap-mschapv2 md4 md5 des attr/' "$dir/strongswan.conf.new"
		echo "include $dir/charon-ovly.conf"
	} >"$dir/strongswan.conf"
	printf 'router id 192.0.2.1;\nprotocol device {\n}\n' >"$dir/bird.conf"
}

# apply NODE OPTION...
apply() {
	local n=$1

	shift
	node "$n" "$OVLYHELPER" apply "$WORK/$n/etc/ovly.conf" --bird-conf "$WORK/$n/etc/bird.conf" \
		--strongswan-conf "$WORK/$n/etc/charon-ovly.conf" --bird-socket /run/bird/bird.ctl \
		--timeout 120 "$@" 2>&1 | tee -a "$WORK/$n/log/apply.out"
	return "${PIPESTATUS[0]}"
}

# apply_setup: the suite's set-up.
apply_setup() {
	local n

	setup_env
	load_ovly
	wan_new
	branch_wire branch $BR_WAN 192.168.1.1/24
	ip -n branch link add wan2-br type dummy
	ip -n branch link set wan2-br addrgenmode none up
	hub_wire
	dummy hub loop0 "$HUB_SYSTEM/32" 81.81.81.1/32
	dummy hub port1 91.91.91.1/24
	branch_in >"$WORK/branch.in"
	hub_in >"$WORK/hub.in"
	for n in branch hub; do
		fresh $n
		# what it says of itself is there before charon's first start
		conf $n
		bird_start $n
		bridge_start $n
		charon_start $n
	done
}

# both_up: from whatever the case before left behind.
both_up() {
	conf branch
	conf hub
	apply hub --force
	apply branch --force
	wait_table branch 60 "$BR_TABLE"
	wait_for 60 "the hub has the branch's LAN" has_route hub 192.168.1.0/24
	# routes stay while a peer is down
	wait_for 60 "the hub's peer is up" matches '^branch1\b.*\bup\b' node hub "$OVLYHELPER" show peers
}

# peer_json NODE PEER: what the module says of it.
peer_json() { node "$1" "$OVLYHELPER" peer list json | jq --arg n "$2" '.[] | select(.name == $n)'; }

# sa_names NODE: connections with an SA in use.
sa_names() { node "$1" swanctl --list-sas | sed -n 's/^\([^ ].*\): #.*/\1/p'; }
