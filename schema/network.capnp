@0xd1a9c2f0b7e64a28;
# Bridges, VLANs, addresses, routes, DNS and firewall.

using Cxx = import "/capnp/c++.capnp";
using A = import "/schema/annotations.capnp";
using Coverage = import "/schema/coverage.capnp".Coverage;
$Cxx.namespace("relab::schema");

struct AuditNetwork {
  struct Facts {
    coverage @0 :Coverage;
    interfaces @1 :List(Interface);
    # Every network interface of this machine as it is now; those of guests' cables (veth, tap) too.
    addresses @2 :List(Address);
    bridgeVlans @3 :List(BridgeVlan);
    # Which VLANs each port of a bridge takes part in.
    routes @4 :List(Route);
    # Of every routing table but "local".
    rules @5 :List(Rule);
    # Which routing table is asked for what.
    configured @6 :List(Configured);
    # The interfaces of /etc/network/interfaces and the files it takes in, as written.
    staged @7 :Bool $A.doc("There is an /etc/network/interfaces.new: the next start, or the next apply, puts it in place of the configuration.");
    stagedDiffers @8 :Bool $A.doc("It has other content than /etc/network/interfaces.");
    nameservers @9 :List(Nameserver);
    searchDomains @10 :Text;
    hostname @11 :Text;
    hosts @12 :List(HostEntry);
    # /etc/hosts.
    ownAddresses @13 :List(Text);
    # What /etc/hosts says of this machine's own name: Proxmox takes its local network from it.
    sysctls @14 :List(Sysctl);
    proxmoxFirewall @15 :Text $A.doc("As pve-firewall tells: 'enabled/running', 'disabled/running' and so on; empty if there is none.");
    firewallOptions @16 :List(FirewallOption);
    # Options of Proxmox's firewall, for the cluster, this host and each guest. What is not there has its default.
    firewallLines @17 :List(FirewallLine);
    # Rules, aliases and address sets of Proxmox's firewall, as written.
    chains @18 :List(Chain);
    # Of nftables, and of iptables where its older kind is in use.
    nftRules @19 :List(NftRule);
    # The first 1000 rules of nftables. A problem says so if there are more.
    ufw @20 :Text $A.doc("'active' or 'inactive'; empty if there is no ufw.");
    ufwDefaults @21 :Text $A.doc("'deny (incoming), allow (outgoing), disabled (routed)'; empty while it is inactive.");
    ufwRules @22 :List(Text);
    # As ufw prints them.
    wireguard @23 :List(Wireguard);
    wireguardPeers @24 :List(WireguardPeer);
    iptablesRules @25 :List(IptablesRule);
    # The first 1000 rules each of iptables and ip6tables, where their older kind is in use. A problem says so if there are more.
  }

  struct Interface {
    name @0 :Text;
    kind @1 :Text $A.doc("'bridge', 'vlan', 'bond', 'veth', 'tun', 'wireguard' and so on; empty for a card and for the loopback.");
    mac @2 :Text;
    up @3 :Bool $A.doc("Switched on; whether there is a link, the state tells.");
    state @4 :Text;
    mtu @5 :UInt32;
    master @6 :Text $A.doc("Bridge or bond that it is a port of.");
    parent @7 :Text $A.doc("Interface that a VLAN sits on.");
    vlan @8 :UInt16 $A.doc("0 for what is no VLAN.");
    vlanFiltering @9 :Bool $A.doc("Of a bridge: it tells VLANs apart.");
    mode @10 :Text $A.doc("Of a bond: how it shares its links.");
    guest @11 :Bool $A.doc("Cable of a guest, or Proxmox's firewall bridge on it: it comes and goes with the guest.");
  }

  struct Address {
    interface @0 :Text;
    address @1 :Text;
    prefix @2 :UInt8;
    scope @3 :Text;
    dynamic @4 :Bool $A.doc("Leased or announced: it expires.");
  }

  struct BridgeVlan {
    port @0 :Text;
    first @1 :UInt16;
    last @2 :UInt16;
    native @3 :Bool $A.doc("What arrives untagged belongs to it.");
    untagged @4 :Bool $A.doc("It leaves without a tag.");
  }

  struct Route {
    family @0 :Text;
    table @1 :Text;
    type @2 :Text $A.doc("'unicast', 'blackhole', 'unreachable' and so on.");
    destination @3 :Text;
    gateway @4 :Text;
    interface @5 :Text;
    source @6 :Text $A.doc("Address that the machine sends from.");
    metric @7 :UInt32;
    protocol @8 :Text $A.doc("Who set it: 'kernel', 'static', 'dhcp' and so on.");
  }

  struct Rule {
    family @0 :Text;
    priority @1 :UInt32;
    condition @2 :Text $A.doc("All of the rule but priority and table.");
    table @3 :Text;
  }

