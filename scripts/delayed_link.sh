# Sourced by scaling.sh: two "nodes" a and b, each a network namespace, and a link between them with a
# stated delay: by the kernel's netem, or where there is none by TUN devices and scripts/tun_relay.py.
# What starts and stops the ranks goes over a bridge without delay.
# shellcheck shell=bash

link=sls$$
link_mtu=65000 # a window of ten packets: what is measured is delay, not how TCP starts

skip_link() { # skip_link REASON
    say "latency: skipped, $1"
    exit 0
}

on_node() { # on_node NODE COMMAND...
    nsenter --net="/run/netns/$link-$1" "${@:2}"
}

remove_link() {
    local node
    if [ -n "${relay_PID:-}" ]; then
        eval "exec ${relay[1]}>&-"
        wait "$relay_PID" 2>/dev/null || true
    fi
    for node in a b; do ip netns del "$link-$node" 2>/dev/null || true; done
    ip link del "$link" 2>/dev/null || true
}

make_nodes() {
    local node number=0
    control_net=10.249.$((RANDOM % 200))
    data_net=10.250.$((RANDOM % 200))
    ip link add "$link" type bridge 2>/dev/null && ip addr add "$control_net.254/24" dev "$link" &&
        ip link set "$link" up || skip_link "network namespaces are not permitted here"
    for node in a b; do
        number=$((number + 1))
        ip netns add "$link-$node"
        ip link add "$link$node" type veth peer name control netns "$link-$node"
        ip link set "$link$node" master "$link" up
        ip -n "$link-$node" link set lo up
        ip -n "$link-$node" addr add "$control_net.$number/24" dev control
        ip -n "$link-$node" link set control up
    done
}

# The two ends of the link, each named `data` on its node. Sets link_kind.
make_data_devices() {
    local ready=
    link_kind=netem
    ip -n "$link-a" link add data type veth peer name data netns "$link-b"
    if on_node a tc qdisc add dev data root netem delay 1ms 2>/dev/null; then
        on_node a tc qdisc del dev data root
        return
    fi
    ip -n "$link-a" link del data
    link_kind=relay
    [ -e /dev/net/tun ] || skip_link "this kernel has neither netem nor /dev/net/tun"
    coproc relay { exec "$python" "$sluice_root/scripts/tun_relay.py" "${link}ta" "${link}tb"; }
    read -r ready <&"${relay[0]}" || skip_link "TUN devices are not permitted here"
    [ "$ready" = ready ] || skip_link "TUN devices are not permitted here"
    ip link set "${link}ta" netns "$link-a" name data
    ip link set "${link}tb" netns "$link-b" name data
}

make_link() {
    local node number=0
    make_nodes
    make_data_devices
    for node in a b; do
        number=$((number + 1))
        ip -n "$link-$node" link set data mtu "$link_mtu" up
        ip -n "$link-$node" addr add "$data_net.$number/24" dev data
    done
    # mpirun starts its daemons by this in place of ssh.
    cat >"$1" <<AGENT
#!/bin/bash
node=\$([ "\$1" = $control_net.1 ] && echo a || echo b)
shift
exec nsenter --net=/run/netns/$link-\$node unshare --uts bash -c "hostname node-\$node; \$*"
AGENT
    chmod +x "$1"
}

set_delay() { # set_delay MILLISECONDS, one way
    local node
    if [ "$link_kind" = relay ]; then
        say "$1" >&"${relay[1]}"
        return
    fi
    for node in a b; do
        on_node "$node" tc qdisc replace dev data root netem delay "${1}ms"
    done
}

run_on_nodes() { # run_on_nodes AGENT COMMAND...: a rank on each
    # The warning is of a race that mpirun wins and loses alike.
    nice -n -15 mpirun -n 2 --host "$control_net.1,$control_net.2" --bind-to none --mca plm_rsh_agent "$1" \
        --mca pml ob1 --mca btl self,tcp --mca btl_tcp_if_include "$data_net.0/24" \
        --mca oob_tcp_if_include "$control_net.0/24" "${@:2}" \
        2> >(grep -v 'plm:rsh: Warning: setpgid' >&2)
}
