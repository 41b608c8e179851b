#pragma once

/// Who reaches whom in a simulated lab: machines with addresses in VLANs, a router between the
/// VLANs, and what listens on the machines. Nothing answers that nobody was said to answer for.
///
/// Packet filters of single machines are no part of it but by `Machine::is_dropped`; the router
/// lets everything pass but what comes from an isolated VLAN.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "agent/host/sim/network/network.h"
#include "agent/host/sim/network/services.h"
#include "agent/host/sim/part.h"

namespace relab::agent::sim {

/// An address of a machine, on the cable that it is reached by.
struct Attachment {
  std::string address;
  std::uint8_t prefix = 24;
  /// 0: untagged.
  std::uint16_t vlan = 0;
  /// Of the default route; empty: there is none by this cable.
  std::string gateway = {};
};

/// Of a guest's network as its configuration has it: "name=eth0,tag=60,ip=10.42.60.5/24,gw=...".
/// Nothing without a fixed address.
std::optional<Attachment> attachment_of(std::string_view properties);

struct HttpAnswer {
  std::uint16_t status = 200;
  std::string body = {};
};

/// What answers on a port.
struct Server {
  /// By the path of the request; none: it accepts connections and speaks no HTTP. Nothing for a
  /// path of which nobody said what it answers.
  std::function<std::optional<HttpAnswer>(const std::string& path)> http = {};
  /// PEM, its own certificate first; empty: it speaks without TLS.
  std::string certificates = {};
  /// One of the authorities that every machine trusts has signed for it.
  bool is_trusted = false;
  /// Whether it runs; none: as long as its machine does.
  std::function<bool()> runs = {};
};

/// "jellyfin.lab.example", "A", "10.42.20.5". What an address is called is told by these, too.
struct NameRecord {
  std::string name;
  std::string type;
  std::string value;
};

struct SimMachine {
  /// Of a guest; 0: it is none.
  std::uint32_t vmid = 0;
  bool is_up = true;
  std::function<std::vector<Attachment>()> attachments = {};
  std::map<std::uint16_t, Server> servers = {};
  /// Further ports that accept connections, without a word of what answers there.
  std::function<bool(std::string_view address, std::uint16_t port)> accepts = {};
  /// What its own packet filter lets fall.
  std::function<bool(const Attachment& from, std::uint16_t port)> is_dropped = {};
  /// What it answers as a name server; none: it is no name server.
  std::optional<std::vector<NameRecord>> names = {};
};

class Reachability final : public Part {
 public:
  Reachability() = default;
  /// With the machine itself, by its name in the world, and its guests that have a fixed address,
  /// by their names. Guests listen on nothing until it is said. It borrows all of these.
  Reachability(SimHost& host, World world, const Network& network, Services& services);

  /// Of several by one name, the last.
  SimMachine& add(const std::string& name, SimMachine machine);
  /// Null if there is none.
  SimMachine* find(const std::string& name);
  SimMachine* find_guest(std::uint32_t vmid);
  /// Of those that are up: the name of each, with each of its addresses.
  std::vector<std::pair<std::string, std::string>> addresses() const;
  void remove(const std::string& name) { machines_.erase(name); }

  /// From now on nothing in this VLAN opens a connection to another one, but to what is let.
  void isolate(std::uint16_t vlan) { isolated_.insert(vlan); }
  void let(std::uint16_t from_vlan, const std::string& address, std::uint16_t port) {
    let_.insert({from_vlan, address, port});
  }

  /// Connections from this host, its `curl` and its `dig` are those of the machine of this name.
  /// The host must live as long.
  void attach(SimHost& host, const std::string& name);

  /// Whether it has a router to the world outside of the lab, which is also open to isolated VLANs.
  bool leaves(const std::string& from) const;

  /// How far a packet gets; `machine` is there if it arrives.
  struct Way {
    Reach reach = Reach::no_network;
    const SimMachine* machine = nullptr;
  };
  Way way(const std::string& from, const std::string& address, std::uint16_t port) const;
  Reach reach(const std::string& from, const Endpoint& to) const;
  /// A router's, of which no more is known than that packets go by it.
  bool is_router(const std::string& address) const;
  /// What answers there; null if nothing is known of it.
  const Server* server(const std::string& from, const Endpoint& to) const;

 private:
  const SimMachine* machine(const std::string& name) const;
  Way deliver(const Attachment& from, const std::string& address, std::uint16_t port,
              std::optional<std::uint16_t> vlan) const;

  std::map<std::string, SimMachine> machines_;
  std::set<std::uint16_t> isolated_;
  std::set<std::tuple<std::uint16_t, std::string, std::uint16_t>> let_;
};

}  // namespace relab::agent::sim