  struct Configured {
    file @0 :Text;
    line @1 :UInt32 $A.volatile;
    name @2 :Text;
    start @3 :Text $A.doc("'auto' or 'hotplug'; empty: by hand only.");
    family @4 :Text;
    method @5 :Text;
    address @6 :Text;
    gateway @7 :Text;
    bridgePorts @8 :Text;
    vlanAware @9 :Text;
    bridgeVids @10 :Text $A.doc("VLANs that the bridge lets through on its uplink; others are dropped without an error.");
    options @11 :Text $A.doc("All other options, secrets blanked out.");
  }

  struct Nameserver {
    address @0 :Text;
    file @1 :Text $A.doc("Where it is written; systemd-resolved keeps those that it asks in a file of its own.");
  }

  struct HostEntry {
    address @0 :Text;
    names @1 :Text;
  }

  struct Sysctl {
    name @0 :Text;
    value @1 :Text $A.doc("Empty if this kernel does not have it.");
  }

  struct FirewallOption {
    file @0 :Text;
    name @1 :Text;
    value @2 :Text;
  }

  struct FirewallLine {
    file @0 :Text;
    section @1 :Text;
    line @2 :Text;
    enabled @3 :Bool;
  }

  struct Chain {
    program @0 :Text $A.doc("'nft' or 'iptables'.");
    family @1 :Text;
    table @2 :Text;
    name @3 :Text;
    hook @4 :Text $A.doc("Where packets enter it; empty for a chain that others jump to.");
    priority @5 :Int32;
    policy @6 :Text;
    rules @7 :UInt32;
  }

  struct NftRule {
    family @0 :Text;
    table @1 :Text;
    chain @2 :Text;
    comment @3 :Text;
    expression @4 :Text $A.doc("As nft tells it in JSON, without counters; empty if it has more than 1000 bytes, which is told as a problem, too.");
  }

  struct IptablesRule {
    family @0 :Text $A.doc("'ip' or 'ip6'.");
    table @1 :Text;
    chain @2 :Text;
    rule @3 :Text $A.doc("As iptables-save tells it, without counters; empty if it has more than 1000 bytes, which is told as a problem, too.");
  }

  struct Wireguard {
    interface @0 :Text;
    publicKey @1 :Text;
    port @2 :UInt16;
    mark @3 :Text;
    peers @4 :UInt32;
  }

  struct WireguardPeer {
    interface @0 :Text;
    publicKey @1 :Text;
    hasPresharedKey @2 :Bool;
    endpoint @3 :Text;
    allowedIps @4 :Text;
    lastHandshake @5 :UInt64 $A.doc("Unix time in milliseconds; 0 if there was none yet.") $A.unit("unix ms") $A.volatile;
    received @6 :UInt64 $A.unit("bytes") $A.volatile;
    sent @7 :UInt64 $A.unit("bytes") $A.volatile;
    keepalive @8 :UInt32 $A.doc("0 if it is off.") $A.unit("seconds");
  }
}

struct IpAddresses {
  # The IPv4 addresses of one interface, in the running system only: /etc/network/interfaces is neither read nor written.
  interface @0 :Text $A.required $A.resource("interface") $A.pattern("^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,14}$") $A.example("\"vmbr0.10\"")
      $A.doc("The network interface; it exists already.");
  addresses @1 :List(Text) $A.required $A.pattern("^[0-9]{1,3}([.][0-9]{1,3}){3}/[0-9]{1,2}$") $A.example("[\"10.42.10.2/24\"]")
      $A.doc("All IPv4 addresses that the interface has afterwards, with their prefixes; at least one. This is about the running system, not about /etc/network/interfaces: after a restart the interface has what that file says.");

  struct Facts {
    interface @0 :Text $A.doc("The interface that was looked at.");
    addresses @1 :List(Address) $A.doc("Its IPv4 addresses as they are now.");
    routes @2 :List(Text) $A.doc("Routes over the interface that somebody set, as `ip route add` takes them; not those that the kernel makes of the addresses.");
    oddRoutes @3 :List(Text) $A.doc("Routes over the interface that could not be put back if they were lost; with one of these there, nothing is changed.");
  }

  struct Address {
    cidr @0 :Text $A.doc("Address with its prefix.");
    broadcast @1 :Text $A.doc("Broadcast address; empty if it has none.");
    label @2 :Text $A.doc("Name of the address; mostly that of the interface.");
    scope @3 :Text $A.doc("'global', 'link' or 'host'.");
    dynamic @4 :Bool $A.doc("Leased: it expires, and comes back with its lease.");
    peer @5 :Text $A.doc("Address at the other end, of a link between two machines.");
  }
}
